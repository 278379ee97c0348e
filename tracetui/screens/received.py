"""What arrived, by source, and what became of it: the ledger's panel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical

from collector.errors import NotFound, TracetuiError
from collector.store.received import SourceSum, by_source
from collector.store.unmapped import UnmappedKey, unmapped_keys
from tracetui import format as fmt
from tracetui.screens.base import Facts
from tracetui.screens.modal import Modal
from tracetui.source import Reader
from tracetui.widgets.line_list import ReadLines
from tracetui.widgets.paint import Line, Part

if TYPE_CHECKING:
    from collector.store import reader as stored

AGAIN_S = 1.0
INKS = {"rejected": "error", "clipped": "abandoned"}


class Received(ReadLines):
    """Sources with their sums and reasons; below them the attributes that no convention knows."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = [[("  reading …", "quiet")]]

    def show(self, lines: list[list[Part]]) -> None:
        if lines != self._lines:
            self._lines = lines
            self.styles.height = len(lines)
            self.virtual_size = self.virtual_size.with_height(len(lines))
            self.refresh()


class ReceivedScreen(Modal[None]):
    """`i`. Looks again every second, for it is watched while one gets a client to send."""

    BINDINGS = [("escape,q,i", "close", "close")]  # noqa: RUF012 - Textual's way

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self._facts = facts
        self._keys: tuple[list[UnmappedKey], int] = ([], 0)

    def compose(self) -> ComposeResult:
        with Vertical(id="received"):
            yield Line(id="title")
            yield Received()

    def on_mount(self) -> None:
        self.query_one("#title", Line).show([("  What arrived", "strong")], [("esc closes  ", "quiet")])
        self.query_one(Received).focus()
        self._look_for_keys()
        self._look()
        self.set_interval(AGAIN_S, self._look)

    @work(exclusive=True, group="received")
    async def _look(self) -> None:
        try:
            sums = await self._facts.source.ask(lambda reader: by_source(reader.ledger(), reader.last_seen()))
        except TracetuiError as error:
            width = max(self.query_one(Received).size.width - 4, 20)
            self.query_one(Received).show(_failed(self._facts, error, width))
            return
        self.query_one(Received).show([*lines(sums, self._facts), *key_lines(*self._keys)])

    @work(exclusive=True, group="keys")
    async def _look_for_keys(self) -> None:
        try:
            self._keys = await self._facts.source.ask_slowly(_unmapped)
        except TracetuiError:
            return  # the other look says what is wrong with the file
        self._look()

    def action_close(self) -> None:
        self.dismiss(None)


def _failed(facts: Facts, error: TracetuiError, width: int) -> list[list[Part]]:
    if isinstance(error, NotFound):
        return lines((), facts)
    return [[(f"  {line}", "error")] for line in fmt.wrap(fmt.plain(str(error)), width)]


def _unmapped(reader: Reader) -> tuple[list[UnmappedKey], int]:
    return unmapped_keys(cast("stored.Reader", reader))


def lines(sums: Sequence[SourceSum], facts: Facts) -> list[list[Part]]:
    """Two lines a source, and one for each reason why something is not there as it was sent."""
    if not sums:
        where = f"Send to {facts.listening}." if facts.listening else "`tracetui collect` listens; nobody does in here."
        return [[("  Nothing has arrived in this file yet.", "text")], [("  " + where, "quiet")]]
    out: list[list[Part]] = []
    for one in sums:
        last = fmt.age(one.last_ns, facts.now_ns())
        told = f"   {last}" if last == "now" else f"   {last} ago"
        out.append([(f"  {fmt.plain(one.source)}", "accent"), (told if last else "", "quiet")])
        counts = [(name, n) for name, n in one.counts.items() if n or name in ("received", "stored")]
        out.append(
            [
                ("    ", "text"),
                *_spread((f"{fmt.count(n)} {name.replace('_', ' ')}", INKS.get(name, "text")) for name, n in counts),
            ]
        )
        if one.conventions:
            read = "  ".join(f"{fmt.plain(name)} {fmt.count(n)}" for name, n in one.conventions.items())
            out.append([("    read as  ", "quiet"), (read, "text")])
        for why in one.reasons:
            sample = f"  {fmt.plain(why.sample)}" if why.sample else ""
            said = f"    {fmt.count(why.count)} {why.outcome.replace('_', ' ')}: {fmt.plain(why.reason)}"
            out.append([(said, INKS.get(why.outcome, "text")), (sample, "quiet")])
        out.append([])
    return out[:-1]


def key_lines(keys: Sequence[UnmappedKey], more: int) -> list[list[Part]]:
    """The attributes that are kept, and that nothing was read from."""
    if not keys:
        return []
    out: list[list[Part]] = [[], [("  Attributes that no convention knows", "accent")]]
    for one in keys:
        noun = "span" if one.spans == 1 else "spans"
        spans = f"  {fmt.count(one.spans)} {noun}  {fmt.plain(one.scope)}"
        out += [[(f"    {fmt.plain(one.key)}", "text"), (spans, "quiet")]]
    if more:
        out.append([(f"    and {fmt.count(more)} more", "quiet")])
    return out


def _spread(parts: Iterable[Part]) -> list[Part]:
    return [one for part in parts for one in (part, ("   ", "text"))]
