"""Sheets, changes, estimates and word by word comparison: pure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model import Usage
from collector.pricing import Prices
from collector.replay import ReplayError, draft_of, edited, estimate, from_sheet, to_sheet
from collector.replay.words import MOST_WORDS, compared
from collector.settings import Settings
from tests.builders import T0 as BUILT
from tests.builders import conversation, user
from tests.replay.recorded import recorded

TEXT = st.text(max_size=40) | st.sampled_from(
    ["#: user", "\\#: user", "\\\\#: x", "\n", " a ", "\x1b[2J", "12", "null"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=5,
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "odd role"]), "content": TEXT | VALUES},
    optional={"tool_calls": VALUES, "name": TEXT},
)
BODIES = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["gpt-4o-mini", "org/model:free"]),
        "messages": st.lists(MESSAGES, min_size=1, max_size=4),
    },
    optional={
        "tools": st.lists(VALUES, min_size=1, max_size=2), "temperature": st.floats(0, 2),
        "stop": TEXT | st.lists(TEXT),
        "response_format": VALUES, "tool_choice": st.sampled_from(["auto", "none", "1", "true", ""]),
    },
)  # fmt: skip


@given(BODIES)
def test_a_sheet_reads_back_as_the_same_request(body: dict[str, Any]) -> None:
    assert json.dumps(from_sheet(to_sheet(body), "openai"), sort_keys=True) == json.dumps(body, sort_keys=True)


@given(BODIES, TEXT.filter(bool))
def test_a_sheet_of_anthropics_keeps_its_system_apart(body: dict[str, Any], system: str) -> None:
    said = [message for message in body["messages"] if message["role"] != "system"] or [
        {"role": "user", "content": "x"}
    ]
    asked = {**body, "messages": said, "system": system, "max_tokens": 10}
    assert from_sheet(to_sheet(asked), "anthropic") == asked


@given(BODIES)
def test_no_sheet_holds_a_character_that_a_terminal_would_obey(body: dict[str, Any]) -> None:
    assert all(char.isprintable() or char == "\n" for char in to_sheet(body).replace("\t", ""))


def test_a_sheet_is_pleasant_to_read() -> None:
    body = {
        "model": "gpt-4o-mini", "temperature": 0.2, "stop": ["END"],
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello\nthere"}],
    }  # fmt: skip
    assert to_sheet(body) == (
        '#: model gpt-4o-mini\n#: temperature 0.2\n#: stop ["END"]\n\n#: system\nBe brief.\n\n#: user\nHello\nthere\n'
    )


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        ("", "no model is named"),
        ("#: model x\n", "there is no message"),
        ("hello\n#: model x", "line 1: text before the first part"),
        ("#: model x\n#: \n", "line 2: .* opens a part"),
        ("#: model x\n#: user json\n{oops", "line 3: this is no JSON"),
        ("#: model x\n#: tools\n{}", "line 2: tools are a JSON list"),
        ("#: model x\n#: temperature 1\nmore\n#: user\nx", "line 3: temperature takes its value on its own line"),
        ("#: model x\n#: message\n[]", "line 2: a message is a JSON object with a role"),
        ("#: model x\n#: user text\nx", "line 2: user is followed by its text below"),
        ("#: model x\n#: two-words 1\n#: user\nx", "line 2: 'two-words' is neither a role nor a parameter"),
    ],
)
def test_a_sheet_that_cannot_be_read_is_told_by_its_line(sheet: str, said: str) -> None:
    with pytest.raises(ReplayError, match=said):
        from_sheet(sheet, "openai")


def test_changes_are_json_or_text_and_null_takes_away(tmp_path: Path) -> None:
    draft = edited(
        draft_of(recorded(tmp_path / "t.db")), None, {"temperature": "null", "stop": '["a"]', "user": "me", "n": "2"}
    )
    body = draft.call.body
    assert "temperature" not in body
    assert (body["stop"], body["user"], body["n"], body["model"]) == (["a"], "me", 2, "gpt-4o-mini")
    with pytest.raises(ReplayError, match="'messages' is no parameter to set; --edit"):
        edited(draft, None, {"messages": "[]"})


def test_an_embedding_is_not_replayed_and_another_way_named(tmp_path: Path) -> None:
    from collector.model import Content

    span = recorded(tmp_path / "t.db", kind="embedding", operation="embeddings", input=Content(value="a text"))
    with pytest.raises(ReplayError, match=r"only chats are replayed; `y` copies it as curl or Python"):
        draft_of(span)


@pytest.mark.parametrize(
    ("settings", "asked"),
    [(Settings(redact="pii"), "Write to ann@example.com"), (Settings(max_part_bytes=100), "word " * 200),
     (Settings(), "the key is sk-proj-" + "k3Y9" * 12)],
    ids=["redacted", "clipped", "a key"],
)  # fmt: skip
def test_what_ingest_took_away_is_a_doubt(tmp_path: Path, settings: Settings, asked: str) -> None:
    (doubt,) = draft_of(recorded(tmp_path / "t.db", settings=settings, input=conversation(user(asked)))).call.doubts
    assert doubt.startswith("Some of it was redacted or cut")
    assert draft_of(recorded(tmp_path / "whole.db")).call.doubts == ()


def test_an_estimate_goes_by_what_the_recorded_call_took(tmp_path: Path) -> None:
    prices = Prices()
    draft = draft_of(recorded(tmp_path / "t.db", usage=Usage(1_000, 60)))
    assert estimate(draft, prices, BUILT).input_tokens == 1_000
    body = draft.call.body
    twice = edited(draft, None, {"max_tokens": "50"})
    twice.call.body["messages"] = [*body["messages"], *body["messages"]]
    told = estimate(twice, prices, BUILT)
    assert told.input_tokens == 2_000
    assert told.output_tokens == 50  # no more than is asked for
    assert told.cost_nanousd == prices.cost("openai", "gpt-4o-mini", Usage(2_000, 50), BUILT)
    other = estimate(draft_of(recorded(tmp_path / "g.db", "groq", "llama-3.3-70b-versatile")), prices, BUILT)
    assert other.cost_nanousd == prices.cost("groq", "llama-3.3-70b-versatile", Usage(11, 6), BUILT) is not None
    unknown = estimate(draft_of(recorded(tmp_path / "u.db", model="my-own", usage=None)), prices, BUILT)
    assert unknown.cost_nanousd is None
    assert unknown.input_tokens > 0


@given(TEXT, TEXT)
def test_a_comparison_holds_both_texts(before: str, after: str) -> None:
    pieces = compared(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == after


def test_a_comparison_goes_word_by_word() -> None:
    assert [tuple(piece) for piece in compared("It is on its way.", "It was on its way!")] == [
        ("same", "It "), ("gone", "is"), ("new", "was"), ("same", " on its way"), ("gone", "."), ("new", "!"),
    ]  # fmt: skip


def test_long_answers_are_compared_line_by_line_and_longer_ones_not_at_all() -> None:
    lines = "".join(f"line {n}\n" for n in range(1_000))
    pieces = compared(lines, lines.replace("line 500\n", "another\n"))
    assert [piece.text for piece in pieces if piece.kind != "same"] == ["line 500\n", "another\n"]
    many = "a\n" * MOST_WORDS
    assert [piece.kind for piece in compared(many, many + "b")] == ["gone", "new"]
