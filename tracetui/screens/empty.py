"""Why a screen is empty, and what to type next."""

from __future__ import annotations

import os
from collections.abc import Sequence

from collector.errors import NotFound, TracetuiError
from tracetui import format as fmt
from tracetui.screens.base import Facts
from tracetui.widgets.paint import Part


def endpoint(facts: Facts) -> str:
    """The line that points an OpenTelemetry app at us."""
    return f"export OTEL_EXPORTER_OTLP_ENDPOINT=http://{facts.listening or '127.0.0.1:4318'}"


def check(facts: Facts) -> str:
    """The command that looks at all of the file."""
    return f"tracetui check {fmt.plain(facts.source.path)}"


SHOW_ALL = (("esc", "show all again"), ("f", "change the filter"))


def nothing(facts: Facts, what: str, filter_text: str, keys: Sequence[tuple[str, str]] = SHOW_ALL) -> list[list[Part]]:
    """Lines for an empty list: a title and a table of things to type; `keys` are those that help against a filter."""
    path = fmt.plain(facts.source.path)
    if filter_text and facts.exists and not (facts.expecting and filter_text.startswith("run:")):
        return [
            [(f"No {what} match ", "strong"), (fmt.plain(filter_text), "accent")],
            [],
            *_table(list(keys)),
        ]
    name = path.rsplit("/", 1)[-1]
    if facts.expecting:
        return [[(facts.expecting, "strong")], [(path, "quiet")], [], [("? all keys   q quit", "quiet")]]
    if facts.exists:
        title: list[Part] = [(f"No {what} in ", "text"), (name, "strong"), (" yet.", "text")]
    else:
        title = [(name, "strong"), (" does not exist yet. It will show here as soon as it does.", "text")]
    where: list[Part] = [(path, "quiet")]
    if facts.listening:
        where.append((f"   listening on {facts.listening} (OTLP)", "quiet"))
    rows = [("OpenTelemetry app", endpoint(facts)), ("a Python function", "from collector import observe")]
    rows += [("demo data", "tracetui demo")]
    if not facts.listening:
        rows.insert(0, ("the collector", f"tracetui collect --db {path}"))
    return [title, where, [], *_table(rows), [], [("y copies the export line   ? all keys   q quit", "quiet")]]


def failed(facts: Facts, what: str, error: TracetuiError) -> list[list[Part]]:
    """Lines for a screen that could read nothing. A file that is not there, or that holds nothing, is waited for."""
    if isinstance(error, NotFound):
        facts.exists = False
    elif not _is_blank(facts.source.path):
        return unreadable(facts, error)
    return nothing(facts, what, "")


def _is_blank(path: str) -> bool:
    """Whether it is a file of no bytes: made by `touch`, or by a program that has written nothing yet."""
    try:
        return os.path.getsize(path) == 0
    except OSError:
        return False


def to_search() -> list[list[Part]]:
    """Lines for a search before anything is looked for."""
    rows = [("refund order", "both words"), ('"where is my"', "these words in a row"), ("refund*", "what begins so")]
    rows += [("refund or voucher", "one of them"), ("refund -order", "without the other")]
    rows += [("refund kind:llm since:1d", "said in such spans")]
    return [[("Looks through messages, names, errors and values.", "strong")], [], *_table(rows, "accent", "quiet")]


def not_said(words: str, *, within: bool) -> list[list[Part]]:
    """Lines for a search that found nothing (words), or that has nothing but filters to go by ("")."""
    if not words:
        return to_search()
    among = " in what the filter finds" if within else ""
    said: list[Part] = [(f"Nothing that was said{among} holds ", "strong"), (fmt.plain(words), "accent")]
    rows = [("esc", "leave the search")]
    if within:
        rows.insert(0, ("ctrl+u", "take the filter away"))
    return [said, [], *_table(rows)]


def unreadable(facts: Facts, error: TracetuiError) -> list[list[Part]]:
    """Lines for a file that cannot be read."""
    path = fmt.plain(facts.source.path)
    said: list[list[Part]] = [[(line, "error")] for line in fmt.wrap(fmt.plain(str(error)), 76)]
    title: list[Part] = [(path.rsplit("/", 1)[-1], "strong"), (" cannot be read.", "text")]
    found = [*_table([("what is wrong with it", check(facts))]), [], [("y copies the command", "quiet")]]
    return [title, [], *said, [], *found]


def _table(rows: list[tuple[str, str]], one: str = "quiet", other: str = "accent") -> list[list[Part]]:
    column = max(len(left) for left, _ in rows) + 3
    return [[(left.ljust(column), one), (right, other)] for left, right in rows]
