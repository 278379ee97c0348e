"""`tracetui check`: is the file whole; `--fold` makes one file of traces.db*."""

from __future__ import annotations

from pathlib import Path

import click

from collector.errors import NotFound, StoreError
from tracetui.cli import common


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--fold", is_flag=True, help="Move what traces.db-wal holds into traces.db, so that one file is all.")
@common.db_option
@common.json_option
def check(file: Path | None, fold: bool, db: Path | None, as_json: bool) -> None:
    """Check that the file is undamaged. Exit 1 when it is not."""
    from collector.store import open_reader, upkeep

    path = file or common.resolved(db).settings.db
    if not path.exists():
        raise NotFound(f"there is no file {path}; name one: `tracetui check FILE`")
    try:
        with open_reader(path) as reader:
            if reader.state.note:
                common.note(reader.state.note)
    except StoreError as error:  # no file of ours, or nothing of it can be read: nothing to fold, either
        if as_json:
            common.print_json({"db": str(path), "ok": False, "problems": [str(error)], "folded": False})
        raise
    folded = upkeep.fold(path) if fold else None
    found = upkeep.problems(path)
    if as_json:
        common.print_json({"db": str(path), "ok": not found, "problems": found, "folded": folded is not None})
    if folded is not None:
        common.note(
            f"{path} alone is everything now: {folded.size_bytes:,} bytes (its -wal had {folded.moved_bytes:,})"
        )
    if found:
        raise StoreError(f"{path} is damaged: {'; '.join(found[:3])}; `tracetui {path}` shows what can still be read")
    common.note(f"{path} is whole")
