"""The README's picture: one trace of a file, open in the explorer, as SVG.

    python screenshots/make.py traces.db screenshots/tracetui.svg [--trace ID] [--size 132x34] [--keys j,j]

`tracetui demo --headless` makes a file worth it. Without --trace it is the newest trace with an LLM call and a
tool call; --list takes the picture of the list.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from collector.settings import Settings
from collector.store.rows import TraceRow
from tracetui.cli.explore import make_app, make_source
from tracetui.screens.lists import ListScreen
from tracetui.screens.trace import TraceScreen
from tracetui.source import Source

DEADLINE_S = 15.0


def best_trace(source: Source) -> str:
    """The newest trace that shows something: spans of several kinds, best with a failure."""

    def worth(row: TraceRow) -> tuple[bool, bool, int]:
        return row.llm_calls > 1 and row.tool_calls > 0, row.error_count > 0, min(row.span_count, 25)

    with source.open_reader() as reader:
        rows = reader.traces(limit=200)
    if not rows:
        raise SystemExit(f"{source.path} has no traces")
    return max(rows, key=worth).trace_id


async def picture(source: Source, trace_id: str | None, size: tuple[int, int], keys: list[str], wait: str) -> str:
    app = make_app(source, trace_id=trace_id)
    async with app.run_test(size=size) as pilot:
        end = time.monotonic() + DEADLINE_S

        async def until_loaded() -> None:
            while time.monotonic() < end:
                await pilot.pause(0.05)
                screen = app.screen
                if isinstance(screen, TraceScreen) and screen.inspector.lines and not screen.waterfall.outline.partial:
                    return
                if trace_id is None and isinstance(screen, ListScreen) and screen.window.loaded:
                    return
            raise SystemExit("the explorer showed nothing in time")

        await until_loaded()
        for key in keys:
            await pilot.press(key)
        await pilot.pause(0.5)
        await pilot.pause()
        svg = app.export_screenshot(title="tracetui", simplify=False)
        while wait and wait.replace(" ", "&#160;") not in svg:
            if time.monotonic() > end:
                raise SystemExit(f"{wait!r} did not show")
            await pilot.pause(0.1)
            svg = app.export_screenshot(title="tracetui", simplify=False)
    return svg.replace(
        "<text ", '<text xml:space="preserve" '
    )  # some renderers trim the spaces that columns are made of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("db", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--trace", help="id of the trace, or the beginning of it")
    parser.add_argument("--list", action="store_true", help="the list of traces instead of one trace")
    parser.add_argument("--size", default="132x34", help="columns x lines")
    parser.add_argument("--keys", default="", help="keys to press first, Textual names, comma separated")
    parser.add_argument("--wait", default="", help="text to wait for")
    given = parser.parse_args()
    source = make_source(Settings(db=given.db))
    trace_id: str | None = None
    if given.trace:
        with source.open_reader() as reader:
            trace_id = reader.resolve_trace(given.trace)
    elif not given.list:
        trace_id = best_trace(source)
    columns, lines = (int(number) for number in given.size.split("x"))
    keys = [key for key in given.keys.split(",") if key]
    svg = asyncio.run(picture(source, trace_id, (columns, lines), keys, given.wait))
    given.out.write_text(svg, encoding="utf-8")
    print(f"wrote {given.out}")


if __name__ == "__main__":
    main()
