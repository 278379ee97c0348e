"""What the reading commands share: their options, opening the file, and the way out."""

from __future__ import annotations

import json
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from collector.errors import NotFound
from collector.settings import Resolved, resolve
from tracetui import format as fmt
from tracetui.cli import budget, budget_lines, rooms, table

if TYPE_CHECKING:
    from collector.store.filters import Filter
    from collector.store.reader import Reader

F = TypeVar("F", bound=Callable[..., Any])
MARK = "\x00"
BUDGET_CELLS = 110
"""As wide as tables get under --max-tokens."""


class Filtering(click.Command):
    """A command whose filter may begin with a minus: `tracetui traces -name:health` is no option."""

    NEGATED = re.compile(r"-(?:\(|\"|[A-Za-z_.][\w.]*:|(?:attr|res|meta|score)\.\S+)")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        marked = [MARK + arg if self.NEGATED.match(arg) else arg for arg in args]
        return super().parse_args(ctx, marked)


def filter_argument(command: F) -> F:
    """FILTER: any number of words, joined; the command gets `words`, for `parsed`."""
    return click.argument("words", metavar="[FILTER]…", nargs=-1)(command)


def db_option(command: F) -> F:
    path = click.Path(path_type=Path, dir_okay=False, readable=False)  # opening says why it cannot be read
    return click.option("--db", type=path, help="The file to read [default: the project's].")(command)


def json_option(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def budget_option(command: F) -> F:
    """--max-tokens N; the command gets `max_tokens`, for `print_json` and `print_lines`."""
    about = f"Cut the answer to about so many tokens of {rooms.CHARS} characters, the most useful first."
    kind = click.IntRange(min=budget.SMALLEST)
    return click.option("--max-tokens", metavar="N", type=kind, help=about)(command)


def show_sql_option(command: F) -> F:
    return click.option("--show-sql", is_flag=True, help="Print the SQL behind it and its plan instead.")(command)


def list_options(sorts: str) -> Callable[[F], F]:
    """--db, --limit, --sort, --show-sql, --max-tokens and --json. `sorts` lists the sort names, the default first."""

    def decorate(command: F) -> F:
        command = budget_option(json_option(command))
        command = show_sql_option(command)
        command = click.option("--sort", metavar="NAME", help=f"{sorts}; a leading - turns it round.")(command)
        command = click.option(
            "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many."
        )(command)
        return db_option(view_option(command))

    return decorate


def parsed(words: tuple[str, ...], views: tuple[str, ...] = ()) -> Filter:
    """The filter a command was given, and the saved ones it names; FilterError says where it cannot be read."""
    from collector.store import filters

    text = " ".join([*(f"view:{name}" for name in views), *(word.removeprefix(MARK) for word in words)])
    saved = resolve().settings.views if "view:" in text.lower() else {}
    return filters.parse_with(text, time.time_ns(), saved)


def view_option(command: F) -> F:
    """--view NAME, any number of times; the command gets `views`, for `parsed`."""
    return click.option("--view", "views", metavar="NAME", multiple=True, help="Only what this saved filter finds.")(
        command
    )


def resolved(db: Path | None) -> Resolved:
    """The settings in force for a command that was given `--db` or not; doubts go to stderr."""
    found = resolve(db=db)
    for warning in found.warnings:
        note(warning)
    return found


@contextmanager
def opened(db: Path | None) -> Iterator[Reader]:
    """The file, open for reading. NotFound when it is not there; what is odd about it goes to stderr."""
    from collector import spilled, store

    path = resolved(db).settings.db
    if waiting := spilled.beside(path):
        note(fmt.spilled(waiting, path))
    if not path.exists():
        raise NotFound(f"there is no file {path}; name one with --db, or make one with `tracetui demo`")
    with store.open_reader(path) as reader:
        told = reader.state.note
        if told:
            note(told)
        yield reader
        if reader.state.note and reader.state.note != told:
            note(reader.state.note)


def print_json(document: object, max_tokens: int | None = None, see: str = "") -> None:
    """One strict JSON document on stdout, in UTF-8 where stdout can, else in ASCII. With `max_tokens` it is written
    without spaces and cut to that, and `see` says where the rest is."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    if max_tokens is None:
        text = json.dumps(document, ensure_ascii=not utf8, allow_nan=False, indent=2)
    else:
        written = rooms.Written(ascii=not utf8)
        text = written.text(budget.fit_json(document, max_tokens, see, written))
    sys.stdout.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")


def print_lines(
    lines: Iterable[str], max_tokens: int | None = None, see: str = "", ranks: Sequence[int] = ()
) -> None:  # fmt: skip
    """Lines on stdout; with `max_tokens` as many as that holds, without colour, those of the lowest rank first."""
    if max_tokens is not None:
        lines = budget_lines.fit_lines([click.unstyle(line) for line in lines], max_tokens, see, ranks)
    for line in lines:
        click.echo(line)


def width(max_tokens: int | None) -> int | None:
    """Cells a table may take: the terminal's; with a budget no more than tell something."""
    return table.screen_width() if max_tokens is None else BUDGET_CELLS


def command(db: Path | None, *words: str) -> str:
    """A command line of ours as one would type it, on the same file."""
    return shlex.join(["tracetui", *words, *(["--db", str(db)] if db else [])])


def narrower(shows: str) -> str:
    """Where the rest of a list is."""
    return f"a narrower filter, --limit or a larger --max-tokens; {shows}"


def note_left_out(spans: int) -> None:
    """Beside figures that may be added up: how many spans of the file's programs were not kept, if any."""
    if spans:
        note(fmt.left_out(spans))


def note(message: str) -> None:
    """Talk goes to stderr, so that stdout holds nothing but the answer."""
    click.echo(f"tracetui: {message}", err=True)
