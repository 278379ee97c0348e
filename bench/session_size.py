"""How large is the file of a long session, whose every call resends the whole history, against its unique content?

Each turn is a trace of its own: agent, LLM call with all messages so far, tool; of other clients than those of the
two standards (`resent.py`), an agent that repeats all messages, and the call. "Unique" are the bytes of text that
no turn before had: what a plain text file would need. The file is measured after a clean close, full text caught up;
the last call is read back and compared with what was sent, message by message. CPU is decoding and writing, this
process's own. With --phoenix PYTHON (as for `ingest`) the same bodies also go to arize-phoenix over HTTP.
Budgets: at most 2 times the unique content at 16 KB a turn; 400 turns at most 2.1 times the file of 200.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import resent
from bench.generate import CONVENTIONS, Turn, session_turns
from bench.report import figure, head, load, quiet, say
from bench.resent import Sent
from bench.servers import measure, phoenix, phoenix_version
from collector.ingest import Ingest
from collector.protocols import otlp
from collector.settings import Settings
from collector.store import open_reader

SPANS_A_TURN = 3
HOLD = (16, 200)  # the KB a turn and the turns that the budget is for


@dataclass(frozen=True)
class Measured:
    file_bytes: int
    unique_bytes: int
    wire_bytes: int
    cpu_s: float

    @property
    def ratio(self) -> float:
        return self.file_bytes / self.unique_bytes


def size_of(db: Path) -> int:
    """Bytes of the file and what belongs to it."""
    return sum(path.stat().st_size for path in db.parent.glob(db.name + "*"))


def as_sent(turns: Iterable[Turn]) -> Iterator[Sent]:
    for t in turns:
        decode = partial(otlp.decode_traces, t.body, "application/x-protobuf")
        yield Sent(decode, len(t.body), t.unique_bytes, t.trace_id, t.span_id, t.prompt)


def store(turns: Iterable[Sent], spans_a_turn: int = SPANS_A_TURN) -> Measured:
    """Write a session as a collector would, turn by turn, close the file, and measure it."""
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "traces.db"
        quiet()
        count = unique = wire = 0
        ingest, cpu = Ingest(db, Settings(db=db)), 0.0
        for turn in turns:
            began = time.process_time()
            ingest.write(turn.decode())
            ingest.chores()
            cpu += time.process_time() - began
            count, unique, wire = count + 1, unique + turn.unique_bytes, wire + turn.wire_bytes
        began = time.process_time()
        ingest.close()
        cpu += time.process_time() - began
        check(db, turn, count * spans_a_turn)
        return Measured(size_of(db), unique, wire, cpu)


def check(db: Path, last: Sent, spans: int) -> None:
    """All spans are there, all texts are indexed, and the last call says what was sent."""
    with closing(sqlite3.connect(db)) as file:  # LangSmith and Langfuse 2 have ids of their own kind
        newest = "select trace_id, span_id from spans where kind = 'llm' order by id desc limit 1"
        call = file.execute(newest).fetchone()
    with open_reader(db) as reader:
        found = reader.span(*call).input
        assert found is not None
        told = tuple(
            (m.role, "".join(p["text"] if "text" in p else p["result"] for p in m.parts)) for m in found.messages
        )
        assert reader.totals().spans == spans
        assert reader.search(last.prompt[-1][1].split()[0])
    with closing(sqlite3.connect(db)) as file:
        assert file.execute("select count(*) from todo").fetchone() == (0,)
    sent = [message for message in last.prompt if message[0] != "system"]
    assert [message for message in told if message[0] != "system"] == sent


def sent(convention: str, turns: int, turn_bytes: int) -> Measured:
    if convention in CONVENTIONS:
        return store(as_sent(session_turns(turns, turn_bytes, convention)))
    return store(resent.turns(turns, turn_bytes, convention), resent.SPANS_A_TURN)


def theirs(python: Path, turns: Sequence[Turn]) -> Measured:
    """The same bodies to arize-phoenix, one after the other; its file after it has ended."""
    with tempfile.TemporaryDirectory() as folder:
        with phoenix(python, Path(folder)) as server:
            empty = size_of(server.db)
            bodies = [(SPANS_A_TURN, turn.body) for turn in turns]
            _, _, used = measure(server, bodies, 0)
        unique, wire = sum(turn.unique_bytes for turn in turns), sum(len(turn.body) for turn in turns)
        return Measured(size_of(server.db) - empty, unique, wire, used)


def tell(who: str, m: Measured, budget: str) -> None:
    told = f"{m.ratio:.2f} times ({m.file_bytes / 1e6:,.2f} MB; unique {m.unique_bytes / 1e6:,.2f} MB, on the wire"
    figure(who, f"{told} {m.wire_bytes / 1e6:,.1f} MB), {m.cpu_s:.1f} s CPU", budget)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench session_size")
    parser.add_argument("--turns", type=int, nargs="+", default=[50, 100], help="[50 100]; the budgets are for 200 400")
    parser.add_argument("--turn-kb", type=int, nargs="+", default=[2, 16])
    parser.add_argument("--phoenix", type=Path, metavar="PYTHON", help="compare the smallest of the sessions")
    asked = parser.parse_args(argv)
    head(__doc__)
    for turn_kb in asked.turn_kb:
        for convention in (*CONVENTIONS, *resent.CLIENTS):
            sizes: dict[int, int] = {}
            for turns in sorted(asked.turns):
                name = f"{turns} turns of {turn_kb} KB, {convention}"
                found = sent(convention, turns, turn_kb * 1000)
                tell(name, found, "2 times" if (turn_kb, turns) == HOLD else "")
                sizes[turns] = found.file_bytes
            few, many = min(sizes), max(sizes)
            if few < many:
                growth = f"{sizes[many] / sizes[few]:.2f} times the file"
                figure(
                    f"{many} against {few} turns of {turn_kb} KB, {convention}",
                    growth,
                    "2.1" if many == 2 * few else "",
                )
    if asked.phoenix:
        turns, turn_kb = min(asked.turns), min(asked.turn_kb)
        for convention in CONVENTIONS:
            found = theirs(asked.phoenix, list(session_turns(turns, turn_kb * 1000, convention)))
            tell(f"{phoenix_version(asked.phoenix)}, {turns} turns of {turn_kb} KB, {convention}", found, "")
    say(f"  {load()}")


if __name__ == "__main__":
    main()
