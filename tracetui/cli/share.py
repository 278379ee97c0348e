"""`tracetui share`: a redacted extract to hand to somebody, and what was found in it."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.errors import NotFound, TracetuiError
from tracetui import files
from tracetui.cli import common

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.export.sharing import Shared
    from collector.store.reader import Reader
    from collector.store.rows import TraceRow

DATABASES = (".db", ".sqlite", ".sqlite3")
PAGES = {".html": "html", ".md": "md"}
_ID = re.compile(r"[0-9a-fA-F]{4,32}")


class NotShared(TracetuiError):
    """There is nothing to share, or nowhere to put it."""


@click.command(cls=common.Filtering)
@click.argument("words", metavar="TRACE | [FILTER]…", nargs=-1)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=Path("share.db"), show_default=True,
    help="A file of traces (.db), or a page: .html, .md.",
)  # fmt: skip
@click.option(
    "--profile", type=click.Choice(["pii", "default"]), default="pii", show_default=True,
    help="default: keys, tokens, passwords, card numbers; pii: e-mail, phone and national ids too.",
)  # fmt: skip
@click.option("--keep-users", is_flag=True, help="Leave user ids as they are; else they become hashes.")
@click.option("--dry-run", is_flag=True, help="Only say what is found; write nothing.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many traces [default: all].")
@common.json_option
@common.view_option
@common.db_option
def share(
    words: tuple[str, ...], views: tuple[str, ...], output: Path, profile: str, keep_users: bool, dry_run: bool,
    limit: int | None, as_json: bool, db: Path | None,
) -> None:  # fmt: skip
    """Write TRACE, or the traces that FILTER finds, whole and redacted into a file of their own, and list what was
    found: kinds and counts, no values.

    Patterns find what looks like a secret. Read through it before you send it.
    """
    from collector.export import sharing

    if output.suffix not in (*PAGES, *DATABASES):
        raise click.UsageError(f"{output.name}: a share is a file of traces (.db) or a page (.html, .md)")
    if output.exists() and not dry_run:
        raise NotShared(f"{output} is there already; give another name with -o")
    settings = common.resolved(db).settings
    with common.opened(db) as reader, tempfile.TemporaryDirectory(prefix="tracetui-") as folder:
        rows = _rows(reader, words, views, limit)
        path = Path(folder, "share.db")  # beside nothing: its lock and log go with the folder
        told = sharing.extract(reader, rows, path, settings, profile=profile, hash_users=not keep_users)
        if not told.traces:
            raise NotShared("there is no such trace, so nothing was written")
        if not dry_run:
            _put(path, output)
    _say(told, None if dry_run else output, as_json)


def _rows(reader: Reader, words: tuple[str, ...], views: tuple[str, ...], limit: int | None) -> Iterator[TraceRow]:
    """One trace by its id, where the one word is the beginning of one; else what a filter finds."""
    from collector.export.whole import found

    if len(words) == 1 and not views and _ID.fullmatch(words[0]):
        try:
            return iter([reader.trace(reader.resolve_trace(words[0]))])
        except NotFound:
            if len(words[0]) == 32:
                raise
    return found(reader, common.parsed(words, views), limit)


def _put(path: Path, output: Path) -> None:
    """The extract as it was asked for, complete or not at all."""
    from collector import store
    from collector.export import formats, whole

    form = PAGES.get(output.suffix)
    if form is None:
        with files.destination(output) as out, path.open("rb") as extract:
            shutil.copyfileobj(extract, out)
        return
    with store.open_reader(path) as reader:
        files.written(output, formats.of_traces(reader, form, whole.found(reader), "shared traces"))


def _say(told: Shared, output: Path | None, as_json: bool) -> None:
    if as_json:
        shape: dict[str, Any] = {
            "output": None if output is None else str(output), "traces": told.traces, "spans": told.spans,
            "found": told.found, "files": told.files, "refused": told.refused,
        }  # fmt: skip
        common.print_json(shape)
        return
    where = "nothing was written" if output is None else f"written to {output}"
    click.echo(f"{told.traces} trace{'s'[: told.traces != 1]}, {told.spans} span{'s'[: told.spans != 1]}: {where}")
    if told.found:
        click.echo("found and replaced, different values:")
        for kind, count in told.found.items():
            click.echo(f"  {count:>5}  {kind}")
    else:
        click.echo("found nothing that looks like a secret")
    if told.refused:
        click.echo(f"{told.refused} spans could not be written and are left out")
    if told.files:
        click.echo(f"{told.files} pictures or files are in it, which cannot be looked into")
    click.echo("Patterns find what looks like a secret: read through it before you send it.")
