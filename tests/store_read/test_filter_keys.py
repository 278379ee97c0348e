"""What each key finds among traces, spans and sessions; how `or`, parentheses, minus and scopes are put together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import FilterError
from collector.model import Document, Resource, Score, Usage
from collector.store import narrow, open_reader
from collector.store.filter_grammar import assemble
from collector.store.filter_keys import HAS, TABLE
from collector.store.filter_words import Words
from collector.store.filters import Either, Filter, Term, Within, _in_a_row, parse, parse_with
from tests.builders import MS, T0, conversation, make_part, trace_id, user
from tests.store_read.files import make_trace, write

S = 1000 * MS
NOW = T0 + 7200 * S
LONG = "a value of an attribute that is long enough to be kept as a text of its own, once"
ALL = {1, 2, 3, 4, 5, 6}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1: an agent with a failed tool below; 2: a dear, slow call; 3: a retrieval; 4: an empty one; 5 and 6: plain."""
    shop = Resource({"service.name": "shop", "host.name": "web-1", "k8s.replicas": 3})
    return write(
        tmp_path_factory.mktemp("keys") / "traces.db",
        make_trace(1, name="checkout", kind="agent", session_id="one", user_id="u7", service="shop",
                   tags=("prod", "a,b"),
                   environment="production", release="v1.4.2", agent_name="planner", took_ms=900),
        make_part(2, parent=1, trace=trace_id(1), name="pay", status="error",
                  attributes={"http.route": "/pay/{id}", "http.status_code": 502, "retry": True, "ratio": "0.75",
                              "peers": ["a", "b"], 'odd': LONG, "sent": "2026-11-18"},
                  resource=shop),
        make_part(3, parent=1, trace=trace_id(1), name="pay again", end_ns=T0 + 200 * MS),
        make_trace(2, kind="llm", name="chat", model="gpt-4o", session_id="one", cost_nanousd=75_000_000,
                   usage=Usage(11_000, 500, cache_read_tokens=100), took_ms=3000, ttft_ns=900 * MS, provider="openai",
                   finish_reasons=("length",), prompt_name="triage", prompt_version="3",
                   metadata={"tier": "premium", "vram_gb": 24},
                   input=conversation(user("which pear"))),
        make_trace(3, kind="retriever", name="look_up", session_id="two", tags=("beta",), metadata={"tier": "free"},
                   documents=(Document("a", "one", 0.9), Document("b", "two", 0.4)), project="wiki"),
        make_trace(4, kind="retriever", name="look_up", level="WARNING", start_ns=T0 + 3600 * S),
        make_trace(5, kind="llm", name="chat", model="local", usage=Usage(10, 5), replay_of="x:y",
                   metadata={"tier": "10"}),
        make_trace(6, name="plain", error_type="TimeoutError"),
        scores=(
            Score("a", "quality", T0, trace_id=trace_id(2), span_id=f"{1:016x}", value=0.3),
            Score("b", "quality", T0, trace_id=trace_id(3), value=0.8),
            Score("c", "verdict", T0, trace_id=trace_id(5), span_id=f"{1:016x}", label="good", data_type="categorical"),
            Score("d", "passed", T0, trace_id=trace_id(5), value=1.0, data_type="boolean"),
            Score("e", "mood", T0, session_id="two", value=5.0),
        ),
    )  # fmt: skip


def traces(path: Path, text: str) -> set[int]:
    with open_reader(path, now_ns=lambda: T0) as reader:
        found = {int(row.trace_id, 16) for row in reader.traces(parse(text, NOW))}
        assert reader.totals(parse(text, NOW)).traces == len(found)
    return found


def spans(path: Path, text: str) -> set[tuple[int, int]]:
    with open_reader(path, now_ns=lambda: T0) as reader:
        found = {(int(row.trace_id, 16), int(row.span_id, 16)) for row in reader.spans(parse(text, NOW))}
        assert {(int(part.trace_id, 16), int(part.span_id, 16)) for part in reader.parts(parse(text, NOW))} == found
    return found


def sessions(path: Path, text: str) -> set[str]:
    with open_reader(path, now_ns=lambda: T0) as reader:
        return {row.session_id for row in reader.sessions(parse(text, NOW))}


TRACES = {
    "cost:>0.05": {2}, "cost:>$0.05": {2}, "cost:0.075": {2}, "cost:<0.05": set(), "cost:0.07..0.08": {2},
    "-cost:>0": {1, 3, 4, 5, 6}, "cost:>1,<0.1": {2},
    "latency:>2s": {2}, "latency:>=900ms": {1, 2}, "latency:<=0.1s": {3, 4, 5, 6}, "latency:800ms..1m30s": {1, 2},
    "ttft:>800ms": {2}, "tokens:>10k": {2}, "tokens:15": {5}, "tokens:<1M": {2, 5}, "tokens:..15": {5},
    "errors:>0": {1}, "errors:0": ALL - {1}, "errors:>=1": {1}, "errors:<1": ALL - {1}, "errors:>1": set(),
    "tag:prod": {1}, "tag:beta,prod": {1, 3}, 'tag:"a,b"': {1}, "tag:b*": {3}, "-tag:*": {2, 4, 5, 6},
    "service:shop": {1}, "service:sho*": {1}, "env:production": {1}, "release:v1.4*": {1}, "level:warning": {4},
    "provider:openai": {2}, "project:wiki": {3}, "agent:planner": {1}, "prompt:triage": {2}, "version:3": {2},
    "version:2": set(), "tool:*": set(),
    "error.type:Timeout*": {6}, "finish:length": {2}, "finish:stop,len*": {2}, "finish:stop": set(),
    "docs:0": {4}, "docs:>1": {3}, "docs:>=0": {3, 4}, "doc.score:<0.5": {3}, "doc.score:>0.95": set(),
    "until:1h": ALL - {4}, "since:1h": {4}, "since:3h until:90m": ALL - {4},
    "has:replay": {5}, "has:score": {2, 3, 5}, "has:docs": {3}, "has:cost,replay": {2, 5}, "-has:tokens": {1, 3, 4, 6},
    "has:tag": {1, 3}, "has:meta": {2, 3, 5}, "has:error": {1}, "has:cache": {2}, "has:in*": {2},
    "meta.tier:premium": {2}, "meta.tier:p*": {2}, "meta.tier:*": {2, 3, 5}, "meta.tier:free,premium": {2, 3},
    "meta.vram_gb:>10": {2}, "meta.vram_gb:24": {2}, "meta.vram_gb:>24": set(), "meta.tier:>5": {5},
    "-meta.tier:free": ALL - {3}, "meta.tier:=10": {5}, "meta.tier:8..12": {5}, "meta.nope:*": set(),
    "score.quality:<0.5": {2}, "score.quality:>0.5": {3}, "score.quality:*": {2, 3}, "score.verdict:good": {5},
    "score.verdict:>=good": {5}, "score.passed:true": {5}, "score.passed:false": set(),
    "-score.quality:<0.5": ALL - {2},
    "score.mood:5": set(),
    "attr.http.route:/pay/*": {1}, "attr.http.status_code:502": {1}, "attr.http.status_code:>=500": {1},
    "attr.http.status_code:>502": set(), "attr.retry:true": {1}, "attr.retry:1": set(), "attr.ratio:>0.5": {1},
    "attr.peers:b": {1}, "attr.peers:c": set(), f'attr.odd:"{LONG}"': {1}, "attr.odd:*kept*": {1},
    'attr."http.route":*': {1}, "attr.http:*": set(), "attr.sent:>2026-11-01": {1}, "attr.sent:>2026-12-01": set(),
    "ATTR.retry:true": {1}, "attr.Retry:true": set(),
    "res.host.name:web-1": {1}, "res.k8s.replicas:>2": {1}, "res.host.name:web-2": set(),
    "root:name:pay": set(), "root:name:checkout": {1}, "root:status:error": set(), "any:status:error": {1},
    "-any:status:error": ALL - {1}, "any:-status:error": ALL, "-root:kind:llm": {1, 3, 4, 6},
    "any:(name:pay status:error)": {1}, 'any:(name:"pay again" status:error)': set(),
    "name:pay* status:error": set(),
    "any:(name:pay or kind:llm)": {1, 2, 5}, "any:pear": {2}, "root:errors:>0": {1},
    "cost:>0.05 or errors:>0": {1, 2}, "(cost:>0.05 or errors:>0) user:u7": {1},
    "-(cost:>0.05 or errors:>0)": {3, 4, 5, 6},
    "kind:llm (model:gpt* or model:local) -has:replay": {2}, "pear or name:plain": {2, 6}, "pear and kind:llm": {2},
    "(pear)": {2}, "-(kind:llm pear)": ALL - {2}, "kind:llm OR kind:agent AND user:u7": {1, 2, 5},
    "-(-kind:llm)": {2, 5}, "name:plain or (name:chat (has:replay or has:cost)) or pear": {2, 5, 6},
}  # fmt: skip


@pytest.mark.parametrize("most", [0, narrow.MOST], ids=["walked", "narrowed"])
def test_a_filter_finds_these_traces(path: Path, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrow, "MOST", most)
    assert {text: traces(path, text) for text in TRACES} == TRACES


SPANS = {
    "cost:>0.05": {(2, 1)}, "latency:>800ms": {(1, 1), (2, 1)}, "latency:200ms": set(), "ttft:>1ms": {(2, 1)},
    "errors:>0": {(1, 1), (1, 2), (1, 3)}, "status:error": {(1, 2)}, "any:status:error": {(1, 1), (1, 2), (1, 3)},
    "root:name:checkout -name:checkout": {(1, 2), (1, 3)}, "tag:prod": {(1, 1)}, "service:shop": {(1, 1), (1, 2)},
    "meta.tier:premium": {(2, 1)}, "score.quality:*": {(2, 1)}, "has:score": {(2, 1), (5, 1)},
    "attr.retry:true": {(1, 2)}, "res.host.name:web*": {(1, 2)}, "finish:length": {(2, 1)}, "docs:0": {(4, 1)},
    "kind:llm or status:error": {(1, 2), (2, 1), (5, 1)}, "any:(name:pay or pear)": {(1, 1), (1, 2), (1, 3), (2, 1)},
    "status:error (any:name:checkout or pear)": {(1, 2)}, "until:1h kind:retriever": {(3, 1)},
    "any:errors:>0 name:pay": {(1, 2)},
}  # fmt: skip


@pytest.mark.parametrize("most", [0, narrow.MOST], ids=["walked", "narrowed"])
def test_a_filter_finds_these_spans(path: Path, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrow, "MOST", most)
    assert {text: spans(path, text) for text in SPANS} == SPANS


SESSIONS = {
    "cost:>0.05": {"one"}, "cost:>1": set(), "errors:>0": {"one"}, "tokens:>10k": {"one"}, "tag:beta": {"two"},
    "has:docs": {"two"}, "score.mood:>4": {"two"}, "score.quality:*": {"one", "two"}, "any:name:pay": {"one"},
    "root:kind:retriever or user:u7": {"one", "two"}, "-(tag:beta)": {"one"}, "until:2026-01-01": set(),
}  # fmt: skip


@pytest.mark.parametrize("most", [0, narrow.MOST], ids=["walked", "narrowed"])
def test_a_filter_finds_these_sessions(path: Path, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrow, "MOST", most)
    assert {text: sessions(path, text) for text in SESSIONS} == SESSIONS


def test_all_that_has_looks_for_can_be_asked_for(path: Path) -> None:
    for thing in HAS:
        assert traces(path, f"has:{thing}") <= ALL
        assert sessions(path, f"has:{thing}") <= {"one", "two"}


HOSTILE = ["'", "'; drop table spans; --", "%", "[", "]", "?", "{}", ":f0", "\\", "$", "$[0]", "[0]", "#", "日本",
           "\x1b[31m", "\ud800", "x" * 3000, "*", "e.value", "null", "-", "..", ">", "1e400", "0x10"]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_hostile_names_and_values_find_nothing_and_break_nothing(path: Path, value: str) -> None:
    for text in (*(f'{key}."{value}":x' for key in ("attr", "res", "meta", "score")),
                 *(f'{key}.x:"{value}"' for key in ("attr", "res", "meta", "score")),
                 *(f'attr.http.route:{op}"{value}"' for op in ("<", "=")),
                 f'tag:"{value}"', f'finish:"{value}"'):  # fmt: skip
        where = parse(text, NOW)
        with open_reader(path, now_ns=lambda: T0) as reader:
            if value != "*" and not text.startswith("attr.http"):
                assert reader.traces(where) == []
            reader.spans(where)
            reader.sessions(where)
            reader.search("pear", where)
            reader.list_sql("traces", where, limit=5, sort="-start")


WORDS = st.sampled_from(["status:error", "pear", "-kind:llm", "any:kind:tool", "-root:-name:x", '"two words"', "or x",
                         "meta.tier:a,>5", "cost:1..2"])  # fmt: skip


@given(st.lists(WORDS, min_size=1, max_size=6).map(" ".join))
def test_terms_in_a_row_are_read_alike_with_and_without_the_grammar(text: str) -> None:
    words = list(Words(text.replace("or x", "x"), NOW))
    assert _in_a_row(words, text) == assemble(words, text)


def test_or_binds_less_than_and() -> None:
    a, b, c = (Term("text", (name,), column=at) for name, at in (("a", 0), ("b", 2), ("c", 7)))
    assert parse("a b or c", NOW) == Filter((Either((Filter((a, b)), Filter((c,)))),))
    assert parse("-(a b)", NOW).terms[0] == Either(
        (Filter((replace(a, column=2), replace(b, column=4))),), True, 0
    )  # fmt: skip
    assert parse("any:a", NOW) == Filter((Within("any", Filter((replace(a, column=4),))),))


@pytest.mark.parametrize("text", ["http://x.y/z?a=b", "f(x)", "a-b", "-", "name:<lambda>", "session:a(b)c", "(f(x))",
                                  '"or"', "any.thing", "salt and pepper", "name:a.b..c"])  # fmt: skip
def test_what_looks_like_a_sign_inside_a_word_is_text(text: str) -> None:
    assert all(isinstance(part, Term) and not part.bounds for part in parse(text, NOW).terms)


def test_a_view_stands_for_its_filter_in_parentheses(path: Path) -> None:
    views = {"bad": "errors:>0 or cost:>0.05", "dear": "view:bad has:cost", "loop": "x view:loop", "broken": "kind:"}

    def found(text: str) -> set[int]:
        with open_reader(path, now_ns=lambda: T0) as reader:
            return {int(row.trace_id, 16) for row in reader.traces(parse_with(text, NOW, views))}

    assert found("view:bad") == {1, 2}
    assert found("view:bad user:u7") == {1}
    assert found("-view:bad") == {3, 4, 5, 6}
    assert found("view:dear") == {2}
    assert found("view:dear,bad") == {1, 2}
    assert found("name:plain or view:dear") == {2, 6}
    for text, said in {
        "view:loop": "names itself: loop > loop", "view:broken": "wants a value",
        "a view:nope": "there are bad, broken",
    }.items():  # fmt: skip
        with pytest.raises(FilterError, match=said) as caught:
            parse_with(text, NOW, views)
        assert (caught.value.text, caught.value.column) == (text, text.index("view"))


def test_every_key_has_an_example_that_is_read_and_answered(path: Path) -> None:
    for key in TABLE.values():
        where = parse_with(key.example, NOW, {"slow": "latency:>2s"})
        assert len(where.terms) == 1
        with open_reader(path, now_ns=lambda: T0) as reader:
            assert len(reader.traces(where)) <= 6
            assert len(reader.spans(where)) <= 8
            assert len(reader.sessions(where)) <= 2
