"""Keys that no convention knows are kept, and listed with how often they came, and from whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from collector.ingest import Ingest
from collector.model import Batch, Scope
from collector.settings import Settings
from collector.store import open_reader
from collector.store.unmapped import UnmappedKey, unmapped_keys
from tests.builders import make_part
from tracetui.cli import main

ATTRIBUTES = {
    "gen_ai.request.model": "m", "llm.input_messages.0.message.role": "user", "server.address": "x",
    "gen_ai.brand_new": 1, "color": "red",
}  # fmt: skip


def written(tmp_path: Path) -> Path:
    db = tmp_path / "traces.db"
    one = replace(make_part(1), attributes=ATTRIBUTES, scope=Scope("painter"))
    two = replace(make_part(2), attributes={"color": "blue", "shape\x1b[31m": "round"}, scope=None)
    with Ingest(db, Settings(db=db)) as ingest:
        ingest.write(Batch("otlp-http", (one, two)))
    return db


def test_only_what_nobody_knows_is_listed_most_frequent_first(tmp_path: Path) -> None:
    start = make_part(1).start_ns
    with open_reader(written(tmp_path)) as reader:
        listed, more = unmapped_keys(reader)
        assert [(one.key, one.spans) for one in listed] == [("color", 2), ("gen_ai.brand_new", 1), ("shape\x1b[31m", 1)]
        assert listed[1] == UnmappedKey("gen_ai.brand_new", 1, "painter", start)
        assert more == 0


def test_the_list_is_bounded_and_says_how_much_it_leaves_out(tmp_path: Path) -> None:
    with open_reader(written(tmp_path)) as reader:
        listed, more = unmapped_keys(reader, limit=1)
        assert ([one.key for one in listed], more) == (["color"], 2)
        newest, _ = unmapped_keys(reader, newest=1)
        assert [one.key for one in newest] == ["color", "shape\x1b[31m"]


def test_what_our_own_sdk_says_is_not_looked_through(tmp_path: Path) -> None:
    db = tmp_path / "traces.db"
    own = make_part(1)
    own = replace(own, attributes={"color": "red"}, reading=replace(own.reading, convention="sdk", kind="llm"))
    with Ingest(db, Settings(db=db)) as ingest:
        ingest.write(Batch("sdk", (own,)))
    with open_reader(db) as reader:
        assert unmapped_keys(reader) == ([], 0)


def test_doctor_lists_them_without_escape_sequences(tmp_path: Path) -> None:
    told = CliRunner().invoke(main.cli, ["doctor", "--db", str(written(tmp_path))])
    assert told.exit_code == 0
    _, _, listed = told.output.partition("attributes that no convention knows")
    assert "color" in listed.splitlines()[1]
    assert "2 spans" in listed.splitlines()[1]
    assert "(painter)" in listed
    assert "\x1b" not in told.output
