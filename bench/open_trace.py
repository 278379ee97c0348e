"""How long does a big trace take to open, and what does the explorer weigh then?

From the key on the list to the first lines, and to the whole tree on screen (100 x 30 cells), in a process of its own.
Memory is what the process has when the tree is shown, and its peak, beside an empty Textual app.
Budgets: 10,000 spans in 300 ms, 100,000 in 1 s, with under 100 MB.
Run: python -m bench.open_trace [--spans N ...] [--rounds N]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import figure, head, load, memory_mb

SIZE = (100, 30)
BUDGET_MS = {10_000: 300, 100_000: 1000}


async def empty_app() -> dict[str, float]:
    """What an app without anything in it weighs."""
    from textual.app import App

    app: App[None] = App()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        return weight()


async def opened(path: Path, spans: int) -> dict[str, float]:
    from collector.settings import Settings
    from tracetui.cli.explore import make_app, make_source
    from tracetui.screens.lists import TracesScreen
    from tracetui.screens.trace import TraceScreen

    app = make_app(make_source(Settings(db=path)))

    async def until(condition: Any) -> float:
        while not condition():
            await asyncio.sleep(0.001)
        return time.perf_counter()

    def outline() -> Any:
        # the screen is there before what it holds
        return app.screen.waterfall.outline if isinstance(app.screen, TraceScreen) and app.screen.is_mounted else None

    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: isinstance(app.screen, TracesScreen) and app.screen.window.rows)
        await pilot.pause()
        before = weight()
        began = time.perf_counter()
        app.simulate_key("enter")
        first = await until(lambda: outline() and outline().ids)
        whole = await until(lambda: len(outline()) == spans)
        await pilot.pause()
        painted = time.perf_counter()
        app.simulate_key("G")
        last = await until(lambda: app.screen.waterfall.row(spans - 1) is not None)  # type: ignore[attr-defined]
        return {
            **weight(), "list_mb": before["mb"], "first_ms": 1000 * (first - began), "all_ms": 1000 * (whole - began),
            "painted_ms": 1000 * (painted - began), "to_end_ms": 1000 * (last - painted),
        }  # fmt: skip


def weight() -> dict[str, float]:
    return {"mb": memory_mb(os.getpid(), "VmRSS"), "peak_mb": memory_mb(os.getpid())}


def child(*arguments: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.open_trace", "--child", *arguments]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.open_trace")
    parser.add_argument("--spans", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", nargs="*", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.child is not None:
        task = opened(Path(asked.child[0]), int(asked.child[1])) if asked.child else empty_app()
        print(json.dumps(asyncio.run(task)))
        return
    from bench import bigfile

    head(__doc__)
    empty = child()
    figure("memory of an empty Textual app", f"{empty['mb']:.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        for spans in asked.spans:
            path = Path(folder, f"{spans}.db")
            bigfile.one_trace(path, spans)
            rounds = [child(str(path), str(spans)) for _ in range(asked.rounds)]
            middle = {name: median(one[name] for one in rounds) for name in rounds[0]}
            worst = max(one["painted_ms"] for one in rounds)
            budget = f"{BUDGET_MS[spans]} ms, 100 MB" if spans in BUDGET_MS else ""
            figure(
                f"open a {spans:,}-span trace, median of {asked.rounds}",
                f"first lines {middle['first_ms']:.0f} ms, whole tree painted {middle['painted_ms']:.0f} ms (worst"
                f" {worst:.0f}), its end {middle['to_end_ms']:.0f} ms after the key; {middle['mb']:.0f} MB,"
                f" peak {middle['peak_mb']:.0f} (the list before: {middle['list_mb']:.0f}); {load()}",
                budget,
            )


if __name__ == "__main__":
    main()
