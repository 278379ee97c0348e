"""`tracetui import`: files into the store, through the same corridor as everything else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.errors import TracetuiError
from collector.model import Batch, Receipt, Refusal
from tracetui import format as fmt
from tracetui.cli import common

if TYPE_CHECKING:
    from collector.importers.follow import Follower
    from collector.importers.lines import Together
    from collector.ingest import Ingest

SOURCE = "import"
POLL_S = 0.25
LOOK_S = 5.0
"""So long it goes on, at most, looking for signals in what it has read: enough for some 10,000 spans."""
BAR_BYTES = 2**20
"""Below this much to read, there is no time to look at a progress bar."""


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--follow", is_flag=True, help="Go on with what is added to the files, until Ctrl-C.")
@common.db_option
@common.json_option
def import_(files: tuple[Path, ...], follow: bool, db: Path | None, as_json: bool) -> None:
    """Read FILES, or all that is below a directory, into the file; - is standard input.

    What a file is, is told from its bytes: our own JSON lines, OTLP (JSON, JSON lines, protobuf), Claude Code and Codex
    session logs, the logs.db of `llm`, exports of Langfuse, Phoenix and LangSmith; each plain or packed with gzip, zstd
    or zip. Importing the same file twice changes nothing.
    """
    from collector.importers.follow import Follower
    from collector.ingest import Ingest

    settings = common.resolved(db).settings
    if follow and any(str(file) == "-" for file in files):
        raise click.UsageError("--follow is for files; what comes through a pipe is read as it comes anyhow")
    failures: list[str] = []
    with Ingest(settings.db, settings) as ingest:
        if follow:
            total = followed(Follower(files), ingest, threading.Event())
        else:
            total, failures = all_of(files, ingest)
            ingest.look(within_s=LOOK_S)
    if as_json:
        common.print_json(receipt_json(total, settings.db))
    common.note(summary(total, settings.db))
    note_unlooked(settings.db, db)
    for failure in failures:
        click.echo(f"Error: {failure}", err=True)
    if failures:
        raise click.exceptions.Exit(1)


def note_unlooked(path: Path, db: Path | None) -> None:
    """How many traces of the file still wait to be looked at for signals, and what to type for that."""
    from collector.store import open_reader
    from collector.store.signals import MOST_WAITING

    with suppress(TracetuiError), open_reader(path) as reader:
        if waiting := reader.unlooked():
            common.note(f"{fmt.unlooked(waiting, MOST_WAITING)}; `{common.command(db, 'signals', '--look')}` does")


def all_of(roots: Sequence[Path], ingest: Ingest, since_ns: int = 0) -> tuple[Receipt, list[str]]:
    """Everything that these files and directories hold: what became of it, and which files could not be read."""
    from collector.importers import follow
    from collector.importers.lines import Together

    together, total, failures = Together(), Receipt(), []
    paths = follow.found(roots, since_ns)
    below = {path for path in paths if path not in roots}
    with progress(paths) as told:
        for path in paths:
            stored: list[Receipt] = []
            try:
                write(ingest, batches(path, together, partial(told, path)), stored)
            except (TracetuiError, OSError) as error:
                if path in below:  # nobody said that each file of a directory holds traces
                    ingest.write(Batch(SOURCE, refused=(Refusal("a file that is read by nobody", _sentence(error)),)))
                    total = added(total, Receipt(1, rejected=1, reasons=("a file that is read by nobody",)))
                else:
                    failures.append(_sentence(error))
            total = reduce(added, stored, total)
            told(path, None)
    return total, failures


def progress(paths: Sequence[Path]) -> AbstractContextManager[Callable[[Path, int | None], None]]:
    """A bar on a terminal's stderr, where there is enough to read. It hears how far a file has been read, in bytes;
    None is all of it."""
    sizes = {path: path.stat().st_size if path.exists() else 0 for path in paths}
    if sum(sizes.values()) < BAR_BYTES or not sys.stderr.isatty():
        return nullcontext(lambda path, at: None)
    return Bar(sizes)


class Bar(AbstractContextManager[Callable[[Path, "int | None"], None]]):
    def __init__(self, sizes: dict[Path, int]) -> None:
        self._left = sizes
        self._bar = click.progressbar(length=sum(sizes.values()), label="importing", file=sys.stderr)
        self._sizes = dict(sizes)

    def __enter__(self) -> Callable[[Path, int | None], None]:
        self._bar.__enter__()
        return self._move

    def _move(self, path: Path, at: int | None) -> None:
        left = max(0, self._sizes[path] - at) if at is not None else 0
        if (step := self._left[path] - left) > 0:
            self._left[path] = left
            self._bar.update(step)

    @property
    def done(self) -> int:
        """How many bytes the bar stands for by now."""
        return self._bar.pos

    def __exit__(self, *error: Any) -> None:
        self._bar.__exit__(*error)


def followed(follower: Follower, ingest: Ingest, stop: threading.Event) -> Receipt:
    """Everything that is there and that comes, until `stop` is set or Ctrl-C is pressed."""
    total = Receipt()
    try:
        while True:
            stored: list[Receipt] = []
            write(ingest, follower.poll(), stored)
            total = reduce(added, stored, total)
            ingest.chores()
            if stop.wait(POLL_S):
                return total
    except KeyboardInterrupt:
        return total
    finally:
        follower.close()


def write(ingest: Ingest, found: Iterable[Batch], stored: list[Receipt]) -> None:
    """Write what a file holds; what became of it is added to `stored`, also where the file breaks off. What it says was
    left out counts with new spans only: nothing else tells whether it was counted before."""
    from collector.importers.namesakes import Namesakes, stored_id

    left_out: list[Refusal] = []
    namesakes = Namesakes(partial(stored_id, ingest.path))
    for batch in found:
        left_out += batch.sampled_out
        library = namesakes.settled(batch.library)
        stored.append(ingest.write(replace(batch, sampled_out=(), library=library)))
    for name, there in namesakes.names.items():
        common.note(f"there is a dataset {name!r} already ({there}): what the file has of it was added to that one")
    if left_out and (any(one.stored for one in stored) or not any(one.duplicate for one in stored)):
        ingest.write(Batch(SOURCE, sampled_out=tuple(left_out)))


def batches(
    file: Path, together: Together | None = None, told: Callable[[int], None] = lambda at: None
) -> Iterator[Batch]:
    from collector.importers import files

    if str(file) == "-":
        return files.read_stream(sys.stdin.buffer, "standard input", together)
    return files.read(file, together, told)


def _sentence(error: TracetuiError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def added(one: Receipt, other: Receipt) -> Receipt:
    return Receipt(
        one.received + other.received,
        one.stored + other.stored,
        one.duplicate + other.duplicate,
        one.clipped + other.clipped,
        one.rejected + other.rejected,
        tuple(dict.fromkeys(one.reasons + other.reasons)),
    )


def summary(total: Receipt, db: Path) -> str:
    """One sentence, e.g. "read 12 records: 10 stored in traces.db, 2 already there". Records are spans, log records,
    scores: one span may come in several."""
    parts = [f"{total.stored} stored in {db}"]
    if total.duplicate:
        parts.append(f"{total.duplicate} already there")
    if total.clipped:
        parts.append(f"{total.clipped} clipped")
    if total.rejected:
        parts.append(f"{total.rejected} rejected ({'; '.join(total.reasons)})")
    records = "record" if total.received == 1 else "records"
    return f"read {total.received} {records}: {', '.join(parts)}"


def receipt_json(total: Receipt, db: Path) -> dict[str, object]:
    return {
        "db": str(db),
        "received": total.received,
        "stored": total.stored,
        "duplicate": total.duplicate,
        "clipped": total.clipped,
        "rejected": total.rejected,
        "reasons": list(total.reasons),
    }
