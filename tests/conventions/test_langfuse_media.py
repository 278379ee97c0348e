"""A file that Langfuse's SDK sent by itself is referred to by its id and type."""

from __future__ import annotations

import pytest

from collector.conventions.parts import part

REFERENCE = "@@@langfuseMedia:type={}|id=aO5FmOZM0o7tUIwzPfsUx0|source=base64_data_uri@@@"


@pytest.mark.parametrize(
    ("block", "kind", "mime"),
    [
        ({"type": "image_url", "image_url": {"url": REFERENCE.format("image/png")}}, "image", "image/png"),
        ({"type": "input_audio", "input_audio": {"data": REFERENCE.format("audio/mpeg"), "format": "wav"}}, "audio",
         "audio/mpeg"),
    ],
)  # fmt: skip
def test_a_reference_is_a_file_of_a_type(block: dict[str, object], kind: str, mime: str) -> None:
    assert part(block) == {"type": kind, "mime_type": mime, "file_id": "aO5FmOZM0o7tUIwzPfsUx0"}


def test_what_only_begins_like_a_reference_is_left() -> None:
    block = {"type": "image_url", "image_url": {"url": "@@@langfuseMedia:type=image/png"}}
    assert part(block) == {"type": "image", "url": "@@@langfuseMedia:type=image/png"}
