"""On a file of a million or ten million spans: how soon does the explorer paint, move, filter, group and add up?

A real pty of 200 x 50 cells, a file of `tenmillion.py`. First paint is from the start of the process until the newest
run's words have been read, beside an empty Textual app in turn. Keys are from the key until the bytes they changed;
filters and screens from Enter (or their key) until their rows have been read, and until the sums of what a filter finds
stand in the corner. Then another process writes spans into the same file while the wheel turns: processor time and
memory of the explorer. The file grows by that part.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

from bench.first_paint import DOWN, EMPTY, PAGE_DOWN, PAGE_UP, UP, first_paint
from bench.report import figure, head, load, memory_mb, percentile, say
from bench.search import forget
from bench.varied import TOKEN
from bench.watched import Watched
from tracetui.spending import GROUPINGS

FILTERS = (
    "status:error", "model:claude-sonnet-4", "cost:>0.02", "user:user-0000", "meta.department:sales since:7d",
    "name:refund", "error.type:TimeoutError", "warranty", "nowhere0815",
)  # fmt: skip
BY = ("model", "hour", "day", "service", "meta.department")
OWN_KEYS = ("department", "feature", "tier", "vram_gb")
SPOKEN = re.compile(r"ORD\d{8}")
LISTED = re.compile(r"[\d,.]+[kM]? traces?  ")
WHEEL_UP, WHEEL_DOWN = "\x1b[<64;20;20M", "\x1b[<65;20;20M"
WHEEL_S = 1 / 15
BATCH_S = 0.05
LATER = 90_000_000
"""From where on runs are counted that are written while the explorer is open."""


def told(what: str, ms: list[float], budget: str = "") -> None:
    many = f"p50 {median(ms):.0f}, p99 {percentile(ms, 0.99):.0f} ms, n {len(ms)}" if len(ms) > 1 else f"{ms[0]:.0f} ms"
    figure(what, f"{many}; {load()}", budget)


def spoken(rows: list[str]) -> list[str]:
    """The runs that a list shows."""
    return [found[0] for row in rows[1:] if (found := SPOKEN.search(row))]


def paints(path: Path, rounds: int) -> None:
    explore, empty, ours = ["-m", "tracetui", str(path)], list[float](), list[float]()
    if forget(path):
        told("first paint, the file not in the page cache", [1000 * first_paint(explore, b"ORD")])
    for _ in range(rounds):
        empty.append(first_paint(["-c", EMPTY], b"nothing-here"))
        ours.append(first_paint(explore, b"ORD"))
    ratio = median(one / other for one, other in zip(ours, empty, strict=True))
    figure(
        "first paint, beside an empty Textual app",
        f"{1000 * median(ours):.0f} ms against {1000 * median(empty):.0f} ms: {ratio:.2f}x; {load()}", "1.5x",
    )  # fmt: skip


def moves(seen: Watched, keys: int) -> None:
    pages = [seen.key(key.decode()) for key in (PAGE_UP, PAGE_DOWN) for _ in range(keys // 2)]
    told("PageUp and PageDown, key to bytes", pages, "p50 30 ms")
    for _ in range(20):
        seen.key(UP.decode())
    told("cursor, key to bytes", [seen.key((UP if n % 2 else DOWN).decode()) for n in range(keys)], "p50 10 ms")
    began = seen.press("g")
    told("to the oldest line", [1000 * (seen.until(lambda rows: TOKEN.format(0) in "\n".join(rows)) - began)])
    seen.press("G")
    seen.settle()


def filters(seen: Watched, texts: tuple[str, ...]) -> None:
    """Typed key by key; rows, and sums, from Enter."""
    typed: list[float] = []
    for text in texts:
        seen.settle()
        before = spoken(seen.rows)
        seen.key("f")
        typed += [seen.key(letter) for letter in text]
        seen.settle()
        began = seen.press("\r")

        def rows_changed(rows: list[str], before: list[str] = before) -> bool:
            found = spoken(rows)
            return ("/ " in rows[0] and bool(found) and found != before) or "No traces match" in "\n".join(rows)

        shown = seen.until(rows_changed)
        summed = seen.until(
            lambda rows: bool(LISTED.search(rows[0] + "  ")) or "No traces match" in "\n".join(rows), since=began,
            within_s=300,
        )  # fmt: skip
        many = LISTED.search(seen.rows[0] + "  ")
        say(f"    {text}: {many[0].strip() if many else 'none'}")
        told(f"filter {text}: rows", [1000 * (shown - began)])
        told(f"filter {text}: the sums of all it finds", [1000 * (summed - began)])
        seen.press("\x1b")
        seen.until(lambda rows: "/ " not in rows[0] and bool(spoken(rows)))
    told("typing a filter, key to bytes", typed)


def opened(seen: Watched, what: str, keys: str, holds: Callable[[list[str]], bool]) -> None:
    seen.settle()
    began = seen.press(keys)
    told(what, [1000 * (seen.until(holds) - began)])


def screens(seen: Watched) -> None:
    opened(seen, "sessions", "2", lambda rows: any("session-" in row for row in rows[2:]))
    opened(seen, "errors, the newest 20,000 failed spans", "5", lambda rows: any("TimeoutError" in row for row in rows))
    opened(seen, "overview", "4", lambda rows: any("gpt-4o" in row or "nothing" in row.lower() for row in rows[1:-1]))
    opened(seen, "signals", "6", lambda rows: any("ignored_result" in row for row in rows))
    opened(seen, "costs, last 7 days by model", "3", lambda rows: bool(corner(rows)))
    seen.settle()
    old, began = corner(seen.rows), seen.press("p")
    told("costs, last 30 days by model", [1000 * (seen.until(lambda rows: corner(rows) not in ("", old)) - began)])
    seen.press("p")
    with suppress(LookupError):  # what caching saved needs the price list, whose loading would be in the next figure
        seen.until(lambda rows: "all time" in rows[0] and " saved " in rows[0], within_s=20)
    for by in BY[1:]:
        group(seen, by)
    seen.press("1")
    seen.until(lambda rows: bool(spoken(rows)))


def corner(rows: list[str]) -> str:
    """The tokens in the corner of the costs screen; "" before they are known."""
    found = re.search(r"[\d.]+[kMG]? tok", rows[0])
    return found[0] if found else ""


def group(seen: Watched, by: str) -> None:
    seen.settle()
    seen.press("b")
    seen.until(lambda rows: any("Group by" in row for row in rows))
    own = [f"meta.{key}" for key in OWN_KEYS]
    seen.press("j" * [*GROUPINGS, *own].index(by))
    seen.settle()
    began = seen.press("\r")
    title = by.upper()
    moment = seen.until(lambda rows: any(row.lstrip(" ▸").startswith(title + " ") for row in rows), within_s=300)
    told(f"costs, all time by {by}", [1000 * (moment - began)])


def write(path: Path, rate: int, seconds: float) -> None:
    """The writer: so many spans a second, of runs like those of the file."""
    from bench.varied import Runs
    from collector.ingest import Ingest
    from collector.model import Batch
    from collector.settings import Settings

    runs, number = Runs(seed=os.getpid()), LATER + int(time.time()) % 1_000_000
    made = [runs.run(number + n, 0) for n in range(max(int(rate * seconds / 15), 1))]
    with Ingest(path, Settings(db=path)) as ingest:
        print("ready", flush=True)
        began, sent = time.monotonic(), 0
        while (at := time.monotonic() - began) < seconds and made:
            parts = []
            while made and sent + len(parts) < at * rate:
                parts += [_now(part, time.time_ns()) for part in made.pop()]
            if parts:
                ingest.write(Batch("bench", tuple(parts)))
                sent += len(parts)
            ingest.chores()
            time.sleep(max(BATCH_S - (time.monotonic() - began - at), 0.001))
        print(sent, flush=True)


def _now(part: object, now_ns: int) -> object:
    from dataclasses import replace

    from collector.model import SpanPart

    assert isinstance(part, SpanPart)
    assert part.start_ns is not None
    assert part.end_ns is not None
    return replace(part, start_ns=part.start_ns + now_ns, end_ns=part.end_ns + now_ns, at_ns=part.at_ns + now_ns)


def live(path: Path, rate: int, seconds: float) -> None:
    """Spans arrive, the wheel turns."""
    command = [sys.executable, "-m", "bench.explorer", "--write", str(path), str(rate), str(seconds)]
    with Watched(["-m", "tracetui", str(path)]) as seen:
        seen.until(lambda rows: bool(spoken(rows)))
        seen.settle()
        figure("memory of the explorer, its list open", f"{seen.mb:.0f} MB")
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
        cpu, began, turn, due, pressed, waits = seen.cpu_s, time.perf_counter(), 0, 0.0, 0.0, list[float]()
        while (now := time.perf_counter()) < began + seconds:
            if now >= due:
                seen.press(WHEEL_UP if turn % 8 < 4 else WHEEL_DOWN)
                turn, due, pressed = turn + 1, now + WHEEL_S, now
            if seen.read(max(min(due - time.perf_counter(), 0.05), 0.001)) and pressed:
                waits.append(1000 * (seen.came[-1][0] - pressed))
                pressed = 0.0
            seen.came.clear()
        share = (seen.cpu_s - cpu) / (time.perf_counter() - began)
        sent = int(writer.stdout.readline())
        writer.wait(60)
        figure(
            "the explorer while spans arrive and the wheel turns",
            f"{100 * share:.0f} % of a core, {seen.mb:.0f} MB, peak {memory_mb(seen.child.pid):.0f};"
            f" {sent / seconds:,.0f} spans/s; {load()}",
        )
        told("wheel to bytes, meanwhile", waits)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench explorer")
    parser.add_argument("--spans", type=int, default=20_000, help="about [20000]; budgets are for 10000000")
    parser.add_argument("--db", type=Path, help="make the file here and keep it; take it if it is there")
    parser.add_argument("--rounds", type=int, default=5, help="of first paint [5]")
    parser.add_argument("--keys", type=int, default=40, help="[40]")
    parser.add_argument("--seconds", type=float, default=5, help="while spans arrive [5]")
    parser.add_argument("--rate", type=int, default=500, help="spans a second that arrive then [500]")
    parser.add_argument("--filters", nargs="+", default=FILTERS)
    parser.add_argument("--write", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    if asked.write:
        write(Path(asked.write[0]), int(asked.write[1]), float(asked.write[2]))
        return
    from bench.tenmillion import many_varied

    head(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        path = asked.db or Path(folder) / "traces.db"
        if not path.exists():
            many_varied(path, asked.spans)
        figure("file", f"{path.stat().st_size / 1e6:,.0f} MB")
        paints(path, asked.rounds)
        with Watched(["-m", "tracetui", str(path)]) as seen:
            seen.until(lambda rows: bool(spoken(rows)))
            moves(seen, asked.keys)
            filters(seen, tuple(asked.filters))
            screens(seen)
            figure("memory of the explorer after all this", f"{seen.mb:.0f} MB")
        live(path, asked.rate, asked.seconds)


if __name__ == "__main__":
    main()
