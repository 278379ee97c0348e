"""What says that this process lives: its row before its first spans, a heartbeat while spans are open, its end."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic, time_ns
from typing import TYPE_CHECKING

from collector.sdk.process import this_process

if TYPE_CHECKING:
    from collector.model import Batch, Process
    from collector.settings import Settings


class Pulse:
    """Of one worker, and its thread's."""

    def __init__(self, settings: Settings) -> None:
        self.process = this_process(settings.service or "")
        self.every_s = settings.heartbeat_s
        self.known = False
        self.beat_at = -1e9

    @property
    def next_at(self) -> float:
        """When the next heartbeat is due, if spans are open then (monotonic seconds)."""
        return self.beat_at + self.every_s

    def beat(self, batch: Batch, *, alive: bool) -> Batch:
        """Add the process row before its first spans, and every heartbeat while spans are open (`alive`)."""
        now = monotonic()
        due = alive and now >= self.next_at
        if not due and (self.known or not batch.parts):
            return batch
        self.known = True
        self.beat_at = now
        return replace(batch, processes=(replace(self.process, heartbeat_ns=time_ns()),))

    def end(self) -> tuple[Process, ...]:
        """The row as the process ends; none when nobody heard of it."""
        now = time_ns()
        return (replace(self.process, heartbeat_ns=now, ended_ns=now),) if self.known else ()
