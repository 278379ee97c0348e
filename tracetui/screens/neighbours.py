"""From one trace to the next: as the list it was opened from has them, with its filter and its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from textual import work
from textual.message import Message

from collector.errors import TracetuiError
from collector.store.lists import TRACES, place
from collector.store.rows import SearchHit
from tracetui.screens.base import ExplorerScreen
from tracetui.source import Reader, Where
from tracetui.widgets.columns import Order


@dataclass(frozen=True, slots=True)
class Stop:
    """Where to go: a trace, a span of it, and what was said there."""

    trace_id: str
    span_id: str | None = None
    said: str | None = None


class Around(Protocol):
    """What lies around a trace."""

    def step(self, reader: Reader, trace_id: str, by: int) -> tuple[Stop, Around] | None:
        """The next one (by 1), or the one before (-1), and what lies around that. None at the end."""


@dataclass(frozen=True, slots=True)
class InList:
    """A list of traces. It is asked anew at each step: what came meanwhile counts."""

    where: Where | None
    order: Order

    def step(self, reader: Reader, trace_id: str, by: int) -> tuple[Stop, Around] | None:
        here = place(TRACES, reader.trace(trace_id), self.order.sort)
        filters = {} if self.where is None else {"where": self.where}
        way = {"after": here} if by > 0 else {"before": here}
        rows = reader.traces(**filters, limit=1, sort=self.order.sort, **way)
        return (Stop(rows[0].trace_id), self) if rows else None


@dataclass(frozen=True, slots=True)
class InHits:
    """What a search found, as it stood there."""

    hits: Sequence[SearchHit]
    at: int

    def step(self, reader: Reader, trace_id: str, by: int) -> tuple[Stop, Around] | None:
        at = self.at + by
        if not 0 <= at < len(self.hits):
            return None
        hit = self.hits[at]
        return Stop(hit.trace_id, hit.span_id, said_in(hit)), InHits(self.hits, at)


def said_in(hit: SearchHit) -> str | None:
    """The words of a hit as they were said."""
    return hit.snippet[slice(*hit.marks[0])] if hit.marks else None


class HasNeighbours(ExplorerScreen):
    """A screen of one trace that was opened from among others."""

    trace_id: str
    around: Around | None = None
    said: str | None = None

    class Step(Message):
        """The user wants to see another trace in place of this one."""

        def __init__(self, to: Stop, around: Around) -> None:
            super().__init__()
            self.to, self.around = to, around

    def action_next_trace(self) -> None:
        self._step(1)

    def action_previous_trace(self) -> None:
        self._step(-1)

    @work(exclusive=True, group="neighbours")
    async def _step(self, by: int) -> None:
        around, trace_id = self.around, self.trace_id
        if around is None:
            self.app.notify("This trace was not opened from a list.", markup=False)
            return
        try:
            found = await self.facts.source.ask_slowly(lambda reader: around.step(reader, trace_id, by))
        except TracetuiError as error:
            self.show_error(error)
            return
        if found is None:
            self.app.notify(f"This is the {'last' if by > 0 else 'first'} one of the list.", markup=False)
        else:
            self.post_message(self.Step(*found))
