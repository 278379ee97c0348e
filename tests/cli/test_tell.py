"""A trace as text: trees, conversations, and nothing that a terminal could obey."""

from __future__ import annotations

from collector.model import Content, Message, Tool, Usage
from tests.cli.rows import SPAN_ID, START, make_detail, make_span_row, make_trace_row
from tracetui.cli import tell

HOSTILE = ["[/red] done", "list[int]", "[@click=app.quit]", "\x1b[31mred\x1b]0;title\x07", "a\r\nb\u202e"]


def said(role: str, text: str) -> Message:
    return Message(role, ({"type": "text", "text": text},))


def test_a_tree_is_drawn_with_its_branches_and_its_ghost():
    rows = {name: make_span_row(name=name, kind="span", input_tokens=None, output_tokens=None, cost_nanousd=None,
                                model=None) for name in "abcde"}  # fmt: skip
    nodes = [(0, rows["a"], "1"), (1, rows["b"], "2"), (2, rows["c"], "3"), (1, None, "4"), (2, rows["d"], "5")]
    assert tell.tree_lines([*nodes, (0, rows["e"], "6")]) == [
        "· a  1.0ms",
        "├── · b  1.0ms",
        "│   └── · c  1.0ms",
        "└── ◌ (span 4 has not come)",
        "    └── · d  1.0ms",
        "· e  1.0ms",
    ]


def test_a_tree_as_deep_as_it_is_long_is_drawn_without_recursion():
    assert len(tell.tree_lines((depth, None, "x") for depth in range(2000))) == 2000


def test_the_heading_says_what_it_cost_and_what_has_no_price():
    row = make_trace_row(usage=Usage(input_tokens=10), cost_nanousd=1_500_000, unpriced_calls=2)
    assert tell.heading(row) == (
        "✔ weather_agent  thread-42  user-7  prod  1.0ms  1 LLM  0 tool  10 tok  $0.0015 +2 unpriced"
    )


def test_a_conversation_says_every_message_once():
    history = (said("user", "Hi"),)
    one = make_detail(input=Content(history), output=Content((said("assistant", "Hello"),)))
    two = make_detail(
        make_span_row(span_id="b" * 16),
        input=Content((*history, said("assistant", "Hello"), said("user", "Bye"))),
    )
    line = tell.span_line(one.row)
    assert list(tell.conversation_lines([one, two])) == [
        line,
        "  user       Hi",
        "  assistant  Hello",
        "",
        line,
        "  (2 earlier messages)",
        "  user       Bye",
        "",
    ]


def test_every_kind_of_part_has_a_line():
    parts = (
        {"type": "reasoning", "text": "hm"},
        {"type": "tool_call", "id": "1", "name": "f", "arguments": {"city": "दिल्ली"}},
        {"type": "tool_result", "id": "1", "result": {"ok": True}},
        {"type": "image", "mime_type": "image/png", "data": "A" * 9000},
        {"type": "data", "data": 1},
    )
    lines = list(tell.message_lines(Message("assistant", parts)))
    assert [line[13:] for line in lines] == [
        "(reasoning) hm",
        '⚒ f({"city": "दिल्ली"})',
        '→ {"ok": true}',
        '[image] {"mime_type": "image/png"}',
        '[data] {"type": "data", "data": 1}',
    ]


def test_foreign_text_cannot_move_the_cursor():
    for text in HOSTILE:
        detail = make_detail(
            make_span_row(name=text, status="error", status_message=text, tool_name=text),
            input=Content((said(text, text),), None),
            output=Content((), text),
            tool=Tool(text, "1", {text: text}, text),
            attributes={text: text},
            notes=(text,),
        )
        lines = [*tell.span_lines(detail), *tell.conversation_lines([detail]), tell.heading(make_trace_row(name=text))]
        lines += tell.tree_lines([(0, detail.row, SPAN_ID), (1, None, text)])
        assert all(line.isprintable() or not line for line in lines)


def test_a_span_tells_its_facts():
    lines = list(tell.span_lines(make_detail(make_span_row(start_ns=START))))
    assert lines[0] == "✦ chat gpt-4o  1.0ms  12 tok  $0.0015"
    assert "  user  user-7" in lines
