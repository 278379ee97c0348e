"""Search finds what was said, in any script, newest first, and never fails on what is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collector.model import Content, Event, Message, Reading, SpanPart, Tool
from collector.store import open_reader
from collector.store.filters import parse, words_and_rest
from collector.store.rows import SearchHit
from collector.store.search import spelt
from tests.builders import MS, T0, assistant, conversation, make_llm, make_part, span_id, trace_id, user
from tests.store_read.files import make_trace, write


def said(n: int, text: str, **fields: Any) -> SpanPart:
    """Trace n, in which a user said this."""
    return make_trace(n, kind="llm", input=conversation(user(text)), **fields)


def search(path: Path, text: str, where: str = "", limit: int = 100) -> list[SearchHit]:
    with open_reader(path) as reader:
        return reader.search(text, parse(where, T0) if where else None, limit=limit)


def found(path: Path, text: str, where: str = "") -> list[int]:
    """The numbers of the traces found, in the order found."""
    return [int(hit.trace_id, 16) for hit in search(path, text, where)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(
        tmp_path_factory.mktemp("search") / "traces.db",
        said(1, "the quick brown fox jumps"),
        said(2, "the brown quick fox, C++ and user_id=54321, it's 100% e-mail@example.com"),
        said(3, "請問今天的天氣如何？我想知道台北的天氣。"),
        said(4, "สวัสดีครับ วันนี้อากาศเป็นอย่างไร"),
        said(5, "オーダー番号は７８９です。カタカナとひらがな"),
        said(6, "안녕하세요 주문번호가 무엇입니까"),
        said(7, "Привет, как дела? Ёлка"),
        said(8, "مرحبا كيف حالك"),
        said(9, "Crème brûlée in München"),
        said(10, "ok"),
        said(11, "family 👨‍👩‍👧 and 🙂 smile"),
    )


@pytest.mark.parametrize(
    ("asked", "hits"),
    [
        ("fox", [2, 1]),
        ("FOX", [2, 1]),
        ("fox quick", [2, 1]),
        ('"quick brown"', [1]),
        ('"brown quick"', [2]),
        ('"quick brown" jumps', [1]),
        ("jum*", [1]),
        ("jum", []),
        ("qui* bro*", [2, 1]),
        ("c++", [2]),
        ("user_id=54321", [2]),
        ("54321", [2]),
        ("e-mail", [2]),
        ("it's", [2]),
        ("100%", [2]),
        ("brulee", [9]),
        ("münchen", [9]),
        ("привет", [7]),
        ("مرحبا", [8]),
        ("ok", [10]),
        ("nothing of the kind", []),
    ],
)
def test_words_phrases_and_prefixes_are_found(path: Path, asked: str, hits: list[int]) -> None:
    assert found(path, asked) == hits


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("請問今天的天氣如何", [3]),
        ("สวัสดีครับ", [4]),
        ("วันนี้อากาศเป็นอย่างไร", [4]),
        ("オーダー番号は", [5]),
        ("カタカナとひらがな", [5]),
        ("주문번호가", [6]),
    ],
)
def test_every_substring_of_a_script_without_spaces_is_found(path: Path, text: str, hits: list[int]) -> None:
    with open_reader(path) as reader:
        for start in range(len(text)):
            for end in range(start + 1, len(text) + 1):
                asked = text[start:end]
                numbers = [int(hit.trace_id, 16) for hit in reader.search(asked)]
                assert set(hits) <= set(numbers), asked
        assert reader.search("雷雨") == []
        assert reader.search("氣天") == []


def test_a_tone_mark_tells_two_words_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", said(1, "ใกล้มาก"), said(2, "ไกลมาก"), said(3, "ใกลมาก"))
    assert found(path, "ใกล้") == [1]
    assert found(path, "มาก") == [3, 2, 1]


GARBAGE = [
    "", " ", '"', '""', '"""', "'", "''", "%", "_", "*", "**", "* *", "-", "--", "(", ")", "()", "AND", "OR", "NOT",
    "NEAR", "a AND", "NOT a", "a OR",
    "NEAR(a b, 5)", "text:fox", "{text}: fox", "^fox", "fox^", "a + b", "fox)", "(fox",
    '"fox', 'fox"', '"fox" "', "fox''; drop table spans; --", "\\", "\x00", "fox\x00", "\ud800", "🙂", "👨‍👩‍👧", "。",
    "？*", "ก*", "\u0e33", "\u200b", "a" * 5000,
    "x " * 2000, '"' * 999, "*" * 999, "fox*bar", "**fox", "fox**", '"fox*"', "-fox",
    "\n\t", "column:*",
    "<>!@#$%^&()[]{}|;:,.?/~`", "\u0301", "\ufdd0", "\U0001f3fb", "ﷺ", "\u202e", "½", "①", "_a_", "a_b*",
]  # fmt: skip


@pytest.mark.parametrize("asked", GARBAGE, ids=lambda text: ascii(text)[:24])
def test_whatever_is_typed_search_does_not_fail(path: Path, asked: str) -> None:
    for hit in search(path, asked):
        assert all(0 <= start < end <= len(hit.snippet) for start, end in hit.marks)


def test_operators_are_words_like_any_other(path: Path) -> None:
    assert found(path, "C++ AND user_id") == [2]
    assert found(path, "fox OR ok") == []
    assert found(path, "NOT fox") == []
    assert found(path, "text:fox") == []


def test_emoji_are_found(path: Path) -> None:
    assert found(path, "smile 🙂") == [11]
    assert found(path, "🙂") == [11]
    assert found(path, '"🙂 smile"') == [11]
    assert found(path, "👧") == [11]
    assert found(path, "👨‍👩‍👧") == [11]
    assert found(path, "👨👧") == []
    assert found(path, "🙃") == []


def test_symbols_are_found_wherever_they_stand(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.db",
        said(1, "done✅ and 👍🏽"),
        said(2, "✅done ❤️ 20°C → 5€ 🫠"),
        said(3, "done, and 🇩🇪 H₂O ≥ 3 ™"),
    )
    for asked, hits in {
        "✅": [2, 1], '"done ✅"': [1], "done✅": [1], "✅done": [2], "done ✅": [2, 1], "👍": [1], "👍🏽": [1],
        "👍🏿": [], "❤": [2], "❤️": [2], "🫠": [2], "→": [2], "€": [2], "5€": [2], "°C": [2], "20°": [2], "≥": [3],
        "™": [3], "🇩🇪": [3], "🇩🇰": [], "✔": [], "done —": [3, 2, 1], "done": [3, 2, 1], "✅ done 👍": [1],
    }.items():  # fmt: skip
        assert found(path, asked) == hits, asked


def test_symbols_are_marked_where_they_were_found(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", said(1, "all done✅✅ now ≠"))
    for asked, marked in {
        "✅": ["✅", "✅"], "done✅": ["done✅"], '"done ✅"': ["done✅"], "now ✅": ["✅", "✅", "now"],
        "≠": ["≠"],
    }.items():  # fmt: skip
        (hit,) = search(path, asked)
        assert [hit.snippet[start:end] for start, end in hit.marks] == marked, asked


def test_hits_come_newest_first_and_each_span_once(tmp_path: Path) -> None:
    parts = [
        make_llm(n, trace=trace_id(n), start_ns=T0 + when * MS,
                 reading={"input": conversation(user(f"first {n} needle"), user(f"second {n} needle"))})
        for n, when in ((1, 20), (2, 30), (3, 10))
    ]  # fmt: skip
    path = write(tmp_path / "t.db", *parts)
    assert found(path, "needle") == [2, 1, 3]
    assert [int(hit.trace_id, 16) for hit in search(path, "needle", limit=2)] == [2, 1]


def test_the_newest_hits_are_found_among_many_resent_and_old_ones(tmp_path: Path) -> None:
    many = [said(n, f"needle number {n}", start_ns=T0 + n * MS) for n in range(1, 301)]
    path = write(tmp_path / "t.db", *many)
    assert found(path, "needle")[:3] == [300, 299, 298]
    assert [hit.start_ns for hit in search(path, "needle", limit=5)] == [T0 + n * MS for n in range(300, 295, -1)]


def test_a_filter_holds_however_many_newer_hits_it_leaves_out(tmp_path: Path) -> None:
    old = said(1, "needle old", session_id="mine")
    path = write(tmp_path / "t.db", old, *(said(n, f"needle {n}", session_id="theirs") for n in range(2, 400)))
    with open_reader(path) as reader:
        hits = reader.search("needle", parse("session:mine", T0), limit=3)
    assert [int(hit.trace_id, 16) for hit in hits] == [1]


def test_names_errors_tool_arguments_results_values_and_attributes_are_found(tmp_path: Path) -> None:
    parts = [
        make_trace(1, name="unusual_span_name"),
        make_trace(2, status="error", status_message="connection refused by the warehouse"),
        make_trace(3, kind="tool", tool=Tool("get_order", "c", {"order": "argument-gemstone"}, "result-meadow")),
        make_trace(4, input=Content(value={"question": "input-lantern"}), output=Content(value="output-harbour")),
        make_trace(5, attributes={"custom.note": "attribute-thistle" + " and so on" * 6}),
        make_trace(6, kind="llm", output=Content(messages=(Message("assistant", (
            {"type": "tool_call", "id": "x", "name": "lookup", "arguments": {"key": "call-pebble"}},)),))),
        make_trace(7, events=(Event(T0, "exception", {
            "exception.stacktrace": "Traceback (most recent call last):\n  File shop.py, in x\nWarehouseFire: all gone"
        }),)),
        make_trace(8, kind="llm", system=(Message("system", ({"type": "text", "text": "system-orchard rules"},)),)),
    ]  # fmt: skip
    path = write(tmp_path / "t.db", *parts)
    asked = {
        "unusual_span_name": 1, "refused": 2, "argument-gemstone": 3, "result-meadow": 3, "input-lantern": 4,
        "output-harbour": 4, "thistle": 5, "call-pebble": 6, "warehousefire": 7, "system-orchard": 8,
    }  # fmt: skip
    assert {text: found(path, text) for text in asked} == {text: [n] for text, n in asked.items()}


def test_a_resent_history_is_a_hit_where_it_was_said_and_not_on_every_turn(tmp_path: Path) -> None:
    history = [user("my needle is lost")]
    parts = []
    for n in range(1, 31):
        parts.append(
            make_llm(n, reading={"input": conversation(*history), "output": conversation(assistant(f"no {n}"))})
        )
        history += [assistant(f"no {n}"), user(f"look again, {n}")]
    path = write(tmp_path / "t.db", *parts)
    assert [hit.span_id for hit in search(path, "needle")] == [span_id(1)]
    assert [hit.span_id for hit in search(path, '"again 7"')] == [span_id(8)]


def test_a_text_said_twice_is_found_in_both_places(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", said(1, "the same needle"), said(2, "the same needle"))
    assert found(path, "needle") == [2, 1]


def test_a_snippet_is_one_line_around_the_hit_with_the_hit_marked(tmp_path: Path) -> None:
    text = "before\n" * 50 + "the NEEDLE,\tfound " + "after\r\n" * 50
    (hit,) = search(write(tmp_path / "t.db", said(1, text)), "needle")
    assert (hit.name, hit.kind, hit.start_ns) == ("span 1", "llm", T0 + MS)
    assert len(hit.snippet) <= 120
    assert hit.snippet.isprintable()
    assert [hit.snippet[a:b] for a, b in hit.marks] == ["NEEDLE"]


def test_a_prefix_and_a_folded_accent_are_marked(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", said(1, "Crème brûlée for everyone"))
    (hit,) = search(path, "brul* every*")
    assert [hit.snippet[a:b] for a, b in hit.marks] == ["brûl", "every"]


def test_a_text_is_found_only_once_full_text_has_caught_up(tmp_path: Path) -> None:
    from collector.ingest import Ingest
    from collector.model import Batch
    from collector.settings import Settings

    path = tmp_path / "t.db"
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.write(Batch("test", parts=(said(1, "needle"),)))
        assert found(path, "needle") == []
        ingest.flush()
        assert found(path, "needle") == [1]


def test_searching_reads_no_table_from_end_to_end(path: Path) -> None:
    from tests.store_read.files import Plans

    with open_reader(path) as reader:
        plans = Plans(reader)
        assert reader.search("fox", limit=5) != []
        assert reader.search("fox", parse("status:ok session:s since:1h kind:llm", T0), limit=5) == []
        assert plans.scans() == []


def test_an_empty_reading_is_searched_without_harm(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", make_part(reading=Reading(kind="llm")))
    assert found(path, "anything") == []


def test_a_page_of_a_short_beginning_is_had_from_the_newest_texts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from collector.store import find

    whole = search(path, "f*", limit=2)
    assert len(whole) == 2
    with monkeypatch.context() as without:
        without.setattr(find, "NEW", 0)
        assert search(path, "f*", limit=2) == whole
    monkeypatch.setattr(find, "MATCHES", "no statement")
    assert search(path, "f*", limit=2) == whole


@pytest.mark.parametrize(
    ("asked", "hits"),
    [
        ("fox or ok", [10, 2, 1]),
        ("fox or ok or 54321", [10, 2, 1]),
        ("quick (fox or ok)", [2, 1]),
        ('"quick brown" or münchen', [9, 1]),
        ("(fox or ok) (quick or nothing)", [2, 1]),
    ],
)
def test_either_of_several_words_is_searched_for(path: Path, asked: str, hits: list[int]) -> None:
    words, _ = words_and_rest(parse(asked, T0))
    assert found(path, words) == hits
    assert spelt(words).split() == asked.replace("(", "").replace(")", "").split()


def test_what_else_a_filter_asks_is_no_word() -> None:
    words, rest = words_and_rest(parse("fox (kind:llm or ok) -(a or b) -c kind:tool", T0))
    assert words == "fox"
    assert len(rest.terms) == 4
