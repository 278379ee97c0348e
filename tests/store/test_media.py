"""What is attached to messages is kept once, however often and in whatever convention it is resent."""

from __future__ import annotations

import base64
import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.ingest import Ingest
from collector.model import Batch
from collector.settings import Settings
from collector.store import media, open_reader
from tests.builders import make_part

DATA = base64.b64encode(random.Random(7).randbytes(60_000)).decode()
assert "+" in DATA
assert "/" in DATA
URL = f"data:image/png;base64,{DATA}"
ASKED = {
    "role": "user",
    "content": [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": URL}}],
}


def test_an_image_resent_in_two_conventions_is_one_text_and_says_its_size(tmp_path: Path) -> None:
    db = tmp_path / "traces.db"
    turns = [
        {"gen_ai.operation.name": "chat",
         "gen_ai.input.messages": json.dumps([ASKED, *({"role": "assistant", "content": f"{n}"} for n in range(turn))])}
        for turn in range(5)
    ]  # fmt: skip
    flat = "llm.input_messages.0.message."
    turns.append({
        "openinference.span.kind": "LLM", f"{flat}role": "user",
        f"{flat}contents.0.message_content.type": "image",
        f"{flat}contents.0.message_content.image.image.url": URL, "input.value": json.dumps({"messages": [ASKED]}),
    })  # fmt: skip
    with Ingest(db, Settings(db=db)) as ingest:
        for number, attributes in enumerate(turns, 1):
            ingest.write(Batch("otlp-http", (replace(make_part(number), attributes=dict(attributes)),)))
    with closing(sqlite3.connect(db)) as file:
        assert file.execute("select size from blobs").fetchall() == [(60_000,)]
        assert file.execute("select count(*) from texts where length(text) >= 1000").fetchone() == (0,)
    image = {"type": "image", "mime_type": "image/png", "url": URL, "size": 60_000}
    with open_reader(db) as reader:
        (trace,) = {row.trace_id for row in reader.spans()}
        for row in reader.tree_spans(trace):
            given = reader.span(trace, row.span_id).input
            assert given is not None
            assert image in given.messages[0].parts


def kept(db: Path, **attributes: object) -> dict[str, object]:
    """The attributes of one span as they are read back."""
    with Ingest(db, Settings(db=db)) as ingest:
        ingest.write(Batch("otlp-http", (replace(make_part(1), attributes=dict(attributes)),)))
    with open_reader(db) as reader:
        (part,) = reader.parts()
        return dict(part.attributes)


def of_file(db: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(db)) as file:
        return file.execute(sql).fetchall()


def test_every_spelling_of_a_file_shares_its_bytes_and_comes_back_letter_by_letter(tmp_path: Path) -> None:
    db = tmp_path / "traces.db"
    sent = {
        "bare": DATA, "url": URL, "other": f"data:;base64,{DATA}", "bytes": base64.b64decode(DATA),
        "json": json.dumps({"a": [{"source": {"data": DATA}}, {"b": URL}]}),
        "for urls": DATA.replace("+", "-").replace("/", "_"), "unpadded": DATA.rstrip("="),
        "mime": base64.encodebytes(base64.b64decode(DATA)).decode(),
        "url in lines": "data:image/png;base64," + "\r\n".join(DATA[at : at + 64] for at in range(0, len(DATA), 64)),
        "json in lines": json.dumps({"a": base64.encodebytes(base64.b64decode(DATA)).decode()}),
    }  # fmt: skip
    assert kept(db, **sent) == sent
    assert of_file(db, "select size from blobs") == [(60_000,)]
    ((letters,),) = of_file(db, "select sum(length(text)) from texts")
    assert isinstance(letters, int)
    assert letters < 1000, "the rest of the JSON, and what stands before the base64"


def test_a_file_within_a_text_is_no_matter_for_search(tmp_path: Path) -> None:
    db = tmp_path / "traces.db"
    kept(db, picture=URL, said="an ordinary sentence that is long enough to be a text of its own, whatever it may say")
    assert of_file(db, "select count(*) from search where search match 'ordinary'") == [(1,)]
    assert of_file(db, "select count(*) from search where search match 'base64'") == [(0,)]


@pytest.mark.parametrize("damage", [
    lambda url: url[:-3], lambda url: url + "=", lambda url: url.replace("A", "!", 1), lambda url: url + "\n",
    lambda url: url[:90] + "-_" + url[92:], lambda url: url[:90] + "\n" + url[90:150] + "\n" + url[150:],
    lambda url: url.replace(";base64", ""),
])  # fmt: skip
def test_what_is_not_quite_base64_stays_a_text(tmp_path: Path, damage: Callable[[str], str]) -> None:
    db = tmp_path / "traces.db"
    assert kept(db, picture=damage(URL)) == {"picture": damage(URL)}
    assert of_file(db, "select count(*) from blobs") == [(0,)]


def test_a_file_of_the_same_bytes_as_a_text_is_beside_it(tmp_path: Path) -> None:
    db = tmp_path / "traces.db"
    text = "said " * 1000
    sent = {"said": text, "sent": text.encode()}
    assert kept(db, **sent) == sent


def test_of_a_file_that_is_too_long_type_and_size_are_left(tmp_path: Path) -> None:
    db = tmp_path / "traces.db"
    asked = json.dumps([ASKED])
    for limit, url in ((5_002, URL), (5_001, "data:image/png;base64,…[80000 bytes cut]")):
        db.unlink(missing_ok=True)
        with Ingest(db, Settings(db=db, max_part_bytes=limit)) as ingest:
            sent = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": asked}
            receipt = ingest.write(Batch("otlp-http", (replace(make_part(1), attributes=dict(sent)),)))
        assert receipt.clipped == (url != URL)
        with open_reader(db) as reader:
            samples = [one.sample for one in reader.ledger() if one.outcome == "clipped"]
            assert samples == ([f"span {make_part(1).span_id} of trace {make_part(1).trace_id}"] if url != URL else [])
            (row,) = reader.spans()
            given_ = reader.span(row.trace_id, row.span_id).input
        assert given_ is not None
        assert given_.messages[0].parts[1] == {"type": "image", "mime_type": "image/png", "url": url, "size": 60_000}


@given(
    st.binary(min_size=800, max_size=3000), st.booleans(), st.booleans(),
    st.sampled_from([0, 1, 60, 64, 76, 190]), st.sampled_from(["\n", "\r\n"]), st.booleans(),
    st.sampled_from(["", "data:image/png;base64,"]),
)  # fmt: skip
def test_in_whatever_way_it_is_spelt_it_comes_back(
    data: bytes, url: bool, bare: bool, width: int, end: str, ended: bool, head: str
) -> None:
    letters = (base64.urlsafe_b64encode if url else base64.b64encode)(data).decode()
    letters = letters.rstrip("=") if bare else letters
    if width:
        letters = end.join(letters[at : at + width] for at in range(0, len(letters), width)) + end * ended
    found = media.split(head + letters)
    assert found is None or media.join(*found) == head + letters
    if head:
        assert found is not None
        assert found[1] == data


@given(st.binary(min_size=600, max_size=3000), st.sampled_from(["", "data:image/png;base64,", "data:;base64,", "x"]))
def test_what_is_split_is_joined_again(data: bytes, head: str) -> None:
    text = media.join(head, data)
    found = media.split(text)
    if head.startswith("data:") and len(text) >= media.LEAST:
        assert found == (head, data)
    assert found is None or media.join(*found) == text
