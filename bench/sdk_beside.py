"""What does a span cost, and what is lost, beside opentelemetry-sdk, logfire, langfuse and langsmith?

Each in a process of its own, so that none is measured with another's library loaded, in turn in the same run, and as
its own documentation shows it: ours writes its file, the others send to a server on this machine that takes all in
at once. A traced function of two scalars, called 20,000 times at once, and so many times a second; one that is given
a chat of 400 messages; imports; how long a program's exit is kept when nobody takes the spans; memory while spans are
made faster than they can be written. Spans that arrived are counted in the file, and in what the server was sent.

The others live in an environment of their own:

    python -m venv build/others && build/others/bin/pip install -r bench/others.txt
    python -m bench sdk_beside -- --others build/others/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from bench.report import figure, head, load, say

HERE = Path(__file__).parent
OURS = "tracetui"
OTEL = "opentelemetry-sdk"
MODULES = {OTEL: "opentelemetry.sdk.trace", "logfire": "logfire", "langfuse": "langfuse", "langsmith": "langsmith"}
IMPORTS = {
    OURS: "from collector import observe, configure, flush", OTEL: "import opentelemetry.sdk.trace",
    "logfire": "import logfire; logfire.configure, logfire.instrument",
    "langfuse": "from langfuse import Langfuse, observe", "langsmith": "from langsmith import Client, traceable",
}  # fmt: skip
PATIENCE_S = 120
"""So long a program may keep us waiting with its exit; then it is killed."""
Row = dict[str, float]


@dataclass(frozen=True)
class Bench:
    """The Python that has the others, or None, and which of them it has."""

    python: Path | None
    who: tuple[str, ...]
    rounds: int

    def python_of(self, sdk: str) -> str:
        return sys.executable if sdk == OURS or self.python is None else str(self.python)


def found(python: Path | None) -> tuple[str, ...]:
    """Which of the others there are, and say their versions."""
    if python is None:
        return ()
    code = "import sys, json; from importlib.metadata import version, PackageNotFoundError\nfound = {}\n"
    code += "for name in sys.argv[1:]:\n try: found[name] = version(name)\n except PackageNotFoundError: pass\n"
    done = subprocess.run(
        [python, "-c", code + "print(json.dumps(found))", *MODULES], capture_output=True, text=True, check=True
    )
    versions = json.loads(done.stdout)
    say("beside " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    return tuple(name for name in MODULES if name in versions)


@contextmanager
def sink(bench: Bench, how: str = "take") -> Iterator[str]:
    """The server that the others send to; its address."""
    command = [bench.python_of(""), str(HERE / "sdk_sink.py"), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}"
        finally:
            child.stdin.close()


def play(bench: Bench, sdk: str, folder: Path, address: str, scene: str, *given: float, url: str = "") -> Row:
    """One scene in a process of its own; `exit_s` is what it took to end after all was said, and inf if it did not."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TRACETUI", "OTEL_", "LANG"))}
    env |= {"BENCH_SINK": address, "XDG_CONFIG_HOME": str(folder), "TRACETUI_DB": str(folder / "traces.db")}
    if sdk == OURS:
        env |= {"PYTHONPATH": str(HERE.parent)} | ({"TRACETUI_URL": url} if url else {})
    command = [bench.python_of(sdk), str(HERE / "sdk_subjects.py"), sdk, scene, *map(str, given)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env, cwd=folder
    ) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(command)} said nothing and ended with {child.wait()}")
        row: Row = json.loads(line)
        try:
            child.wait(PATIENCE_S)
            row["exit_s"] = time.time() - row.get("left_at", 0)
        except subprocess.TimeoutExpired:
            child.kill()
            row["exit_s"] = float("inf")
    return row


def arrived(folder: Path, address: str) -> int:
    """Spans that have ended, in our file and beside it, or in what the server was sent."""
    db = folder / "traces.db"
    if not db.exists():
        return int(json.load(urlopen(f"{address}/count"))["spans"])
    return len(stored(db) | spilled(db))


def stored(db: Path) -> set[str]:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as file:
        return {row[0] for row in file.execute("select span_id from spans where end_ns is not null")}
    return set()


def spilled(db: Path) -> set[str]:
    """Spans that wait beside the file for the next program that opens it."""
    ids: set[str] = set()
    for path in db.parent.glob(f"{db.name}.spill-*"):
        with path.open(encoding="utf-8") as lines:
            ids.update(one["span_id"] for one in map(json.loads, lines) if "span_id" in one)
    return ids


def series(bench: Bench, scene: str, *given: float) -> dict[str, list[Row]]:
    """Every SDK's rows of a scene, `rounds` of them, taken in turn, less what untraced calls take."""
    rows: dict[str, list[Row]] = {sdk: [] for sdk in (OURS, *bench.who)}
    for _ in range(bench.rounds):
        with tempfile.TemporaryDirectory() as at:
            bare = play(bench, "nothing", Path(at), "", scene, *given)
        for sdk in rows:
            with tempfile.TemporaryDirectory() as at, sink(bench) as address:
                row = play(bench, sdk, Path(at), address, scene, *given)
                row |= {name: value - bare[name] for name, value in row.items() if name.endswith("_us")}
                row["arrived"] = arrived(Path(at), address)
                rows[sdk].append(row)
                told = ", ".join(f"{name} {value:,.1f}" for name, value in row.items() if name.endswith("_us"))
                say(f"    {sdk}: {told}, {row['arrived']:,.0f} of {row['asked']:,.0f} spans; {load()}")
    return rows


def tell(what: str, rows: dict[str, list[Row]], budget: str = "") -> None:
    """A figure for each: the medians of its rounds, and how often ours goes into its own of the same round."""
    ours = rows[OURS]
    for sdk, theirs in rows.items():
        cost = f"p50 {_mid(theirs, 'p50_us'):,.1f}, mean {_mid(theirs, 'mean_us'):,.1f} us to the caller"
        cost += f", {_mid(theirs, 'cpu_us'):,.0f} us of CPU in all"
        lost = sum(row["asked"] - row["arrived"] for row in theirs) / sum(row["asked"] for row in theirs)
        cost += f"; {lost:.0%} lost" if lost else "; none lost"
        if sdk != OURS:
            cost += f"; times ours: {_times(theirs, ours, 'p50_us')} at p50, {_times(theirs, ours, 'mean_us')} mean,"
            cost += f" {_times(theirs, ours, 'cpu_us')} CPU"
        figure(f"{what}, {sdk}", cost, budget if sdk == OTEL else "")


def _mid(rows: Sequence[Row], name: str) -> float:
    return median(row[name] for row in rows)


def _times(theirs: Sequence[Row], ours: Sequence[Row], name: str) -> str:
    return f"{median(a[name] / b[name] for a, b in zip(theirs, ours, strict=True)):.1f}"


def imports(bench: Bench) -> None:
    """Processor time of importing, which a busy machine stretches less than the clock."""
    took: dict[str, list[float]] = {sdk: [] for sdk in (OURS, *bench.who)}
    for _ in range(bench.rounds * 3):
        for sdk in took:
            code = (
                f"import time; a = time.process_time(); {IMPORTS.get(sdk, '')}\nprint((time.process_time() - a) * 1e3)"
            )
            env = {**os.environ, "PYTHONPATH": str(HERE.parent) if sdk == OURS else ""}
            env.pop("PYTHONDONTWRITEBYTECODE", None)
            done = subprocess.run(
                [bench.python_of(sdk), "-c", code], capture_output=True, text=True, check=True, env=env
            )
            took[sdk].append(float(done.stdout))
    for sdk in (OURS, *bench.who):
        times = sorted(b / a for a, b in zip(took[OURS], took[sdk], strict=True))
        more = "" if sdk == OURS else f", {median(times):.1f} times ours"
        figure(
            f"`{IMPORTS[sdk]}`", f"{median(took[sdk]):.0f} ms of CPU{more}", "ours at most 0.6" if sdk == OTEL else ""
        )


def exits(bench: Bench, calls: int) -> None:
    """A program whose spans nobody takes, and what its exit waits for."""
    for what in ("locked", "unreachable"):
        with tempfile.TemporaryDirectory() as at, sink(bench, "hang") as address, held(bench, Path(at), what):
            url = address if what == "unreachable" else ""
            row = play(bench, OURS, Path(at), address, "leave", calls * 5, url=url)
            kept = len(stored(Path(at) / "traces.db") | spilled(Path(at) / "traces.db"))
        place = "file locked by another" if what == "locked" else "collector that never answers"
        figure(f"exit of a full queue, {OURS}, {place}", f"{_exit(row)}; {kept - 1:,} of {calls * 5:,} kept", "2 s")
    for sdk in bench.who:
        with tempfile.TemporaryDirectory() as at, sink(bench, "hang") as address:
            figure(
                f"exit, {sdk}, server that never answers", _exit(play(bench, sdk, Path(at), address, "leave", calls))
            )


def _exit(row: Row) -> str:
    return f"killed after {PATIENCE_S} s" if row["exit_s"] == float("inf") else f"{row['exit_s']:.2f} s"


@contextmanager
def held(bench: Bench, folder: Path, what: str) -> Iterator[None]:
    """A file with one span in it; locked meanwhile, if that is asked for."""
    play(bench, OURS, folder, "", "leave", 1)
    if what != "locked":
        yield
        return
    with closing(sqlite3.connect(folder / "traces.db", isolation_level=None)) as file:
        file.execute("begin immediate")
        yield
        file.rollback()


def overload(bench: Bench, seconds: float) -> None:
    """Memory, and what became of the spans."""
    for sdk in (OURS, *bench.who):
        with tempfile.TemporaryDirectory() as at, sink(bench) as address:
            row = play(bench, sdk, Path(at), address, "overload", seconds)
            made = f"{row['asked'] / seconds:,.0f} spans/s; {row['first_mb']:.0f} MB at first, at most"
            made += f" {row['middle_mb']:.0f} in the middle third, {row['last_mb']:.0f} in the last; "
            there = arrived(Path(at), address)
            beside = len(spilled(Path(at) / "traces.db"))
            made += f"{there:,} of {row['asked']:,.0f} arrived" + (f", {beside:,} of them spilled" if beside else "")
            made += lost(Path(at) / "traces.db")
            figure(f"{seconds:.0f} s of overload, {sdk}", f"{made}; exit {_exit(row)}", "flat" if sdk == OURS else "")


def lost(db: Path) -> str:
    """What our file says was lost."""
    if not db.exists():
        return ""
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as file:
        (spans,) = file.execute("select coalesce(sum(n), 0) from ledger where reason like 'lost%'").fetchone()
    return f", {spans:,} counted as lost"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench sdk_beside")
    parser.add_argument("--others", type=Path, metavar="PYTHON", help="one that has them, see bench/others.txt")
    parser.add_argument("--only", nargs="*", default=["burst", "paced", "history", "import", "exit", "overload"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--burst", type=int, default=20_000)
    parser.add_argument("--per-s", type=float, default=500.0)
    parser.add_argument("--paced-s", type=float, default=4.0)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--overload-s", type=float, default=10.0)
    asked = parser.parse_args(argv)
    head(__doc__)
    python = asked.others and Path(os.path.abspath(asked.others))  # a venv's Python is a link: not to be resolved
    bench = Bench(python, found(python), asked.rounds)
    if python is None:
        say("  ours alone: --others PYTHON was not given")
    if "burst" in asked.only:
        tell(f"a span, {asked.burst:,} at once", series(bench, "spans", asked.burst, 0), "10 times ours")
    if "paced" in asked.only:
        rows = series(bench, "spans", int(asked.per_s * asked.paced_s), asked.per_s)
        tell(f"a span, {asked.per_s:,.0f} a second", rows, "10 times ours")
    if "history" in asked.only:
        tell(f"a history of {asked.messages} messages", series(bench, "history", 100, asked.messages))
    if "import" in asked.only:
        imports(bench)
    if "exit" in asked.only:
        exits(bench, asked.burst)
    if "overload" in asked.only:
        overload(bench, asked.overload_s)


if __name__ == "__main__":
    main()
