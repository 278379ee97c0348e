"""What is attached to messages is kept once, however often and in whatever convention it is resent."""

from __future__ import annotations

import base64
import json
import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from collector.ingest import Ingest
from collector.model import Batch
from collector.settings import Settings
from collector.store import open_reader
from tests.builders import make_part

DATA = base64.b64encode(random.Random(7).randbytes(60_000)).decode()
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
        assert file.execute("select count(*) from texts where length(text) >= 60000").fetchone() == (1,)
    image = {"type": "image", "mime_type": "image/png", "url": URL, "size": 60_000}
    with open_reader(db) as reader:
        (trace,) = {row.trace_id for row in reader.spans()}
        for row in reader.tree_spans(trace):
            given = reader.span(trace, row.span_id).input
            assert given is not None
            assert image in given.messages[0].parts
