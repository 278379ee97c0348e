"""What `tracetui traces`, `spans` and `sessions` do alike: a filter's rows, as columns, JSON or the SQL behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import click

from tracetui.cli import common

if TYPE_CHECKING:
    from collector.store.filters import Filter
    from collector.store.reader import Reader
    from tracetui.pieces import Json

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """`what` names the rows (traces), `order` is how they come unless another `--sort` is asked for, `one` the words of
    the command that shows one of them; `none_yet` is said of a file without any. `rows` and `as_json` read them:
    (reader, filter, limit, sort). `lines` tells them in so many cells, None for as many as they take."""

    what: str
    order: str
    one: tuple[str, ...]
    none_yet: str
    rows: Callable[[Reader, Filter, int, str], Sequence[Row]]
    as_json: Callable[[Reader, Filter, int, str], list[Json]]
    lines: Callable[[Sequence[Row], int | None], list[str]]

    def run(
        self, words: tuple[str, ...], views: tuple[str, ...], db: Path | None, limit: int, sort: str | None,
        show_sql: bool, as_json: bool, max_tokens: int | None,
    ) -> None:  # fmt: skip
        """What the command does that was given the options of `common.list_options`."""
        where, order = common.parsed(words, views), sort or self.order
        with common.opened(db) as reader:
            if show_sql:
                click.echo(reader.list_sql(self.what, where, limit=limit, sort=order))
                return
            common.note_left_out(reader.sampled_out())
            see = common.narrower(f"`{common.command(db, *self.one)}` shows one")
            if as_json:
                common.print_json(self.as_json(reader, where, limit, order), max_tokens, see)
                return
            rows = self.rows(reader, where, limit, order)
        if rows:
            common.print_lines(self.lines(rows, common.width(max_tokens)), max_tokens, see)
        else:
            common.note(f"no {self.what} match" if where else self.none_yet)
