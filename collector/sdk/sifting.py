"""Sampling as the worker does it: what of a batch is to be written now, and the count of what never will be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from collector.model import Batch, Rank, Refusal
from collector.sampling import Sampler
from collector.sdk.live import outermost

if TYPE_CHECKING:
    from collector.sdk.live import Span
    from collector.sdk.parts import Maker
    from collector.settings import Settings


class Sifter:
    """Belongs to whoever holds the worker's `taking`."""

    def __init__(self, settings: Settings, maker: Maker, failed: Callable[[str, Exception], None]) -> None:
        self.sampler = Sampler(settings)
        self.maker = maker
        self.left_out: dict[str, int] = {}
        self.failed = failed

    @property
    def waiting(self) -> bool:
        """Whether `sift` should be called again in a while, with nothing if need be."""
        return self.sampler.waiting

    def meet(self, span: Span) -> None:
        """A span began. That which begins a trace here gives it its name."""
        if not self.sampler.is_new(span.trace_id):
            return
        try:
            self.sampler.meet(self.maker.part(outermost(span), Rank.STARTED))
        except Exception as e:
            self.failed("sampling", e)

    def sift(self, batch: Batch, *, ending: bool = False) -> Batch:
        """What of a batch is to be written now. `ending` when nothing more will come."""
        parts = tuple(self.sampler.sift(batch.parts, monotonic()))
        if ending:
            self.sampler.give_up()
        left_out = map(self._counted, self.sampler.left_out())
        return replace(batch, parts=parts, sampled_out=(*batch.sampled_out, *left_out))

    def _counted(self, one: Refusal) -> Refusal:
        """With what it comes to so far, so that who hears of it twice counts it once."""
        total = self.left_out[one.reason] = self.left_out.get(one.reason, 0) + one.count
        return replace(one, process_id=self.maker.process_id, total=total)


def pieces(batch: Batch, most_parts: int) -> list[Batch]:
    """A batch in pieces that the sink can take at once: a long trace may have been released. None for an empty one."""
    parts = batch.parts
    if not (parts or batch.scores or batch.processes or batch.sampled_out):
        return []
    first = replace(batch, parts=parts[:most_parts]) if len(parts) > most_parts else batch
    rest = range(most_parts, len(parts), most_parts)
    return [first, *(Batch(batch.source, parts[at : at + most_parts]) for at in rest)]
