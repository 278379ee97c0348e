"""The panel of what arrived, on a real file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from collector import store
from collector.ingest import Ingest
from collector.model import Batch, Rank, Refusal, SpanPart
from collector.settings import Settings
from collector.store.received import Reason, SourceSum
from collector.store.unmapped import UnmappedKey
from tracetui.app import Explorer
from tracetui.screens.base import Facts
from tracetui.screens.received import ReceivedScreen, key_lines, lines
from tracetui.source import Source

from .hostile import CONTROL_STRINGS, HOSTILE
from .until import screen_text, shows, until


def explorer(path: Path) -> Explorer:
    source: Any = Source(str(path), lambda: store.open_reader(path), lambda text: None)
    return Explorer(source, tail=False, listening="http://127.0.0.1:4318")


def span(number: int) -> SpanPart:
    attributes = {"gen_ai.request.model": "m", "acme.odd": 1}
    return SpanPart("a" * 32, f"{number:016x}", Rank.FINISHED, 2, name="n", start_ns=1, end_ns=2, attributes=attributes)


async def test_the_panel_shows_each_source_and_follows_what_comes(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with Ingest(path, Settings(db=path)) as ingest:
        refused = Refusal("an all-zero span id", "[/red] \x1b[31mspan")
        ingest.write(Batch("otlp-http", (span(1), span(2)), refused=(refused,)))
        async with explorer(path).run_test(size=(100, 30)) as pilot:
            await pilot.press("i")
            await until(pilot, lambda: shows(pilot, "otlp-http", "3 received   2 stored", "read as  genai 2"))
            await until(pilot, lambda: shows(pilot, "1 rejected: an all-zero span id", "[/red]"))
            await until(pilot, lambda: shows(pilot, "Attributes that no convention knows", "acme.odd  2 spans"))
            assert "\x1b" not in screen_text(pilot)
            ingest.write(Batch("langfuse", (span(3),)))
            await until(pilot, lambda: shows(pilot, "langfuse"))
            await pilot.press("escape")
            assert not isinstance(pilot.app.screen, ReceivedScreen)


async def test_an_empty_file_says_where_to_send(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    Ingest(path, Settings(db=path)).close()
    async with explorer(path).run_test(size=(80, 24)) as pilot:
        await pilot.press("i")
        await until(pilot, lambda: shows(pilot, "Nothing has arrived", "http://127.0.0.1:4318"))


def test_no_text_of_a_sender_reaches_the_screen_as_it_came() -> None:
    facts: Any = Facts(source=None, now_ns=lambda: 10**18)  # type: ignore[arg-type]
    for text in [*HOSTILE, *CONTROL_STRINGS]:
        one = SourceSum(text, {"received": 1, "stored": 0}, {text: 1}, [Reason("rejected", text, 1, text)], 1)
        for line in [*lines([one], facts), *key_lines([UnmappedKey(text, 1, text, None)], 0)]:
            assert all(part[0].isprintable() for part in line)
