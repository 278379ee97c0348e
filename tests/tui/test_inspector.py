"""The inspector: find line, links and replays, OTLP, Markdown and code, pages of long text, pictures."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from collector.ingest import Ingest
from collector.model import Batch, Content, Event, LogRecord, Message, Rank, Reading, SpanPart
from collector.settings import Settings
from collector.store.pointers import Pointer
from tests.builders import T0, make_part, trace_id
from tracetui import format as fmt
from tracetui.screens.picture import NoPicture, PictureScreen, decode, way
from tracetui.screens.trace import TraceScreen
from tracetui.widgets import lines as laid
from tracetui.widgets import media, messages
from tracetui.widgets.details import document
from tracetui.widgets.edits import MOST as MOST_EDIT
from tracetui.widgets.edits import edited
from tracetui.widgets.finding import Finding, marked
from tracetui.widgets.lines import Document
from tracetui.widgets.markup import rendered
from tracetui.widgets.paint import ROLES

from .fakes import MS, make_detail, make_span
from .hostile import CONTROL_STRINGS, HOSTILE
from .test_hands import PICTURE, PNG, at_chat, explorer, file, tools_in  # noqa: F401 - a fixture
from .until import screen_text, shows, until


def text_of(page: Document) -> str:
    return "\n".join("".join(text for text, _ in line.parts) for line in page.lines)


def inks(text: str, role: str = "text") -> list[list[tuple[str, str]]]:
    return list(rendered(fmt.plain_lines(text), role))


# Markdown, code, diffs.


def test_markdown_is_shown_not_spelt() -> None:
    assert inks("# Title\nA **bold** `code` [site](https://a.b) *x*\n> quoted\n- item") == [
        [("# ", "quiet"), ("Title", "strong")],
        [("A ", "text"), ("bold", "strong"), (" ", "text"), ("code", "code"), (" ", "text"), ("site", "accent"),
         (" (https://a.b)", "quiet"), (" *x*", "text")],
        [("│ ", "faint"), ("quoted", "quiet")],
        [("- item", "text")],
    ]  # fmt: skip


def test_code_in_a_fence_has_colours() -> None:
    lines = inks("```python\ndef f(x):\n    return 'a'  # why\n```\nafter")
    assert lines[0] == [("```python", "quiet")]
    assert ("def", "json-word") in lines[1]
    assert ("f", "strong") in lines[1]
    assert ("a", "code-text") in lines[2]
    assert ("# why", "quiet") in lines[2]
    assert "".join(text for text, _ in lines[2]) == "    return 'a'  # why"
    assert lines[3:] == [[("```", "quiet")], [("after", "text")]]


def test_a_diff_is_green_and_red() -> None:
    diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same"
    roles = ["strong", "strong", "accent", "error", "ok", "code"]
    assert [line[0][1] for line in inks(diff)] == roles
    assert [line[0][1] for line in inks(f"```diff\n{diff}\n```")[1:-1]] == roles


@pytest.mark.parametrize("text", [*HOSTILE, *CONTROL_STRINGS, "```\x1b[31m\n\x1b]0;t\x07", "**" * 5000, "`" * 30_000,
                                  "[" * 20_000, "```py\n" + "(" * 20_000, "``` ```", "# " + "\x1b[2J"])  # fmt: skip
def test_no_text_breaks_the_markup_or_gets_through(text: str) -> None:
    for parts in inks(text):
        for said, role in parts:
            assert said.isprintable()
            assert role in ROLES


def test_every_character_of_plain_text_is_still_there() -> None:
    text = "a | b\n--|--\n1. one\n   two * three\n\n```\nx\n```\n~~~ y"
    assert "\n".join("".join(said for said, _ in parts) for parts in inks(text)) == text


# Long texts: folded, then page by page, never all at once.


def page_of(text: str, *toggled: str, whole: bool = False) -> Document:
    page = Document(80, toggled, whole)
    page.text(text, fold="t", markdown=True)
    return page


@pytest.mark.parametrize(
    "text", ["word " * 200_000, "x" * 1_000_000, "line\n" * 200_000, "日本語" * 333_000],
    ids=["words", "one word", "lines", "no spaces"],
)  # fmt: skip
def test_a_megabyte_is_laid_out_a_page_at_a_time(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0
    real = fmt.plain_lines

    def counted(said: str) -> list[str]:
        nonlocal seen
        seen += len(said)
        return real(said)

    monkeypatch.setattr(fmt, "plain_lines", counted)
    folded = page_of(text)
    assert seen <= laid.FOLDED_CHARS
    assert len(folded.lines) == laid.LONG_LINES - 3
    assert "more characters" in text_of(folded)
    seen = 0
    opened = page_of(text, "t")
    assert seen <= laid.PAGE_CHARS
    assert "more characters; enter shows the next page" in text_of(opened).splitlines()[-1]
    assert opened.lines[-1].fold == "t#2"
    assert len(page_of(text, "t", "t#2").lines) > len(opened.lines)


def test_the_last_page_ends_without_a_promise() -> None:
    text = "word " * 20_000
    assert "next page" not in text_of(page_of(text, "t", "t#2"))
    assert "next page" in text_of(page_of(text, "t"))


def test_a_long_json_is_paged_by_lines() -> None:
    page = Document(80)
    page.value([{"n": n, "text": "x" * 100} for n in range(100_000)], fold="v", opened=True)
    assert len(page.lines) == laid.PAGE_LINES + 1
    page = Document(80, {"v#2"})
    page.value(json.dumps(list(range(100_000))), fold="v", opened=True)
    assert len(page.lines) == 2 * laid.PAGE_LINES + 1
    page = Document(80)
    page.value({"leaf": "y" * 1_000_000})
    assert "980,000 more characters" in text_of(page)


def test_json_is_laid_out_as_before() -> None:
    page = Document(60)
    page.value({"a": [], "b": {"c": [{"d": 1}, None]}, "e": list(range(20))}, opened=True)
    text = text_of(page)
    assert json.loads(text) == {"a": [], "b": {"c": [{"d": 1}, None]}, "e": list(range(20))}


# Events and logs, links.


def test_events_and_logs_stand_in_order_of_time() -> None:
    row = make_span(1)
    at = row.start_ns
    detail = make_detail(
        row, events=(Event(at + 30 * MS, "third"), Event(at + 10 * MS, "first")),
        logs=(LogRecord(at + 20 * MS, "second", "said", {}, "WARN"),),
    )  # fmt: skip
    text = text_of(document(detail, 3, 80))
    assert text.index("first") < text.index("second") < text.index("said") < text.index("third")
    assert "+10ms" in text
    assert "WARN" in text


async def test_enter_on_a_link_goes_to_its_span(file: Path) -> None:  # noqa: F811
    async with explorer(file).run_test(size=(160, 40), notifications=True) as pilot:
        await at_chat(pilot)
        await pilot.press("4", "tab")
        await until(pilot, lambda: shows(pilot, "follows"))
        screen = pilot.app.screen
        assert isinstance(screen, TraceScreen)
        await until(pilot, lambda: shows(pilot, "replayed ✔ gpt-4o"))

        def goals() -> list[int]:
            return [
                n for n, line in enumerate(screen.inspector.lines) if line.here.goto and "follows " in str(line.parts)
            ]

        screen.inspector.move_to(goals()[2])
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "has no trace"))
        screen.inspector.move_to(goals()[1])
        await pilot.press("enter")
        await until(pilot, lambda: screen.waterfall.selected_id == 1)
        await pilot.press("j", "tab")
        await until(pilot, lambda: shows(pilot, "follows"))
        screen.inspector.move_to(goals()[0])
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and pilot.app.screen is not screen)
        await until(pilot, lambda: shows(pilot, "other"))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: pilot.app.screen is screen)


async def test_a_span_lists_those_that_link_to_it_and_enter_goes_there(file: Path) -> None:  # noqa: F811
    async with explorer(file).run_test(size=(160, 40)) as pilot:
        await at_chat(pilot)
        await pilot.press("k")
        await until(pilot, lambda: shows(pilot, "linked from 1"))
        await pilot.press("4", "tab")
        await until(pilot, lambda: shows(pilot, "followed by ✔ chat"))
        screen = pilot.app.screen
        assert isinstance(screen, TraceScreen)
        screen.inspector.move_to(next(n for n, line in enumerate(screen.inspector.lines) if line.here.goto))
        await pilot.press("enter")
        await until(pilot, lambda: screen.waterfall.selected_id == 2 and shows(pilot, "3 links", "follows"))


def test_many_that_link_to_a_span_end_with_a_word_on_the_rest() -> None:
    span = make_detail(make_span(1))
    many = [Pointer("link", "t", f"{n:016x}", HOSTILE[n % len(HOSTILE)], None, "ok", T0, MS, None) for n in range(20)]
    page = document(span, 3, 80, pointers=many)
    assert "linked from 20+" in text_of(page)
    assert [line.here.goto for line in page.lines if line.here.goto] == [("t", f"{n:016x}") for n in range(20)]
    assert "earlier ones" in text_of(page)
    assert not set("\x1b\x07") & set(text_of(page))


async def test_enter_on_a_replay_goes_to_what_it_replays(file: Path) -> None:  # noqa: F811
    async with explorer(file).run_test(size=(160, 40)) as pilot:
        await at_chat(pilot)
        await pilot.press("j")
        await until(pilot, lambda: shows(pilot, "replays 0000000000000002"))
        await pilot.press("tab")
        screen = pilot.app.screen
        screen.inspector.move_to(next(n for n, line in enumerate(screen.inspector.lines) if line.here.goto))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "What is this?"))


async def test_the_raw_tab_is_otlp_json(file: Path) -> None:  # noqa: F811
    async with explorer(file).run_test(size=(160, 40)) as pilot:
        await until(pilot, lambda: shows(pilot, "again"))
        await pilot.press("5")
        await until(pilot, lambda: shows(pilot, '"resourceSpans"', '"spanId": "0000000000000001"'))
        assert "resourceLogs" not in pilot.app.screen.inspector._otlp[1]


async def test_log_records_of_a_span_are_in_its_otlp(file: Path) -> None:  # noqa: F811
    said = SpanPart(
        trace_id(1), "0000000000000001", rank=Rank.UPDATE, at_ns=T0, logs=(LogRecord(T0, "greeting", "hi"),)
    )
    with Ingest(file, Settings()) as ingest:
        ingest.write(Batch("otlp-http", (said,)))
    async with explorer(file).run_test(size=(160, 70)) as pilot:
        await until(pilot, lambda: shows(pilot, "again"))
        await pilot.press("5")
        await until(pilot, lambda: "greeting" in pilot.app.screen.inspector._otlp[1])
        otlp = json.loads(pilot.app.screen.inspector._otlp[1])
        assert otlp["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["body"] == {"stringValue": "hi"}


@pytest.mark.parametrize("width", range(16, 80))
def test_no_line_of_json_begins_with_what_ends_the_line_before(width: int) -> None:
    value = {"user_id": "user-7", "session_id": "thread-42", "plan": "pro", "n": [1, 22, 333, 4444]}
    shown = [laid.wrap_parts(line, width) for line in laid.json_lines(value)]
    told = ["".join(text for text, _ in line) for lines in shown for line in lines]
    assert all(fmt.cells(line) <= width for line in told)
    begun = {line.strip() for line in told if line.strip().startswith((",", ":", "]", "}"))}
    assert not begun - {"]", "}", "],"}
    assert json.loads("".join(line.strip() for line in told)) == value


WROTE = {"file_path": "src/shop.py", "content": "def total(cart):\n    return sum(cart)  # cents\n", "mode": "w"}
PATCHED = {"patch": "--- a/shop.py\n+++ b/shop.py\n@@ -1 +1 @@\n-old\n+new", "note": "no\\nline"}


def test_texts_of_several_lines_in_arguments_are_read_as_lines() -> None:
    called = tuple({"type": "tool_call", "id": str(n), "name": "edit", "arguments": given}
                   for n, given in enumerate((WROTE, PATCHED)))  # fmt: skip
    span = make_detail(make_span(1, kind="llm"), output=Content(messages=(Message("assistant", called),)))
    page = document(span, 0, 80)
    told = [line.parts for line in page.lines]
    for whole, ink in (("def total(cart):", "json-word"), ("return sum(cart)  # cents", "quiet"), ("-old", "error"),
                       ("+new", "ok"), ("+++ b/shop.py", "strong"),
                       ('"note": "no\\\\nline"', "json-text")):  # fmt: skip
        (line,) = [parts for parts in told if "".join(text for text, _ in parts).strip(" ,") == whole]
        assert ink in {role for _, role in line}, whole
    assert "\\n" not in text_of(page).replace("no\\\\nline", "")
    exact = text_of(document(span, 1, 200, whole=True))
    assert json.dumps(WROTE["content"])[1:-1] in exact
    assert '"""' not in exact


@pytest.mark.parametrize("width", [30, 46, 60, 76, 120])
def test_the_facts_of_a_span_are_not_torn(width: int) -> None:
    row = make_span(1, kind="llm", input_tokens=1200, output_tokens=300, ttft_ns=400 * MS, cost_nanousd=5_000_000)
    page = document(make_detail(row, finish_reasons=("stop",)), 0, width)
    told = ["".join(text for text, _ in line.parts).split(" · ") for line in page.lines[1 : page.head]]
    facts = ["80ms", "1.2k in 300 out", "$0.0050", "first token 400ms", "stop"]
    assert [fact for line in told for fact in line] == facts


def test_an_old_and_a_new_text_read_as_what_differs() -> None:
    page = Document(60, blocks=True)
    page.value({"file_path": "shop.py", "edits": [
        {"old_string": "a = 1\nb = 2\nc = 3", "new_string": "a = 1\nb = 4\nc = 3", "replace_all": False},
        {"old_str": "one", "new_str": "two"}]})  # fmt: skip
    shown = text_of(page)
    assert shown.count("b = 2") == shown.count("b = 4") == shown.count("a = 1") == 1
    assert "@@" not in shown
    inks = {"".join(text for text, _ in line.parts).strip(): line.parts[-1][1] for line in page.lines}
    assert [inks[one] for one in ("-b = 2", "+b = 4", "-one", "+two")] == ["error", "ok", "error", "ok"]
    assert "old_string / new_string" in shown
    far = "\n".join(map(str, range(40)))
    parted = edited({"old_text": far, "new_text": f"x{far}\ny"})["old_text / new_text"]
    assert parted.count("@@ -") == 2
    for same in ({"old_string": "x", "new_string": "x"}, {"old_string": "x"}, {"old_string": 1, "new_string": "x"},
                 {"old_string": "x" * MOST_EDIT, "new_string": "y"}):  # fmt: skip
        assert edited(same) is same
    assert "ends of lines" in edited({"old_str": "a\r\n", "new_str": "a\n"})["old_str / new_str"]


@pytest.mark.parametrize("text", [*HOSTILE, *CONTROL_STRINGS])
def test_hostile_lines_in_arguments_stay_harmless(text: str) -> None:
    value = {"path": f"{text}.py", "content": f"{text}\n\n{text}\n", text: [f"diff --git {text}\n+{text}", 1.5],
             "old_str": f"{text}\n1", "new_str": f"{text}\n2"}  # fmt: skip
    page = Document(60, blocks=True)
    page.value(value)
    for line in page.lines:
        assert all(part.isprintable() and role in ROLES for part, role in line.parts)
        assert sum(fmt.cells(part) for part, _ in line.parts) <= 60


def test_a_long_text_in_arguments_ends_with_how_much_is_left() -> None:
    page = Document(300, blocks=True)
    page.value({"content": ("x" * 199 + "\n") * 250}, opened=True)
    assert "30,000 more characters; e opens all" in text_of(page)


# Find.


def test_hits_are_marked_across_parts() -> None:
    parts = [("say hel", "text"), ("lo hello", "strong")]
    assert marked(parts, "HELLO") == [
        ("say ", "text"),
        ("hel", "chip"),
        ("lo", "chip"),
        (" ", "strong"),
        ("hello", "chip"),
    ]
    assert marked(parts, "zzz") == parts


def test_the_next_hit_goes_round() -> None:
    finding = Finding("a")
    finding.look([[("a", "text")], [("b", "text")], [("cAt", "text")]])
    assert finding.hits == [0, 2]
    assert [finding.after(0, 1), finding.after(2, 1), finding.after(0, -1), finding.after(1, 0)] == [2, 0, 2, 2]


async def find(pilot: Pilot[Any], text: str) -> None:
    await pilot.press("slash")
    await pilot.press(*("space" if char == " " else char for char in text))


async def test_slash_in_the_inspector_finds_in_attributes(file: Path) -> None:  # noqa: F811
    async with explorer(file).run_test(size=(160, 40)) as pilot:
        await until(pilot, lambda: shows(pilot, "again"))
        await pilot.press("3", "tab")
        await until(pilot, lambda: shows(pilot, "kitchen"))
        await find(pilot, "KITC")
        await until(pilot, lambda: shows(pilot, "/KITC", "1 of 1 lines"))
        inspector = pilot.app.screen.inspector
        assert "kitchen" in str(inspector.lines[inspector.cursor].parts)
        await pilot.press("backspace", "backspace", "backspace", "backspace", *"zzz")
        await until(pilot, lambda: shows(pilot, "nothing here holds it"))
        await pilot.press("escape")
        await until(pilot, lambda: not shows(pilot, "/zzz"))
        assert inspector.has_focus


async def test_find_opens_what_is_folded_and_n_goes_on(file: Path) -> None:  # noqa: F811
    async with explorer(file).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "again"))
        await pilot.press("3", "tab")
        inspector = pilot.app.screen.inspector
        await until(pilot, lambda: inspector.lines and shows(pilot, "kind"))
        await find(pilot, "needle")
        await until(pilot, lambda: inspector.finding is not None and len(inspector.finding.hits) > 5)
        first = inspector.cursor
        await pilot.press("enter", "n")
        await until(pilot, lambda: inspector.cursor > first and shows(pilot, "n N next"))
        await pilot.press("N", "N")
        await until(pilot, lambda: inspector.cursor == inspector.finding.hits[-1])
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not inspector.has_focus)


# Pictures.


def test_the_way_to_show_a_picture_is_never_asked_of_the_terminal() -> None:
    assert way({"TERM": "xterm-kitty"}) == "tgp"
    assert way({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}) == "sixel"
    assert way({"TERM": "xterm-256color"}) == "cells"
    assert way({"TERM": "xterm-kitty", "TMUX": "x"}) == "cells"


def test_what_is_no_picture_says_so() -> None:
    pytest.importorskip("PIL")
    with pytest.raises(NoPicture, match="no picture"):
        decode(b"<svg onload=alert(1)>")
    bomb = bytearray(base64.b64decode(PNG))
    bomb[16:24] = (100_000).to_bytes(4, "big") * 2
    with pytest.raises(NoPicture):
        decode(bytes(bomb))


@pytest.mark.filterwarnings("ignore:Image.Image.getdata is deprecated")  # textual-image's, with Pillow 13
async def test_enter_on_a_picture_shows_it(file: Path) -> None:  # noqa: F811
    pytest.importorskip("textual_image")
    async with explorer(file).run_test(size=(140, 40)) as pilot:
        await at_chat(pilot)
        await pilot.press("tab")
        inspector = pilot.app.screen.inspector
        inspector.move_to(next(n for n, line in enumerate(inspector.lines) if line.here.media == PICTURE))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PictureScreen) and shows(pilot, "cat.png", "▀"))
        for key in "xq":  # either does something on the trace's screen
            await pilot.press(key)
            await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))
            await pilot.pause()
            assert isinstance(pilot.app.screen, TraceScreen)
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, PictureScreen))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_in_ascii_pictures_say_what_they_are(file: Path, size: tuple[int, int]) -> None:  # noqa: F811
    async with explorer(file, ascii_mode=True).run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: shows(pilot, "again"))
        await pilot.press("j")
        await until(pilot, lambda: shows(pilot, "[image image/png] cat.png", "enter shows, o opens"))
        await pilot.press("tab")
        inspector = pilot.app.screen.inspector
        inspector.move_to(next(n for n, line in enumerate(inspector.lines) if line.here.media == PICTURE))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "need colours"))
        assert screen_text(pilot).isascii() or not any(char in screen_text(pilot) for char in "─│•▏")


def test_files_in_values_have_a_line_of_their_own() -> None:
    picture = f"data:image/png;base64,{PNG}"
    named = "@@@langfuseMedia:type=audio/wav|id=AbC-1|source=bytes@@@"
    value = {
        "shots": [picture, picture],
        "said": [f"hear {named}", "data:no file", 7],
        "deep": {"doc": "data:a/b;base64,QQ=="},
    }
    found = media.within(value)
    assert [(one["type"], one["mime_type"], one["name"]) for one in found] == [
        ("image", "image/png", "shots"), ("audio", "audio/wav", "said"), ("file", "a/b", "doc")]  # fmt: skip
    assert (found[0]["url"], found[0]["size"]) == (picture, len(base64.b64decode(PNG)))
    assert found[1]["file_id"] == "AbC-1"
    page = document(make_detail(make_span(1), output=Content(value=value)), 1, 80)
    assert [line.here.media for line in page.lines if line.here.media] == found
    assert "[audio audio/wav] said AbC-1  o opens" in text_of(page)
    many = media.within([f"data:image/png;base64,{n:04}" for n in range(99)])
    assert len(many) == media.MOST


@pytest.mark.parametrize("key", ["enter", "o"])
async def test_a_file_that_was_announced_and_never_sent_says_so(file: Path, key: str) -> None:  # noqa: F811
    gone = {"img": "@@@langfuseMedia:type=image/png|id=AbC|source=bytes@@@"}
    with Ingest(file, Settings()) as ingest:
        ingest.write(Batch("test", (make_part(9, parent=1, trace=trace_id(1), name="sends", reading=Reading(
            kind="chain", output=Content(value=gone))),)))  # fmt: skip
    async with explorer(file).run_test(size=(160, 40), notifications=True) as pilot:
        await until(pilot, lambda: shows(pilot, "sends"))
        with tools_in(file, "xdg-open"):
            await pilot.press("G")
            await until(pilot, lambda: shows(pilot, "[image image/png] img AbC"))
            await pilot.press("tab", "G", key)
            await until(pilot, lambda: shows(pilot, "its bytes were not") or shows(pilot, "Pictures need an extra"))


@pytest.mark.parametrize("text", [*HOSTILE, *CONTROL_STRINGS])
def test_hostile_text_is_harmless_on_every_tab(text: str) -> None:
    message = Message(
        text, ({"type": "image", "name": text, "mime_type": text, "url": text}, {"type": "text", "text": text})
    )
    detail = make_detail(
        make_span(1, kind="llm"), input=Content(messages=(message,)), replay_of=text, attributes={text: text},
        events=(Event(make_span(1).start_ns, text, {text: text}),),
    )  # fmt: skip
    for tab in range(5):
        for line in document(detail, tab, 60, otlp=json.dumps({text: text})).lines:
            assert all(part.isprintable() for part, _ in line.parts)


# Calls and their results.


def test_a_result_stands_under_the_call_before_it_not_under_a_later_one_of_its_id() -> None:
    """Models that count calls anew in every answer (vLLM, Ollama) say call_0 again and again."""

    def call(order: int) -> Message:
        return Message("assistant", ({"type": "tool_call", "id": "call_0", "name": "get", "arguments": {"id": order}},))

    def result(text: str) -> Message:
        return Message("tool", ({"type": "tool_result", "id": "call_0", "result": text},))

    earlier = (Message("user", ({"type": "text", "text": "1001?"},)), call(1001), result("shipped"))
    asks = (*earlier, Message("assistant", ({"type": "text", "text": "On its way."},)),
            Message("user", ({"type": "text", "text": "789?"},)))  # fmt: skip
    calls = make_detail(make_span(1), input=Content(messages=asks), output=Content(messages=(call(789),)))
    assert "shipped" not in talk_of(calls, everything=False)
    whole = talk_of(calls, everything=True).splitlines()
    assert [line.split()[-1] for line in whole if "get(" in line or "→" in line] == [
        "get(id=1001)", "shipped", "get(id=789)",
    ]  # fmt: skip
    answers = make_detail(make_span(2), input=Content(messages=(*asks, call(789), result("delivered"))))
    new = talk_of(answers, everything=False)
    assert "delivered" in new
    assert "shipped" not in new


def talk_of(span: Any, *, everything: bool) -> str:
    page = Document(80)
    messages.conversation(page, span, everything=everything, glyphs=fmt.UNICODE)
    return text_of(page)
