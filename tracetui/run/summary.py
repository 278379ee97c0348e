"""What a run came to, in two lines."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from pathlib import Path

from tracetui import format as fmt

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Sums:
    """Of all traces of a run. `tokens` and `cost_nanousd` are None while nothing of the kind is known."""

    traces: int = 0
    spans: int = 0
    errors: int = 0
    tokens: int | None = None
    cost_nanousd: int | None = None
    unpriced: int = 0
    sampled_out: int = 0
    """Of the whole file."""


def read(db: Path, run: str) -> Sums:
    """Add up the traces that a run has a span in."""
    from collector.store import filters, open_reader
    from collector.store.rows import Page

    where = filters.parse(f"run:{run}", time.time_ns())
    tokens: int | None = None
    after: Page | None = None
    with open_reader(db) as reader:
        totals = reader.totals(where)
        while rows := reader.traces(where, limit=PAGE, after=after):
            for row in rows:
                known = [n for n in (row.usage.input_tokens, row.usage.output_tokens) if n is not None]
                tokens = (tokens or 0) + sum(known) if known else tokens
            after = Page(rows[-1].start_ns, rows[-1].trace_id) if len(rows) == PAGE else None
            if after is None:
                break
    return Sums(
        totals.traces, totals.spans, totals.errors, tokens, totals.cost_nanousd, totals.unpriced_calls,
        totals.sampled_out,
    )  # fmt: skip


def lines(sums: Sums, *, db: Path, run: str, seconds: float, ended: str, auto: bool) -> list[str]:
    """Sentences for the terminal. `ended` says how the command did."""
    if not sums.traces:
        untried = "for a Python program that traces nothing yet, try --auto"
        hint = "docs/run.md says what --auto can trace" if auto else untried
        return [f"{ended} after {seconds:.1f} s and sent no spans; {hint}"]
    counts = [_count(sums.traces, "trace"), _count(sums.spans, "span"), _count(sums.errors, "error")]
    if sums.tokens is not None:
        counts.append(f"{fmt.tokens(sums.tokens)} tokens")
    if sums.cost_nanousd is not None:
        counts.append(fmt.money(sums.cost_nanousd))
    if sums.unpriced:
        counts.append(f"{sums.unpriced} unpriced {'call' if sums.unpriced == 1 else 'calls'}")
    return [
        f"{ended} after {seconds:.1f} s: {', '.join(counts)}",
        *([f"in all of the file, {fmt.left_out(sums.sampled_out)}"] if sums.sampled_out else []),
        f"tracetui {shlex.quote(str(db))} --filter run:{run}",
    ]


def how_it_ended(name: str, code: int) -> str:
    """`agent.py ended with exit code 3`, `python was ended by SIGTERM`."""
    import signal

    if code > 128:
        try:
            return f"{name} was ended by {signal.Signals(code - 128).name}"
        except ValueError:
            pass
    return f"{name} ended" if code == 0 else f"{name} ended with exit code {code}"


def _count(n: int, word: str) -> str:
    return f"{fmt.count(n)} {word}{'' if n == 1 else 's'}"
