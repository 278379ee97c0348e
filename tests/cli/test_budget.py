"""Answers cut to a number of tokens."""

from __future__ import annotations

import itertools
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tracetui.cli import budget_lines, rooms
from tracetui.cli.budget import LEFT_OUT, SLACK, fit_json
from tracetui.cli.budget_lines import fit_lines
from tracetui.cli.rooms import CHARS, Written

TEXTS = st.text(max_size=40) | st.builds(lambda piece, n: piece * n, st.text(max_size=8), st.integers(0, 400))
SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.sampled_from("trace_id span_id spans messages parts text value attributes input status left_out".split())
DOCUMENTS = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(KEYS | st.text(max_size=90), inner, max_size=8),
    max_leaves=20,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(DOCUMENTS, max_size=8) | st.dictionaries(KEYS, DOCUMENTS), st.integers(1, 800), TEXTS, st.booleans())
def test_json_of_any_shape_stays_json_and_within_the_budget(document, tokens, see, ascii_only):
    written = Written(ascii_only)
    text = written.text(fit_json(document, tokens, see, written))
    assert len(text) <= (tokens + SLACK) * CHARS
    assert isinstance(json.loads(text), type(document))
    if tokens >= SLACK:
        assert len(text) <= tokens * CHARS


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, max_size=60), st.integers(1, 800), TEXTS)
def test_lines_stay_within_the_budget(lines, tokens, see):
    fitted = fit_lines(lines, tokens, see, [len(line) % 3 for line in lines])
    length = sum(len(line) + 1 for line in fitted)
    assert length <= (tokens + SLACK) * CHARS
    if tokens >= SLACK:
        assert length <= tokens * CHARS


def test_what_fits_is_left_as_it_is():
    document = {"name": None, "tags": [], "spans": [{"span_id": "1"}]}
    assert fit_json(document, 100, "more") == document
    assert fit_lines(["one", "two"], 100, "more") == ["one", "two"]


def test_a_long_text_says_how_much_is_missing_and_where_it_is():
    shown = fit_json({"trace_id": "t1", "output": "word " * 1000}, 200, "tracetui show t1 --json")
    assert shown["trace_id"] == "t1"
    head, _, rest = shown["output"].partition("…[+")
    assert int(rest.removesuffix(" characters]")) == 5000 - len(head)
    assert shown[LEFT_OUT]["see"] == "tracetui show t1 --json"
    assert shown[LEFT_OUT]["characters"] > 4000


def test_a_list_keeps_its_beginning_and_counts_the_rest():
    listed = fit_json([{"trace_id": f"{at:032x}", "name": "n" * 300} for at in range(100)], 1000, "a narrower filter")
    assert [one["trace_id"] for one in listed[:-1]] == [f"{at:032x}" for at in range(len(listed) - 1)]
    assert listed[-1][LEFT_OUT]["items"] == 100 - (len(listed) - 1)
    assert len(listed) > 8


def test_the_root_what_failed_and_the_last_call_of_a_trace_survive():
    spans = [
        {"span_id": f"{at:016x}", "parent_span_id": None if at == 0 else "0" * 16, "kind": "llm", "status": "ok",
         "input": {"value": "x" * 3000}}
        for at in range(60)
    ]  # fmt: skip
    spans[37]["status"] = "error"
    shown = fit_json({"trace_id": "t", "spans": [*spans, {LEFT_OUT: 5}]}, 600, "more")
    kept = [one["span_id"] for one in shown["spans"][:-1]]
    assert {spans[at]["span_id"] for at in (0, 37, 59)} <= set(kept)
    assert kept == sorted(kept)
    assert shown["spans"][-1] == {LEFT_OUT: 65 - len(kept)}


def test_the_last_messages_and_the_first_survive():
    messages = [{"role": "user", "parts": [{"type": "text", "text": f"{at} " + "w" * 500}]} for at in range(50)]
    shown = fit_json({"span_id": "s", "input": {"messages": messages}}, 400, "more")["input"]["messages"]
    told = [one["parts"][0]["text"].split()[0] for one in shown[:-1]]
    assert told[0] == "0"
    assert told[-2:] == ["48", "49"]


def test_raw_attributes_go_before_what_was_said_and_nulls_before_all():
    span = {"span_id": "s", "user_id": None, "attributes": {"raw": "x" * 4000}, "output": {"value": "said " * 100}}
    shown = fit_json(span, 250, "more")
    assert shown["output"] == span["output"]
    assert "user_id" not in shown
    assert len(str(shown.get("attributes", ""))) < 500


def test_a_null_in_what_was_sent_is_kept():
    span = {"span_id": "s", "tool": {"arguments": {"city": None, "days": []}}, "output": {"value": "x" * 4000}}
    assert fit_json(span, 250, "more")["tool"]["arguments"] == {"city": None, "days": []}


def test_missing_lines_are_marked_and_counted():
    lines = ["head", *(f"line {at} {'.' * 40}" for at in range(200)), "the end"]
    shown = fit_lines(lines, 200, "more with --json", [0, *([2] * 200), 1])
    assert shown[0] == "head"
    assert shown[-3:-1] == [budget_lines.GAP, "the end"]
    assert shown[-1].endswith("more with --json")
    assert f"{len(lines) - len(shown) + 2} of 202 lines" in shown[-1]


def test_a_cut_text_is_never_longer_than_its_room():
    for room, text in itertools.product(range(60), ("short", "a\x00\x1b订单" * 40)):
        plain, escaped = rooms.cut(text, room), rooms.cut(text, room, Written(ascii=True))
        assert plain is None or len(plain) <= room
        assert escaped is None or Written(ascii=True).size(escaped) <= room


def test_signals_name_a_few_of_their_spans_so_that_spans_have_room():
    spans = [{"span_id": f"{at:016x}", "parent_span_id": None, "output": {"value": "x" * 900}} for at in range(40)]
    ids = [one["span_id"] for one in spans] * 10
    shown = fit_json({"trace_id": "t", "signals": [{"signal": "retries", "spans": ids}], "spans": spans}, 1000, "more")
    assert shown["signals"][0]["spans"] == [*ids[:5], {LEFT_OUT: 395}]
    assert len(json.dumps(shown)) > 3400
