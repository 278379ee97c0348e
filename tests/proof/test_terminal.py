"""The explorer under a real pty, at two sizes, driven by keys: while the demo's agent runs, and on hostile text."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from collector.ingest import Ingest
from collector.model import Batch, Reading
from collector.settings import Settings
from tests.builders import assistant, conversation, make_llm, make_part, trace_id, user
from tests.proof.terminal import terminal
from tests.tui.hostile import CONTROL_STRINGS, HOSTILE

pytestmark = pytest.mark.slow
TEXTS = [*HOSTILE, *CONTROL_STRINGS]


SIZES = [pytest.param(80, 24, id="80x24"), pytest.param(200, 50, id="200x50")]
TRACETUI = [sys.executable, "-m", "tracetui"]
ESC, ENTER, DOWN = "\x1b", "\r", "\x1b[B"


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_the_demo_can_be_watched_and_read_while_its_agent_runs(columns: int, rows: int, tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    command = [*TRACETUI, "demo", "--plain", "--speed", "8", "--db", str(path)]
    with terminal(command, columns, rows, dict(os.environ)) as screen:
        screen.until(lambda text: "support_agent" in text and "live" in text)
        screen.until("travel_agent")  # more arrives without a key
        screen.press("g")
        screen.until(lambda text: "▸ ✔ support_agent" in text)
        screen.press(ENTER)
        screen.until(lambda text: all(one in text for one in ("get_order", "chat gpt-4o-mini", "Messages")))
        screen.press("j", "j")
        screen.until("order_id")
        screen.press(ESC)
        screen.until(lambda text: "INPUT" in text)
        screen.press("2")
        screen.until("support-42")
        screen.press("?")
        screen.until(lambda text: "fold" in text.lower())
        screen.press(ESC)
        assert all(len(line) <= columns for line in screen.lines)
        assert screen.end() == 0
    assert f"The file stays: tracetui {path}" in screen.raw.replace("\r\n", "")


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_foreign_text_can_neither_crash_nor_colour_nor_move_anything(columns: int, rows: int, tmp_path: Path) -> None:
    path = tmp_path / "hostile.db"
    texts = TEXTS if columns == 80 else HOSTILE
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        for n, text in enumerate(texts, 1):
            reading = Reading(
                kind="llm", model=text, session_id=text, user_id=text, tags=(text,), metadata={text: text},
                input=conversation(user(text)), output=conversation(assistant(text)), error_type=text,
            )  # fmt: skip
            trace = trace_id(n)
            parts = (
                make_part(1, trace=trace, name=text, status="error", status_message=text, attributes={text: text}),
                make_part(2, parent=1, trace=trace, name=text, reading=reading),
                make_llm(3, parent=1, trace=trace, name="harmless"),
            )
            ingest.write(Batch("test", parts))
    with terminal([*TRACETUI, str(path)], columns, rows, dict(os.environ)) as screen:
        screen.until(f"{len(texts)} traces")
        screen.press("g")
        for _ in texts:
            screen.press(ENTER)
            screen.until("harmless")
            screen.press("j", "1", "2", "3", "4", "5")
            screen.until(lambda text: "Raw" in text)
            screen.press("1", ESC)
            screen.until("INPUT")
            screen.press(DOWN)
        assert screen.end() == 0
    assert "\x1b]0;" not in screen.raw
    assert "\x1b]52;" not in screen.raw
    assert not re.search(r"\x1b\[2J.*pwned|\x1bP|\x9b|\x9d", screen.raw)
