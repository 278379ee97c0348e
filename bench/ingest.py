"""How many spans a second does one core take in over HTTP, beside arize-phoenix on the same bodies?

Clock and CPU run from the first byte sent until all is in the file: ours until full text has caught up too, and
the sums are right (checked by a recount). The server has one core for itself, the sender the other. Both are
measured in turn, so that what else the machine does meets both; each round has bodies of its own and a fresh file.
"CPU each" is the server's: it says more than the rate where other programs use the same core.
Budgets: 8,000 spans/s, 40 times arize-phoenix (which answers before it stores).
Phoenix: --phoenix PYTHON, of an environment that has arize-phoenix, or --install-phoenix (some 700 MB, removed after).
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from statistics import median

from bench.generate import agent_bodies
from bench.report import MEASURED_CORE, SPARE_CORE, figure, head, load, memory_mb, percentile, pin, say
from bench.servers import Server, measure, phoenix, phoenix_python, phoenix_version, tracetui

MODEL_KINDS = "('llm', 'embedding', 'reranker')"
WARM_SPANS = 400


def recount(db: Path) -> None:
    """Sums of traces, sessions and rollups against the spans, and a word against full text."""
    span_sums = "count(*), sum(status = 'error'), sum(case when counted then input_tokens end)"
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as file:

        def one(sql: str) -> tuple[int, ...]:
            found: tuple[int, ...] = file.execute(sql).fetchone()
            return found

        spans = one(f"select {span_sums} from spans")
        assert spans[0] == one("select count(*) from bodies")[0]
        assert spans == one("select sum(span_count), sum(error_count), sum(input_tokens) from traces")
        assert spans == one("select sum(spans), sum(errors), sum(input_tokens) from rollups")
        calls = f"select sum(counted and kind in {MODEL_KINDS}) from spans"
        assert one(calls) == one("select sum(calls) from rollups")
        with_session = "where session_id is not null"
        trace_sums = "sum(span_count), sum(error_count), sum(input_tokens), sum(cost_nanousd)"
        assert one(f"select {trace_sums} from traces {with_session}") == one(f"select {trace_sums} from sessions")
        wrong = """select count(*) from traces t where t.span_count <>
            (select count(*) from spans s where s.trace_id = t.trace_id)"""
        assert one(wrong)[0] == 0
        assert one("select count(*) from search")[0] == one("select count(*) from texts")[0]
        text = str(file.execute("select text from texts where length(text) > 100 order by id desc").fetchone()[0])
        assert file.execute("select rowid from search where search match ?", [f'"{text.split()[0]}"']).fetchall()


def rate(
    who: str, serve: Callable[[Path], AbstractContextManager[Server]], spans: int, seed: int,
    check: Callable[[Path], None] | None = None,
) -> float:  # fmt: skip
    """Spans a second of one round in a fresh file."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server:
        measure(server, list(agent_bodies(WARM_SPANS, seed=seed + 1000)), 0)
        bodies = list(agent_bodies(spans, seed=seed))
        took, waits, used = measure(server, bodies, WARM_SPANS)
        if check is not None:
            check(server.db)
        size = sum(len(body) for _, body in bodies) / spans
        say(
            f"  {who}: {spans:,} spans of {size:,.0f} B: {spans / took:,.0f}/s ({took:.1f} s,"
            f" {used / spans * 1e6:,.0f} us CPU each, {spans / used:,.0f}/s of CPU), answers p50 {median(waits):.0f}"
            f" p95 {percentile(waits, 0.95):.0f} ms, peak {memory_mb(server.process.pid):.0f} MB; {load()}"
        )
    return spans / took


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench ingest")
    parser.add_argument("--spans", type=int, default=4000, help="a round [4000]")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--phoenix", type=Path, metavar="PYTHON")
    parser.add_argument("--install-phoenix", action="store_true")
    asked = parser.parse_args(argv)
    head(__doc__)
    if not pin(SPARE_CORE):
        say("  one core only: the sender shares it with the server")
    with tempfile.TemporaryDirectory() as folder:
        python = phoenix_python(asked.phoenix, Path(folder) if asked.install_phoenix else None)
        other = phoenix_version(python) if python is not None else ""
        ours, theirs = [], []
        for seed in range(1, asked.rounds + 1):
            ours.append(rate("tracetui", tracetui, asked.spans, seed, recount))
            if python is not None:
                theirs.append(rate("arize-phoenix", lambda at: phoenix(python, at), asked.spans, seed))
    sent = f"{asked.spans:,} spans a round, median of {asked.rounds}, server on core {MEASURED_CORE}"
    figure(f"ingest over HTTP on one core ({sent})", f"{median(ours):,.0f} spans/s", "8,000")
    if not theirs:
        say("  arize-phoenix: not asked for (--phoenix PYTHON or --install-phoenix)")
        return
    figure(f"{other}, the same bodies", f"{median(theirs):,.0f} spans/s")
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    figure(
        "times arize-phoenix, median of the rounds", f"{median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})", "40"
    )


if __name__ == "__main__":
    main()
