"""`tracetui import`: files into the store, through the same corridor as everything else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.errors import TracetuiError
from collector.model import Batch, Receipt, Refusal
from tracetui.cli import common

if TYPE_CHECKING:
    from collector.ingest import Ingest

SOURCE = "import"


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@common.db_option
@common.json_option
def import_(files: tuple[Path, ...], db: Path | None, as_json: bool) -> None:
    """Read FILES into the file: native JSON lines, OTLP JSON (one document, or one a line) or OTLP protobuf,
    plain or gzipped; - is standard input. Importing the same file twice changes nothing.
    """
    from collector.ingest import Ingest

    settings = common.resolved(db).settings
    total, failures = Receipt(), []
    with Ingest(settings.db, settings) as ingest:
        for file in files:
            try:
                total = added(total, write(ingest, batches(file)))
            except (TracetuiError, OSError) as error:
                failures.append(_sentence(error))
    if as_json:
        common.print_json(receipt_json(total, settings.db))
    common.note(summary(total, settings.db))
    for failure in failures:
        click.echo(f"Error: {failure}", err=True)
    if failures:
        raise click.exceptions.Exit(1)


def write(ingest: Ingest, found: Iterable[Batch]) -> Receipt:
    """Write what a file holds. What it says was left out counts with new spans only: nothing else tells whether it
    was counted before."""
    total = Receipt()
    left_out: list[Refusal] = []
    for batch in found:
        left_out += batch.sampled_out
        total = added(total, ingest.write(replace(batch, sampled_out=())))
    if left_out and (total.stored or not total.duplicate):
        ingest.write(Batch(SOURCE, sampled_out=tuple(left_out)))
    return total


def batches(file: Path) -> Iterator[Batch]:
    from collector.importers import files

    if str(file) == "-":
        return files.read_stream(sys.stdin.buffer, "standard input")
    return files.read(file)


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
    """One sentence, e.g. "read 12 spans: 10 stored in traces.db, 2 already there"."""
    parts = [f"{total.stored} stored in {db}"]
    if total.duplicate:
        parts.append(f"{total.duplicate} already there")
    if total.clipped:
        parts.append(f"{total.clipped} clipped")
    if total.rejected:
        parts.append(f"{total.rejected} rejected ({'; '.join(total.reasons)})")
    return f"read {total.received} spans: {', '.join(parts)}"


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
