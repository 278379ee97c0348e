"""Real files, as each provider's requests hold them: through the proxy and through our own SDK, one blob each."""

from __future__ import annotations

import base64
import io
import json
import random
import sqlite3
import struct
import wave
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector import configure, flush, observe, wrap_anthropic, wrap_openai
from collector.sdk.api import QUEUE
from tests.proxy.upstream import proxying
from tests.receiver.running import running, settings_for, until
from tests.sdk.clients import said_by_anthropic as theirs
from tests.sdk.clients.said_by_openai import completion
from tests.sdk.clients.server import Reply, Server
from tracetui.cli import main

NOISE = random.Random(3)


def png() -> bytes:
    """A picture of 40 by 40 pixels of noise."""
    rows = b"".join(b"\0" + NOISE.randbytes(120) for _ in range(40))
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 40, 40, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        sound.writeframes(NOISE.randbytes(4000))
    return file.getvalue()


PICTURE, SOUND = png(), wav()
PAPER = b"%PDF-1.4\n1 0 obj <</Type/Catalog>> endobj\n% " + NOISE.randbytes(3000) + b"\n%%EOF"
B64 = {data: base64.b64encode(data).decode() for data in (PICTURE, SOUND, PAPER)}
SAFE = {data: base64.urlsafe_b64encode(data).decode() for data in B64}
LINES = base64.encodebytes(PICTURE).decode()
URL = f"data:image/png;base64,{B64[PICTURE]}"
PAPER_URL = f"data:application/pdf;base64,{B64[PAPER]}"

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": [
    {"type": "image_url", "image_url": {"url": URL}},
    {"type": "input_audio", "input_audio": {"data": B64[SOUND], "format": "wav"}},
    {"type": "file", "file": {"filename": "paper.pdf", "file_data": PAPER_URL}},
]}]}  # fmt: skip
RESPONSES = {"model": "gpt-4o-mini", "input": [{"role": "user", "content": [
    {"type": "input_image", "image_url": URL},
    {"type": "input_file", "filename": "paper.pdf", "file_data": PAPER_URL},
]}]}  # fmt: skip
CLAUDE: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": [
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": B64[PICTURE]}},
    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": B64[PAPER]}},
]}]}  # fmt: skip
GEMINI = {"contents": [{"role": "user", "parts": [
    {"inlineData": {"mimeType": "image/png", "data": SAFE[PICTURE]}},
    {"inlineData": {"mimeType": "audio/wav", "data": SAFE[SOUND]}},
    {"inlineData": {"mimeType": "application/pdf", "data": B64[PAPER]}},
]}]}  # fmt: skip
BEDROCK = {"messages": [{"role": "user", "content": [
    {"image": {"format": "png", "source": {"bytes": B64[PICTURE]}}},
    {"document": {"format": "pdf", "name": "paper", "source": {"bytes": B64[PAPER]}}},
]}]}  # fmt: skip
OLLAMA = {"model": "llava", "messages": [{"role": "user", "content": "What is it?", "images": [LINES]}]}
PICTURE_PART, SOUND_PART = ("image", "image/png", len(PICTURE)), ("audio", "audio/wav", len(SOUND))
PAPER_PART = ("file", "application/pdf", len(PAPER))
ASKED = {
    "chat": ("/v1/chat/completions", CHAT, [PICTURE_PART, SOUND_PART, PAPER_PART]),
    "responses": ("/v1/responses", RESPONSES, [PICTURE_PART, PAPER_PART]),
    "claude": ("/v1/messages", CLAUDE, [PICTURE_PART, PAPER_PART]),
    "gemini": ("/v1beta/models/g:generateContent", GEMINI, [PICTURE_PART, SOUND_PART, PAPER_PART]),
    "bedrock": ("/model/m/converse", BEDROCK, [PICTURE_PART, PAPER_PART]),
    "ollama": ("/api/chat", OLLAMA, [PICTURE_PART]),
}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as one:
        yield one


def folder(root: Path, name: str) -> Path:
    (root / name).mkdir()
    return root / name


def sql(db: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(db)) as file:
        return file.execute(query).fetchall()


def told(*args: object) -> str:
    result = CliRunner().invoke(main.cli, [str(arg) for arg in args], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def files_of(db: Path, trace: str) -> list[tuple[str, str, int]]:
    """(type, mime type, size) of each file of the input of a trace's first span, as `show --json` has them."""
    [span, *_] = json.loads(told("show", trace, "--json", "--db", db))["spans"]
    parts = [part for message in span["input"]["messages"] for part in message["parts"] if part["type"] != "text"]
    assert all(part.get("data") or part.get("url") for part in parts)
    return [(part["type"], part["mime_type"], part["size"]) for part in parts]


def one_blob_each(db: Path) -> None:
    assert sorted(sql(db, "select size from blobs")) == sorted([(len(data),) for data in B64])
    assert sql(db, "select count(*) from texts where length(text) >= 1000") == [(0,)]
    assert sql(db, "select count(*) from search where search match 'base64'") == [(0,)]


def test_files_through_the_proxy_in_six_spellings_are_one_blob_each(server: Server, tmp_path: Path) -> None:
    server.answer = lambda path, body: Reply(completion())  # nothing that most of them answer; it is of no matter here
    with proxying(tmp_path, server.url) as proxy:
        for name, (path, body, _) in ASKED.items():
            headers = {"x-tracetui-name": name}
            assert proxy.up.client.post(f"/proxy/gateway{path}", json=body, headers=headers).status_code == 200
        ids = {span.row.name: span.row.trace_id for span in proxy.spans(len(ASKED))}
    one_blob_each(proxy.db)
    for name, (_, _, expected) in ASKED.items():
        assert files_of(proxy.db, ids[name]) == expected, name
    out, again = tmp_path / "out.jsonl", tmp_path / "again.db"
    told("export", "--format", "native", "-o", out, "--db", proxy.db)
    told("import", out, "--db", again)
    one_blob_each(again)
    assert all(files_of(again, ids[name]) == expected for name, (_, _, expected) in ASKED.items())
    told("export", "--format", "otlp", "-o", out, "--db", proxy.db)
    assert all(data in out.read_text() for data in B64.values())


def test_files_are_whole_where_they_are_sent_on(server: Server, tmp_path: Path) -> None:
    server.says(Reply(completion()))
    with (
        running(settings_for(folder(tmp_path, "far")), real=True) as far,
        proxying(folder(tmp_path, "near"), server.url, forward=far.status.url) as proxy,
    ):
        proxy.up.client.post("/proxy/gateway/v1/chat/completions", json=CHAT)
        until(lambda: proxy.up.receiver.status().forward["sent"] == 1)
    db = tmp_path / "far" / "traces.db"
    [trace] = json.loads(told("traces", "--json", "--db", db))
    assert files_of(db, trace["trace_id"]) == ASKED["chat"][2]
    one_blob_each(db)


def test_files_through_our_own_sdk_are_one_blob_each(server: Server, tmp_path: Path) -> None:
    from anthropic import Anthropic
    from openai import OpenAI

    @observe
    def look(picture: bytes, secret: bytes) -> bytes:
        return SOUND

    server.answer = lambda path, body: Reply(theirs.message(theirs.text("Hi")) if "messages" in path else completion())
    db = tmp_path / "traces.db"
    configure(db=db)
    try:
        with (
            OpenAI(base_url=f"{server.url}/v1", api_key="k") as client,
            Anthropic(base_url=server.url, api_key="k") as claude,
        ):
            wrap_openai(client).chat.completions.create(**CHAT)
            wrap_anthropic(claude).messages.create(**CLAUDE)
        look(PICTURE, b"KEY=not to be kept " * 200)
        assert flush()
    finally:
        QUEUE.close()
    one_blob_each(db)
    by_name = {one["name"]: one["trace_id"] for one in json.loads(told("traces", "--json", "--db", db))}
    looked = by_name.pop("look")
    assert [files_of(db, one) for one in by_name.values()] in (
        [ASKED["claude"][2], ASKED["chat"][2]], [ASKED["chat"][2], ASKED["claude"][2]],
    )  # fmt: skip
    document = told("show", looked, "--json", "--db", db)
    [span] = json.loads(document)["spans"]
    kept = span["input"]["value"]["picture"]
    assert (kept["type"], kept["mime_type"], kept["size"]) == ("bytes", "image/png", len(PICTURE))
    assert span["input"]["value"]["secret"] == {"type": "bytes", "size": 3800}
    assert B64[SOUND] in document
    assert "not to be kept" not in document


def test_a_file_over_the_limit_leaves_its_type_and_size(server: Server, tmp_path: Path) -> None:
    server.says(Reply(completion()))
    with proxying(tmp_path, server.url, max_part_bytes=300) as proxy:
        proxy.up.client.post("/proxy/gateway/v1/chat/completions", json=CHAT)
        [span] = proxy.spans()
        ledger = proxy.up.client.get("/v1/status").json()["ledger"]
    assert files_of(proxy.db, span.row.trace_id) == [PICTURE_PART, SOUND_PART, PAPER_PART]
    assert (ledger["clipped"], sql(proxy.db, "select count(*) from blobs")) == (1, [(1,)])
