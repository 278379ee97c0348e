"""What every door has behind it: settings, the queue into the file, a reader of the file, and things kept for long."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from collector.model import Batch, Receipt, Refusal
from collector.receiver.corridor import WriteQueue
from collector.receiver.decoding import Decoders
from collector.receiver.guard import Guard
from collector.receiver.status import Status
from collector.settings import Settings

if TYPE_CHECKING:
    from collector.store.reader import Reader

T = TypeVar("T")
SAMPLE_CHARS = 400

log = logging.getLogger(__name__)


@dataclass(slots=True)
class House:
    """Shared by all doors, and by all requests at once. `status` is asked anew for every answer."""

    settings: Settings
    queue: WriteQueue
    decoders: Decoders
    status: Callable[[], Status]
    guard: Guard
    turned_away: Counter[str] = field(default_factory=Counter)
    """Who was not let in, by reason: counted here and not in the file, which strangers must not make grow."""
    _kept: dict[str, Any] = field(default_factory=dict)
    _closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def write(self, batch: Batch, *, alone: bool = False) -> Receipt:
        """Store a batch that is already decoded; committed when it returns. Overloaded, StoreBusy, StoreError."""
        return await asyncio.wrap_future(self.queue.accept(bytes, lambda _: batch, alone=alone))

    async def ask(self, question: Callable[[Reader], T]) -> T:
        """Ask the file something, in a worker thread with a reader of its own. NotFound, StoreError."""
        return await asyncio.to_thread(self._ask, question)

    def _ask(self, question: Callable[[Reader], T]) -> T:
        from collector.store import open_reader

        with open_reader(self.settings.db) as reader:
            return question(reader)

    async def count_refusal(self, source: str, reason: str, sample: str) -> None:
        """Put into the ledger that something was turned away as a whole. Trouble with that is nobody's but ours."""
        try:
            await self.write(Batch(source, refused=(Refusal(reason, sample[:SAMPLE_CHARS]),)))
        except Exception as e:  # noqa: BLE001  # the sender is told what was wrong with his request, not with our file
            log.warning("the ledger could not be written: %r", e)

    def keep(self, name: str, make: Callable[[], T]) -> T:
        """The one thing of this name that lives as long as the receiver; made at first use, on the event loop."""
        if name not in self._kept:
            self._kept[name] = make()
        return cast("T", self._kept[name])

    def at_close(self, closer: Callable[[], Awaitable[None]]) -> None:
        """Have something awaited when the receiver ends, before the file is closed: the last added first."""
        self._closers.append(closer)

    async def close(self) -> None:
        """Await what was left with `at_close`."""
        while self._closers:
            with contextlib.suppress(Exception):
                await self._closers.pop()()
