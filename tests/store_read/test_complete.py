"""What the filter bar offers at the cursor: keys, names and values that the file holds, saved views."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.model import Resource, Score
from collector.store import open_reader
from collector.store.complete import SHOWN, complete
from collector.store.filter_keys import TABLE
from tests.builders import T0, make_part, trace_id
from tests.store_read.files import Plans, make_trace, write


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(
        tmp_path_factory.mktemp("complete") / "traces.db",
        make_trace(1, name="get weather", kind="tool", session_id="thread-1", user_id="u7", tags=("prod", "beta"),
                   metadata={"tier": "premium", "odd key": 7}, service="shop", finish_reasons=("stop",)),
        make_trace(2, name="get_order", kind="llm", model="gpt-4o", request_model="gpt-4", session_id="thread-2",
                   level='say "x"'),
        make_part(2, parent=1, trace=trace_id(1), attributes={"http.route": "/pay", "http.code": 502},
                  resource=Resource({"host.name": "web-1"})),
        scores=(Score("a", "verdict", T0, trace_id=trace_id(1), label="good", data_type="categorical"),),
    )  # fmt: skip


def offered(path: Path, text: str, views: dict[str, str] | None = None) -> list[str]:
    """What the text may become, the cursor at `|` or at the end."""
    cursor = text.index("|") if "|" in text else len(text)
    text = text.replace("|", "")
    with open_reader(path) as reader:
        found = reader.complete(text, cursor, views or {})
    return [found.taken(text, n)[0] for n in range(len(found.choices))]


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("st", ["status:"]),
        ("kind:tool la", ["kind:tool latency:"]),
        ("-la", ["-latency:"]),
        ("(a or la", ["(a or latency:"]),
        ("any:er", ["any:errors:", "any:error.type:"]),
        ("la| kind:tool", ["latency: kind:tool"]),
        ("status:e", ["status:error"]),
        ("status:error", []),
        ("status:ok,e", ["status:ok,error"]),
        ("has:rep", ["has:replay"]),
        ("model:gp", ["model:gpt-4", "model:gpt-4o"]),
        ("name:get", ['name:"get weather"', "name:get_order"]),
        ('name:"get w', ['name:"get weather"']),
        ("session:th", ["session:thread-1", "session:thread-2"]),
        ("user:", ["user:u7"]),
        ("tag:b", ["tag:beta"]),
        ("service:", ["service:shop", "service:test"]),
        ("finish:", ["finish:stop"]),
        ("meta.", ['meta."odd key":', "meta.tier:"]),
        ("meta.t", ["meta.tier:"]),
        ("meta.tier:", ["meta.tier:premium"]),
        ('meta."odd key":', ['meta."odd key":7']),
        ("attr.http.r", ["attr.http.route:"]),
        ("attr.http.code:", ["attr.http.code:502"]),
        ("res.host", ["res.host.name:"]),
        ("res.host.name:", ["res.host.name:web-1"]),
        ("score.", ["score.verdict:"]),
        ("score.verdict:", ["score.verdict:good"]),
        ("level:", []),
        ("nokey:x", []),
        ("cost:>", []),
        ("zzz", []),
    ],
)
def test_what_is_typed_may_become(path: Path, typed: str, becomes: list[str]) -> None:
    found = offered(path, typed)
    assert [text for text in found if text != "service:test"] == [text for text in becomes if text != "service:test"]


def test_an_empty_bar_lists_saved_views_first(path: Path) -> None:
    found = offered(path, "", {"slow": "latency:>2s", "dear": "cost:>1"})
    assert found[:3] == ["view:slow", "view:dear", "status:"]
    assert offered(path, "view:s", {"slow": "latency:>2s"}) == ["view:slow"]
    assert len(found) == SHOWN


def test_every_key_can_be_completed_and_none_reads_a_whole_table(path: Path) -> None:
    with open_reader(path) as reader:
        plans = Plans(reader)
        for key in TABLE.values():
            reader.complete(key.opening, len(key.opening), {})
            reader.complete(f"{key.name}.tier:", len(key.name) + 6, {})
        scans = {step for step in plans.scans() if step.startswith("SCAN") and " USING " not in step}
    assert scans <= {"SCAN n", "SCAN e VIRTUAL TABLE INDEX 1:", "SCAN scores"}


def test_without_a_file_keys_and_fixed_words_are_offered() -> None:
    assert [choice.text for choice in complete(None, "status:ab", 9, {}).choices] == ["abandoned"]
    assert [choice.text for choice in complete(None, "mod", 3, {}).choices] == ["model:"]
    assert complete(None, "model:", 6, {}).choices == ()


@pytest.mark.parametrize(
    "text", ['"', '"""', "((", "-", "any:", "\x00:", "meta.\x00:", "attr.'", "session:\ud800", ":", "::"]
)
def test_no_text_breaks_it(path: Path, text: str) -> None:
    for cursor in range(len(text) + 1):
        with open_reader(path) as reader:
            reader.complete(text, cursor, {})
