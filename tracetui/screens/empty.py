"""Why a screen is empty, and what to type next."""

from __future__ import annotations

from collector.errors import TracetuiError
from tracetui import format as fmt
from tracetui.screens.base import Facts
from tracetui.widgets.paint import Part


def endpoint(facts: Facts) -> str:
    """The line that points an OpenTelemetry app at us."""
    return f"export OTEL_EXPORTER_OTLP_ENDPOINT=http://{facts.listening or '127.0.0.1:4318'}"


def nothing(facts: Facts, what: str, filter_text: str) -> list[list[Part]]:
    """Lines for an empty list: a title and a table of things to type."""
    path = fmt.plain(facts.source.path)
    if filter_text and not (facts.expecting and filter_text.startswith("run:")):
        return [
            [(f"No {what} match ", "strong"), (fmt.plain(filter_text), "accent")],
            [],
            *_table([("esc", "show all again"), ("f", "change the filter")]),
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


def unreadable(facts: Facts, error: TracetuiError) -> list[list[Part]]:
    """Lines for a file that cannot be read."""
    path = fmt.plain(facts.source.path)
    said: list[list[Part]] = [[(line, "error")] for line in fmt.wrap(fmt.plain(str(error)), 76)]
    title: list[Part] = [(path.rsplit("/", 1)[-1], "strong"), (" cannot be read.", "text")]
    return [title, [], *said, [], *_table([("what is wrong with it", f"tracetui check {path}")])]


def _table(rows: list[tuple[str, str]]) -> list[list[Part]]:
    column = max(len(left) for left, _ in rows) + 3
    return [[(left.ljust(column), "quiet"), (right, "accent")] for left, right in rows]
