"""Hostile text in every field of a file, on every screen, menu and list of offers: each line stays as wide as the
screen, and nothing reaches the terminal that moves, hides, turns round or colours."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from collector.ingest import Ingest
from collector.model import Batch, Content, Document, Event, Message, Reading, Score, SpanPart, Tool, Usage
from collector.settings import Settings
from tests.builders import MS, make_part, trace_id
from tracetui.screens.lists import TracesScreen

from .hostile import CONTROL_STRINGS, HOSTILE, WIDE
from .real import real_app
from .story import NOW, S, now_ns
from .until import settled, shows, until

pytestmark = pytest.mark.slow

TEXTS = (*HOSTILE, *CONTROL_STRINGS, *(text for text, _ in WIDE))
WHOLE = len(TEXTS) + 1
"""The number of the trace that holds all of them; it is the newest."""

TRACE, CALL = "G enter", "G enter j"
PLACES = {
    "traces": ("", "t", "escape T", "escape y", "escape x"),
    "groups": tuple(f"b {n}" for n in range(1, 6)),
    "sessions": ("2", "G", "enter", "n", "y"),
    "costs": ("3", "tab", "c", "y"),
    "overview": ("4", "j", "y"),
    "errors": ("5", "j", "y"),
    "signals": ("6", "y"),
    "arrivals": ("i",),
    "search": ("slash r e d enter", "n", "y"),
    "offers": ("f s e s s i o n colon", "ctrl+u m o d e l colon", "ctrl+u n a m e colon", "ctrl+u z colon enter"),
    "trace": (TRACE, "j", "2", "3", "4", "5", "y", "escape J", "escape K", "escape exclamation_mark", "escape a"),
    "call": (CALL, "v", "Z", "Z w", "escape c", "j", "escape slash r e d", "enter"),
    "replay": (f"{CALL} r", "ctrl+r"),
}
"""Keys, in turn: after each the screen is looked at."""


def parts(trace: int, *texts: str) -> list[SpanPart]:
    """A run of an agent with a call, a failed tool and a retrieval, every text of which is one of these."""
    one, all_ = texts[0], " ".join(texts)
    start, made = NOW - 3600 * S + trace * S, []
    said = Content(messages=tuple(Message("user", ({"type": "text", "text": text},)) for text in texts))
    common = {"session_id": one, "user_id": one, "tags": (one,), "metadata": {one: one}, "service": one}
    readings = (
        Reading(kind="agent", agent_name=one, input=Content(value=all_), output=Content(value={one: all_}), **common),
        Reading(kind="llm", model=one, provider="openai", input=said, system=said.messages, output=said,
                usage=Usage(1000, 10), finish_reasons=(one,), params={one: one}),
        Reading(kind="tool", error_type=one, tool=Tool(one, one, {one: all_}, all_)),
        Reading(kind="retriever", documents=tuple(Document(text, text, 0.5, 1) for text in texts)),
    )  # fmt: skip
    for n, reading in enumerate(readings, 1):
        failed = {"status": "error", "status_message": all_} if reading.kind == "tool" else {}
        event = Event(start + 2 * MS, one, {one: all_, "exception.message": all_, "exception.type": one})
        made.append(make_part(n, parent=1 if n > 1 else None, trace=trace_id(trace), name=one, reading=reading,
                              start_ns=start + n * MS, end_ns=start + (100 + n) * MS, events=(event,),
                              attributes={one: all_}, **failed))  # fmt: skip
    made += [make_part(10 + n, parent=1, trace=trace_id(trace), name=text) for n, text in enumerate(texts[1:])]
    return made


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "traces.db"
    every = [part for n, text in enumerate(TEXTS, 1) for part in parts(n, text)] + parts(WHOLE, *TEXTS)
    scores = tuple(Score(f"s{n}", text, NOW, trace_id(n), value=0.5, comment=text) for n, text in enumerate(TEXTS, 1))
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.write(Batch(HOSTILE[3], tuple(every), scores=scores))
        ingest.flush()
        ingest.look()
    return path


def wrong(pilot: Pilot[int]) -> list[str]:
    """Lines that are not as wide as the screen, or hold what a terminal would obey or not show."""
    width = pilot.app.size.width
    lines = ["".join(part.text for part in strip) for strip in pilot.app.screen._compositor.render_strips()]
    return [
        repr(line)
        for line in lines
        if cell_len(line) != width or any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in line)
    ]


async def test_no_text_of_a_trace_breaks_a_line_of_any_screen(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = real_app(db, now_ns)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        for place, steps in PLACES.items():
            app.to_traces()
            app.push_screen(TracesScreen(app.facts))
            await until(pilot, lambda: shows(pilot, f"{WHOLE} traces"))
            for keys in steps:
                await pilot.press(*keys.split())
                await settled(pilot)
                assert not wrong(pilot), (place, keys)
