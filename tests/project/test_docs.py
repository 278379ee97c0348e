"""What the documents show is what the program prints."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from collector.receiver.status import Status
from collector.store import filters
from collector.store.filter_keys import HAS, TABLE
from collector.store.received import SourceSum
from collector.store.rows import SearchHit, SessionRow
from tests.cli.rows import make_detail, make_span_row, make_trace_row
from tracetui import shapes

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = (DOCS / "command-line.md").read_text("utf-8")


def fields_after(title: str) -> set[str]:
    """The names in the back-quoted lists of the paragraph that begins with **title**."""
    paragraph = COMMANDS[COMMANDS.index(f"**{title}**") :].split("\n\n")[0]
    listed = [quoted.split() for quoted in re.findall(r"`([^`]*)`", paragraph)]
    return {name for names in listed if len(names) > 3 for name in names}


def test_the_status_example_is_a_status():
    example = json.loads(re.findall(r"```json\n(.*?)```", (DOCS / "status.md").read_text("utf-8"), re.DOTALL)[0])
    status = Status.from_json(example)
    assert status is not None
    of_the_file = {"turned_away": example["turned_away"], "sources": example["sources"]}
    assert status.to_json() | of_the_file == example
    assert example["sources"][0].keys() == SourceSum("otlp-http").to_json().keys()


def test_every_field_of_a_trace_is_documented():
    assert fields_after("trace") == shapes.trace_json(make_trace_row()).keys()


def test_every_field_of_a_span_is_documented():
    assert fields_after("span") == shapes.span_json(make_detail()).keys() | shapes.span_row_json(make_span_row()).keys()


def test_every_field_of_a_session_and_of_a_hit_is_documented():
    row = SessionRow("s", None, 1, 1, 1, 1, 0, 0, 0, 0, None, make_detail().usage)
    assert fields_after("session") == shapes.session_json(row).keys()
    hit = shapes.hit_json(SearchHit("t", "s", "n", "llm", 1, "x", ()))
    assert f"`{' '.join(hit)}`" in COMMANDS


def test_every_key_of_the_filter_language_is_documented_by_an_example_that_is_read():
    page = (DOCS / "filters.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z.]+?)(\.NAME|\.KEY)?:` \| `([^`]+)` \|", page, re.MULTILINE)
    assert {key: (bool(named), example) for key, named, example in rows} == {
        key.name: (key.named, key.example) for key in TABLE.values()
    }
    assert f"`{' '.join(HAS)}`" in page
    shown = [text for block in re.findall(r"```text\n(.*?)```", page, re.DOTALL) for text in block.splitlines()]
    for text in [*shown, *(example for *_, example in rows)]:
        assert filters.parse_with(text, time.time_ns(), {"slow": "latency:>2s"})
