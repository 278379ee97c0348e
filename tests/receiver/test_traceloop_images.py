"""Images as the Traceloop SDK sends them: asked where to, then sent, and fetched again by what the message says."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import conventions
from collector.model import SpanPart
from collector.settings import Settings
from tests.receiver.running import Running, running

TRACE, SPAN = "3a7d58f1c0be4c5e9a6b21d4e8f70c19", "5fa1c3d2b7e40916"
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"x" * 62).decode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(Settings(db=tmp_path / "traces.db", http_port=0, grpc_port=0), real=True) as here:
        yield here


def test_an_image_is_kept_and_the_message_names_it(server: Running) -> None:
    client = server.client
    where = f"/v2/traces/{int(TRACE, 16)}/spans/{int(SPAN, 16)}/images"
    url = client.post(where, json={"image_name": "message_0_item_1.png"}).raise_for_status().json()["url"]
    assert client.get(url).status_code == 404
    assert client.post(url, json={"image_data": PIXEL}).status_code == 204
    got = client.get(url)
    assert got.content == base64.b64decode(PIXEL)
    assert got.headers["content-type"] == "image/png"
    said = json.dumps([{"role": "user", "parts": [{"type": "uri", "modality": "image", "uri": url}]}])
    reading = conventions.read(SpanPart(TRACE, SPAN, attributes={"gen_ai.input.messages": said}))
    assert reading.input is not None
    assert reading.input.messages[0].parts == ({"type": "image", "file_id": url.rpartition("/")[2]},)


@pytest.mark.parametrize(("path", "body", "status"), [
    ("/v2/traces/0/spans/1/images", {"image_name": "a.png"}, 400),
    ("/v2/traces/x/spans/1/images", {"image_name": "a.png"}, 400),
    (f"/v2/traces/{10**40}/spans/1/images", {"image_name": "a.png"}, 400),
    (f"/v2/traces/{TRACE}/spans/{SPAN}/images", {}, 400),
    (f"/v2/traces/{TRACE}/spans/{SPAN}/images", ["a.png"], 400),
    ("/v2/images/never-announced-images", {"image_data": PIXEL}, 404),
])  # fmt: skip
def test_what_is_no_image_is_refused_with_a_sentence(server: Running, path: str, body: object, status: int) -> None:
    answer = server.client.post(path, json=body)
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


def test_data_that_is_no_base64_is_refused(server: Running) -> None:
    where = f"/v2/traces/{TRACE}/spans/{SPAN}/images"
    url = server.client.post(where, json={"image_name": "a.png"}).json()["url"]
    assert server.client.post(url, json={"image_data": "no base64!"}).status_code == 400
    assert server.client.get(url).status_code == 404
