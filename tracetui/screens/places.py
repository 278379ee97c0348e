"""`w`: where a value stood first."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from collector.errors import TracetuiError
from collector.signals import Place
from collector.signals.values import in_text, of_argument
from tracetui import format as fmt
from tracetui.screens.base import Facts
from tracetui.screens.found import Evidence, FoundScreen, Item
from tracetui.widgets.lines import DocLine
from tracetui.widgets.paint import Line, Part

MOST_VALUES = 20
_QUOTED = re.compile(r'"([^"\\]{2,80})"(\s*:)?')


def values_on(line: DocLine) -> list[str]:
    """What `w` may look for on a line of the inspector: ids, numbers, prices and dates, then what stands in quotes,
    then the value that the line is of, where that is short."""
    text = "".join(part for part, _ in line.parts)
    found = [one.text for one in in_text(text)]
    found += [words for words, is_name in _QUOTED.findall(text) if not is_name]
    value = line.here.value
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        whole = str(value).strip()
        if of_argument(value) is not None:
            found.insert(0, whole)
        elif 2 <= len(whole) <= 80 and "\n" not in whole:
            found.append(whole)
    return list(dict.fromkeys(found))[:MOST_VALUES]


class FirstPlacesScreen(FoundScreen):
    """`w`. Asks for a value, and lists where in the trace, and in its session before it, it stands, the first place
    first. `values` are those at hand: `w` or an arrow looks for the next of them."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        ("w", "other(1)", "next value"), ("W", "other(-1)", "previous value"),
        ("down", "other(1)", "next value"), ("up", "other(-1)", "previous value"),
    ]  # fmt: skip

    title_text = "Where does it first appear?"
    starts_at = Input

    def __init__(self, facts: Facts, trace_id: str, values: Sequence[str] = ()) -> None:
        super().__init__(facts, trace_id)
        self._values, self._at = values, 0
        self.about = self._which()

    def compose(self) -> ComposeResult:
        with Vertical(id="found"):
            yield Line(id="title")
            at_first = self._values[0] if self._values else ""
            yield Input(at_first, placeholder="an id, a number, a date, some words", compact=True)
            yield Evidence()

    def on_mount(self) -> None:  # beside FoundScreen's own
        if self._values:
            self._look(self._values[0])
        else:
            self.query_one(Evidence).show([], "type a value, then enter")

    def _which(self) -> str:
        many = len(self._values) > 1
        return f"value {self._at + 1} of {len(self._values)} here, w the next" if many else ""

    def action_other(self, step: int) -> None:
        """Look for another of the values at hand."""
        if len(self._values) > 1:
            self._at = (self._at + step) % len(self._values)
            self.query_one(Input).value = self._values[self._at]
            self.heading(self._which())
            self._look(self._values[self._at])

    @on(Input.Submitted)
    def _asked(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._look(event.value.strip())

    @work(exclusive=True)
    async def _look(self, value: str) -> None:
        shown = self.query_one(Evidence)
        trace_id = self._trace_id
        try:
            places, names = await self._facts.source.ask_slowly(
                lambda reader: (reader.first_places(trace_id, value), reader.span_names(trace_id))
            )
        except TracetuiError as error:
            shown.show([], fmt.plain(str(error)))
            return
        shown.show([place(one, at, names) for at, one in enumerate(places)],
                   "It stands nowhere in this trace, nor in its session before it.")  # fmt: skip
        shown.move_to(0)
        if places:
            shown.focus()


def place(one: Place, at: int, names: dict[str, str]) -> Item:
    """A place as two lines; the first one stands out."""
    side = f"{one.side} {one.message}" if one.message else one.side
    role = f" ({fmt.plain(one.role)})" if one.role else ""
    where = fmt.plain(names.get(one.span_id, "")) or one.span_id[:8]
    first: Part = ("first  " if at == 0 else "then   ", "ok" if at == 0 else "quiet")
    before: tuple[Part, ...] = ((f"{fmt.plain(one.trace)}, an earlier turn  ", "strong"),) if one.trace_id else ()
    what = (first, *before, (where, "accent"), (f"  {side}{role}", "quiet"))
    return Item(what, one.excerpt, one.span_id, one.trace_id)
