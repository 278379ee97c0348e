"""The filter language: what each key finds, how values are written, and where an error points."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import FilterError
from collector.model import KINDS, STATUSES
from collector.store import open_reader
from collector.store.filters import KEYS, MAX_CHARS, Filter, Term, parse, parse_with
from tests.builders import MS, T0, conversation, make_part, make_started, trace_id, user
from tests.store_read.files import make_trace, write

HOUR = 3600 * 1000 * MS
NOW = T0 + 2 * HOUR


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(
        tmp_path_factory.mktemp("filters") / "traces.db",
        make_trace(1, name="plan_trip", kind="agent", session_id="thread-42", user_id="u7"),
        make_part(2, parent=1, trace=trace_id(1), name="Get_Weather", status="error"),
        make_trace(2, kind="llm", model="gpt-4o-mini-2024-07-18", request_model="gpt-4o-mini", session_id="thread-43",
                   input=conversation(user("the needle in the haystack"))),
        make_trace(3, name="get_weather", kind="tool", status="error", session_id="a,b c", user_id="o'neil"),
        make_trace(4, name="100%_[x]?*", kind="llm", model="claude", session_id='say "hi"', start_ns=T0 + HOUR),
        make_trace(5, name=None),
        make_started(1, trace=trace_id(6), name="slow"),
    )  # fmt: skip


def traces(path: Path, text: str, now_ns: int = NOW) -> set[int]:
    with open_reader(path, now_ns=lambda: T0) as reader:
        return {int(row.trace_id, 16) for row in reader.traces(parse(text, now_ns))}


def spans(path: Path, text: str) -> set[tuple[int, int]]:
    with open_reader(path, now_ns=lambda: T0) as reader:
        return {(int(row.trace_id, 16), int(row.span_id, 16)) for row in reader.spans(parse(text, NOW))}


def sessions(path: Path, text: str) -> set[str]:
    with open_reader(path, now_ns=lambda: T0) as reader:
        return {row.session_id for row in reader.sessions(parse(text, NOW))}


ALL = {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ALL),
        ("status:error", {3}),
        ("status:ok", {1, 2, 4, 5}),
        ("status:running", {6}),
        ("status:running,error", {3, 6}),
        ("-status:ok", {3, 6}),
        ("status:ERROR", {3}),
        ("status:*n*", {6}),
        ("kind:tool", {3}),
        ("kind:agent,llm", {1, 2, 4}),
        ("-kind:span", {2, 3, 4}),
        ("model:gpt-4o-mini", {2}),
        ("model:gpt-4o-mini-2024-07-18", {2}),
        ("model:gpt-4o*", {2}),
        ("model:*", {2, 4}),
        ("-model:*", {1, 3, 5, 6}),
        ("model:claude,gpt-4o*", {2, 4}),
        ("model:GPT-4o", set()),
        ("name:get_weather", {1, 3}),
        ("name:GET_weather", {1, 3}),
        ("name:GET_w*", {1, 3}),
        ("name:get-weather", set()),
        ("-name:get_weather", {2, 4, 5, 6}),
        ("name:100%_[x]?*", {4}),
        ("name:*[x]*", {4}),
        ("name:*?*", {4}),
        ("name:1??%*", set()),
        ("session:thread-42", {1}),
        ("session:thread-*", {1, 2}),
        ("session:thread-4_", set()),
        ('session:"a,b c"', {3}),
        ('session:thread-42,"a,b c"', {1, 3}),
        ("-session:*", {5, 6}),
        ("-session:thread-42", {2, 3, 4, 5, 6}),
        ("user:u7", {1}),
        ("user:o'neil", {3}),
        ("-user:u7", {2, 3, 4, 5, 6}),
        ("since:1h", {4}),
        ("since:1.5h", {4}),
        ("since:3h", ALL),
        ("-since:1h", {1, 2, 3, 5, 6}),
        ("needle", {2}),
        ('"the needle"', {2}),
        ("-needle", {1, 3, 4, 5, 6}),
        ("need*", {2}),
        ("needle haystack", {2}),
        ("needle elsewhere", set()),
        ("get_weather status:error", {3}),
        ("kind:llm -model:claude since:3h needle", {2}),
        ("  kind:llm\t-model:claude\n", {2}),
        ("KIND:llm", {2, 4}),
    ],
)
def test_a_filter_finds_these_traces(path: Path, text: str, found: set[int]) -> None:
    assert traces(path, text) == found
    with open_reader(path, now_ns=lambda: T0) as reader:
        assert reader.totals(parse(text, NOW)).traces == len(found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("status:error", {(1, 2), (3, 1)}),
        ("status:running", {(6, 1)}),
        ("kind:span", {(1, 2), (5, 1), (6, 1)}),
        ("model:gpt-4o-mini", {(2, 1)}),
        ("-model:gpt-4o*", {(1, 1), (1, 2), (3, 1), (4, 1), (5, 1), (6, 1)}),
        ("name:get_weather", {(1, 2), (3, 1)}),
        ("session:thread-42", {(1, 1)}),
        ("user:u7", {(1, 1)}),
        ("since:1h", {(4, 1)}),
        ("needle", {(2, 1)}),
        ("-needle kind:llm", {(4, 1)}),
    ],
)
def test_a_filter_finds_these_spans(path: Path, text: str, found: set[tuple[int, int]]) -> None:
    assert spans(path, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("status:error", {"a,b c"}),
        ("session:thread-*", {"thread-42", "thread-43"}),
        ("model:gpt-4o*", {"thread-43"}),
        ("name:get_weather", {"thread-42", "a,b c"}),
        ("since:1h", {'say "hi"'}),
        ("user:u7", {"thread-42"}),
        ("-user:*", {"thread-43", 'say "hi"'}),
        ("needle", {"thread-43"}),
        ("kind:guardrail", set()),
    ],
)
def test_a_filter_finds_these_sessions(path: Path, text: str, found: set[str]) -> None:
    assert sessions(path, text) == found


def test_a_moment_may_be_an_age_or_a_date() -> None:
    at = 1_795_000_000_000_000_000  # 2026-11-18T11:06:40Z
    for text, expected in {
        "90s": at - 90 * 10**9, "5m": at - 300 * 10**9, "2d": at - 2 * 86400 * 10**9, "1w": at - 7 * 86400 * 10**9,
        "0s": at, "2026-11-18T11:06:40Z": at, "2026-11-18T12:06:40+01:00": at, "2026-11-18": at - 40_000 * 10**9,
        "2026-11-18T11:06:40.000001": at + 1000, "1969-12-31": -86400 * 10**9, "9999999w": None,
    }.items():  # fmt: skip
        if expected is None:
            with pytest.raises(FilterError, match="no moment"):
                parse(f"since:{text}", at)
        else:
            assert parse(f"since:{text}", at) == Filter((Term("since", (str(expected),)),)), text


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("kind:llm colour:red", 9, "there is no key 'colour'"),
        ("staus:error", 0, "did you mean status:?"),
        ("color:>5", 0, "the keys are status: kind:"),
        ("duration:>2s", 0, "did you mean latency:?"),
        ("metadata.tier:x", 0, "did you mean meta.NAME:?"),
        ("latency:>2", 8, "did you mean 2s or 2ms?"),
        ("latency:>2s,fast", 12, "is no duration"),
        ("cost:>five", 5, "no sum of US dollars"),
        ("cost:>1e99", 5, "no sum of US dollars"),
        ("tokens:>many", 7, "is no number"),
        ("tokens:>", 7, "> wants a value right after it"),
        ("tokens:..", 7, ".. wants a value"),
        ("has:wings", 4, "is no thing that has: looks for"),
        ("has:replays", 4, "did you mean replay?"),
        ("meta.:x", 0, "wants a name before the colon"),
        ("meta:x", 0, "wants a name before the colon"),
        ("kind:llm any: x", 13, "wants a term right after the colon"),
        ("any:root:name:x", 0, "cannot hold another any: or root:"),
        ("any:(a or -root:name:x)", 0, "cannot hold another any: or root:"),
        ("a (b or c", 2, "this ( is never closed"),
        ("a )b", 2, "this ) closes nothing"),
        ("a ()", 3, "nothing between these parentheses"),
        ("or b", 0, "or wants a term before it"),
        ("a or", 2, "or wants a term after it"),
        ("(a or ) b", 3, "or wants a term after it"),
        ("a and", 2, "and wants a term after it"),
        ("(" * 41 + "a" + ")" * 41, 40, "40 deep at most"),
        ("view:slow", 0, "there is no view 'slow'; none is saved yet"),
        ("-modle:x", 1, "did you mean model:?"),
        ("status:", 7, "wants a value"),
        ("status: ok", 7, "wants a value"),
        ("status:,", 7, "wants a value"),
        ("a status:eror", 9, "did you mean error?"),
        ("kind:teapot", 5, "it is one of agent, llm"),
        ("since:yesterday", 6, "is no moment"),
        ("since:1h,2h", 6, "takes one moment"),
        ("since:-1h", 6, "is no moment"),
        ("since:9999999999999999999999999999w", 6, "is no moment"),
        ('name:"open', 5, "never closed"),
        ('one "open', 4, "never closed"),
        ('a ""', 2, "nothing between these quotes"),
        ('"  "', 0, "nothing between these quotes"),
        ("x" * (MAX_CHARS + 1), MAX_CHARS, "may have 10000 characters"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_an_error_points_at_its_column(text: str, column: int, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text, NOW)
    assert said in str(caught.value)
    assert (caught.value.column, caught.value.text) == (column, text)


@pytest.mark.parametrize("key", KEYS)
def test_the_examples_in_the_messages_can_be_typed(key: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(f"{key}:", NOW)
    assert len(parse_with(str(caught.value).rpartition("like ")[2], NOW, {"slow": "latency:>2s"}).terms) == 1


def test_every_kind_and_status_can_be_asked_for(path: Path) -> None:
    for text in [*(f"kind:{kind}" for kind in KINDS), *(f"status:{status}" for status in STATUSES)]:
        assert traces(path, text) <= ALL


HOSTILE = [
    "'", "''", "';", "'; drop table spans; --", '\\"', "%", "_", "%%", "?", "??", "[", "]", "[]", "[a-z]", "[^x]",
    "]]", "*", "**", "***", "*a*b*c*", "\\", "\\*", ":f0", ":x", "@x", "$x", "?1", "\x00", "\x00x", "\x1b[31m",
    "\ud800", "\udcff", "🙂", "日本", "(", ")", "a)", "or", "1=1", "--", "/*", "null", "NULL", "\u202e", "{}", "f0",
    "x" * 4000, "*" * 300 + "y", "[" * 300, "0", "-1", "9" * 400,
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_a_hostile_value_finds_nothing_it_does_not_name_and_breaks_nothing(path: Path, value: str) -> None:
    stars = set(value) == {"*"}
    for key in ("model", "name", "session", "user"):
        for text in (f'{key}:"{value}"', f'-{key}:"{value}"'):
            if '"' in value:
                text = text.replace('"', "")
            where = parse(text, NOW)
            with open_reader(path, now_ns=lambda: T0) as reader:
                found = reader.traces(where)
                assert bool(found) == (stars or text.startswith("-")) or "*" in value
                reader.spans(where)
                reader.sessions(where)
                reader.totals(where)
                reader.search("needle", where)
    assert len(traces(path, "")) == 6


@pytest.mark.parametrize("value", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_a_hostile_name_is_found_by_itself_alone(tmp_path: Path, value: str) -> None:
    from collector.store.sound import sound_text

    name = value if '"' not in value else value.replace('"', "")
    file = write(tmp_path / "t.db", make_trace(1, name=name, session_id=name), make_trace(2, name="other"))
    with open_reader(file) as reader:
        assert reader.trace(trace_id(1)).name == sound_text(name)
        for key in ("name", "session"):
            rows = reader.traces(parse(f'{key}:"{name}"', NOW))
            assert trace_id(1) in {row.trace_id for row in rows}
            if "*" not in name:
                assert len(rows) == 1


def test_ten_thousand_characters_of_filter_are_answered(path: Path) -> None:
    many = " ".join(f"-name:n{n}" for n in range(900))
    listed = "session:" + ",".join(f"s{n}" for n in range(1600))
    globs = "name:" + ",".join(f"*{n}*" for n in range(900))
    for text in (many, listed, globs, "word " * 2000, '"' + "x" * 9998 + '"', "model:" + "*a" * 4000):
        assert len(text) <= MAX_CHARS
        assert traces(path, text) <= ALL
        assert spans(path, text) is not None
        assert sessions(path, text) is not None


def test_a_term_keeps_its_column_and_a_filter_is_a_value() -> None:
    assert parse("kind:llm  -needle", NOW) == Filter((Term("kind", ("llm",)), Term("text", ("needle",), True, 10)))
    assert not Filter()
    assert hash(parse("kind:llm", NOW)) == hash(parse("kind:llm", NOW))
