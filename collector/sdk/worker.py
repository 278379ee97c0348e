"""The one thread of the SDK: takes spans from the queue, makes parts of them and hands them to the sink.

It commits as soon as there is something and then at most every tick; a span that stays open is written
as started, and while any is, the process sends a heartbeat.
"""

from __future__ import annotations

import threading
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from collector.model import Batch, Rank, SpanPart
from collector.sampling import Sampler
from collector.sdk.forks import of_ancestor, wait_until_gone
from collector.sdk.outbox import CHORES_S, RETRY_S, STUCK_S, Outbox
from collector.sdk.parts import Clock, Maker, may_turn_strict, without_content
from collector.sdk.pulse import Pulse
from collector.sdk.sifting import Sifter, pieces
from collector.sdk.spill import FIRST_SPILL_S, MOST_SPILLING, SPILL_S, take
from collector.settings import Resolved, resolve

if TYPE_CHECKING:
    from collector.sdk.live import Span
    from collector.sdk.queue import Queue

BATCH_SPANS = 1_000
BATCH_BYTES = 4_000_000
REWRITE_NS = 500_000_000
FREE_S = 0.000_003
"""What the interpreter takes to free a span that is not written, after we have let go of it."""
TAKE_S = 0.5
"""How long a rescue waits for spans that are neither queued nor in a batch just now."""


class Worker:
    """Owned by a Queue. Everything but `event`, `flush`, `close` and `alive` belongs to its thread."""

    def __init__(self, queue: Queue, cwd: str) -> None:
        self.queue = queue
        self.cwd = Path(cwd)
        self.event = threading.Event()
        self.answers = threading.Condition()
        self.asked = self.answered = 0
        self.ok = True
        self.stopping = self.pausing = self.paused = False
        self.ended = True
        self.deadline = inf
        self.rescuing, self.taking = threading.Lock(), threading.Lock()
        self.rescued = False
        self.thread: threading.Thread | None = None
        self.open: dict[int, Span] = {}
        self.outbox = Outbox(queue, self.sift)
        self.clock = Clock(queue.now)
        self.resolved: Resolved | None = None
        self.pulse: Pulse | None = None
        self.maker: Maker | None = None
        self.sifter: Sifter | None = None

    # Called from other threads

    def start(self) -> None:
        """Raises RuntimeError where no thread can be started."""
        self.ended = self.paused = False
        self.thread = threading.Thread(target=self.run, name="tracetui-sdk", daemon=True)
        self.thread.start()

    def alive(self) -> bool:
        return self.thread is not None and not self.ended and self.thread.is_alive()

    def busy(self) -> bool:
        """Whether there is something to do even if nothing new comes: open spans want a heartbeat."""
        return bool(self.open or self.outbox.waiting or self.asked > self.answered)

    def flush(self, timeout_s: float) -> bool:
        """Ask for everything to be written, wait for the answer."""
        return self.heard(self.ask(), timeout_s)

    def ask(self) -> int:
        with self.answers:
            self.asked += 1
            self.event.set()
            return self.asked

    def heard(self, mine: int, timeout_s: float) -> bool:
        """Wait for the answer to what was asked."""
        with self.answers:
            return self.answers.wait_for(lambda: self.answered >= mine, timeout_s) and self.ok

    def close(self, timeout_s: float | None = None) -> bool:
        """End the thread; what it could not write in time goes to the spill file."""
        wait_s = timeout_s if timeout_s is not None else self.queue.exit_wait_s()
        waiting = len(self.queue.ends) + sum(len(batch.parts) for batch in self.outbox.batches())
        self.deadline = monotonic() + wait_s - min(waiting * FREE_S, wait_s / 4)
        spill_s = FIRST_SPILL_S + waiting * SPILL_S
        most_s = wait_s - min(spill_s, wait_s * MOST_SPILLING)
        with self.answers:  # in one: nobody would answer what is asked of a thread that has ended
            self.asked += 1
            mine, self.stopping = self.asked, True
        if not self.alive():
            try:
                self.start()
            except RuntimeError:  # the interpreter goes down: write from here
                self.run()
                return self.ok
        self.event.set()
        done = self.heard(mine, min(most_s, 2 * STUCK_S))
        if not done and not (spill_s > wait_s / 2 and self.outbox.stuck()):  # else all the time is for spilling
            done = self.heard(mine, max(0.0, most_s - 2 * STUCK_S))
        if self.thread is not None and done:
            self.thread.join(max(0.0, self.deadline - monotonic()))
        elif not done:
            self.rescue()
        return done

    def pause(self, deadline: float) -> None:
        """End the thread before a fork, without a goodbye: it closes the file, and the next one goes on from here."""
        thread = self.thread
        if thread is None or not self.alive() or thread is threading.current_thread():
            return
        self.pausing = True
        self.event.set()
        thread.join(max(0.0, deadline - monotonic()))
        wait_until_gone(thread, deadline)

    def abandon(self) -> bool:
        """In the child of a fork that did not wait: the file handles belong to the parent, let go without closing.

        True when that was so: then SQLite believes for ever that this process holds the parent's locks.
        """
        self.outbox.abandon()
        return not (self.ended or self.paused)

    def rescue(self) -> None:
        """Spill what is left, on the thread that waits for the exit or on ours, until the exit can wait no longer.

        What our thread writes all the same merges.
        """
        wait_s = max(0.0, min(self.deadline - monotonic(), 60.0))
        if not self.rescuing.acquire(timeout=wait_s):  # the other thread is at it
            return
        try:
            got = self.taking.acquire(timeout=TAKE_S)
            left = () if self.rescued else self.outbox.batches()
            self.rescued = True
            if got:
                self.taking.release()
            self.queue.rescue(left, self.deadline, self.sifter.sift if got and self.sifter is not None else None)
        finally:
            self.rescuing.release()

    # The thread

    def run(self) -> None:
        try:
            if self.resolved is not None or self.set_up():
                while self.turn():
                    pass
        except Exception as e:
            self.queue.count("worker", e)
            self.ok = False
        finally:
            if self.pausing and not self.stopping:
                self.release()
            else:
                self.shut()
            self.ended = True
            self.queue.idle = True

    def set_up(self) -> bool:
        """Read the settings. False when tracing is switched off."""
        resolved = resolve(cwd=self.cwd, strict=False, **self.queue.arguments)
        for warning in resolved.warnings:
            self.queue.count("settings", warning)
        settings = resolved.settings
        if not self.queue.over:
            self.queue.limit = settings.queue_bytes
        self.outbox.settings = settings
        self.pulse = pulse = Pulse(settings)
        self.maker = maker = Maker(settings, self.clock, pulse.process.process_id)
        self.may_turn_strict = may_turn_strict(settings)
        self.sifter = Sifter(settings, maker, self.queue.count) if Sampler.active(settings) else None
        self.resolved = resolved  # last: a caller that has to spill takes it for a sign that the rest is there
        if settings.disabled:
            self.queue.on = False
            self.queue.starts.clear()
            self.queue.ends.clear()
            self.queue.scores.clear()
        return not settings.disabled

    def turn(self) -> bool:
        """One round: write what there is, then sleep. False ends the thread."""
        if self.pausing:  # whoever reads should not have to wait until the thread is back
            self.collect(urgent=True)
            self.outbox.send(urgent=True)
            return False
        asked, last = self.asked, self.stopping
        urgent = asked > self.answered or last
        self.collect(urgent)
        while self.queue.ends and len(self.outbox.waiting) < 4 and not self.rescued:
            self.collect(urgent)
        sent = self.outbox.send(urgent)
        if self.pausing:
            return False
        if last and (not self.queue.ends or not sent or self.rescued):  # told in between: spans may be open
            return False
        self.outbox.chores(urgent)
        if asked > self.answered and (not self.queue.ends or not sent):
            self.answer(asked, sent)
        self.sleep()
        return True

    def answer(self, asked: int, ok: bool) -> None:
        with self.answers:
            self.ok = ok
            self.answered = asked
            self.answers.notify_all()

    def collect(self, urgent: bool) -> None:
        """Turn what is queued into a batch."""
        if len(self.outbox.waiting) > 16:  # the sink is stuck: leave it in the queue, where it is counted
            return
        with self.taking:
            if not self.rescued:
                self.take(urgent)

    def take(self, urgent: bool) -> None:
        assert self.pulse is not None
        queue, now = self.queue, self.queue.now()
        for span in take(queue.starts):
            if self.sifter is not None:
                self.sifter.meet(span)
            if not span.ended:
                self.open[span.id] = span
        done = take(queue.ends, BATCH_SPANS, BATCH_BYTES)
        for span in done:
            self.open.pop(span.id, None)
        ours = [span for span in done if not of_ancestor(queue, span)] if queue.ancestors else done
        parts = [part for span in ours if (part := self.make(span, Rank.FINISHED)) is not None]
        parts += self.started(now, urgent)
        batch = Batch("sdk", tuple(parts), tuple(take(queue.scores)))
        if self.sifter is not None:
            batch = self.sifter.sift(batch, ending=self.stopping and not queue.ends)
        size = sum(span.size for span in done)
        for piece in pieces(self.pulse.beat(batch, alive=bool(self.open)), BATCH_SPANS):
            self.outbox.put(piece, size)
            size = 0
        queue.bytes -= size

    def sift(self, batch: Batch, *, ending: bool = False) -> Batch:
        """What sampling keeps of a batch that did not come from the queue. After a rescue it is no longer ours."""
        with self.taking:
            return batch if self.sifter is None or self.rescued else self.sifter.sift(batch, ending=ending)

    def started(self, now: int, urgent: bool) -> list[SpanPart]:
        """Parts for the spans that have been open for long enough, or have news."""
        assert self.resolved is not None
        after_ns = int(self.resolved.settings.started_after_s * 1e9)
        parts = []
        for span in self.open.values():
            fresh = span.written < 0 and (urgent or now - span.began >= after_ns)
            news = 0 <= span.written < span.revision and (urgent or now - span.written_at >= REWRITE_NS)
            if (fresh or news) and not span.ended and (part := self.make(span, Rank.STARTED)) is not None:
                parts.append(part)
        return parts

    def make(self, span: Span, rank: Rank) -> SpanPart | None:
        assert self.maker is not None
        try:
            if rank is Rank.STARTED:
                span.written, span.written_at = span.revision, self.queue.now()
            part = self.maker.part(span, rank)
            if rank is Rank.STARTED and self.may_turn_strict:
                part = without_content(part)
            if rank is Rank.FINISHED:
                span.let_go()
            return part
        except Exception as e:
            self.queue.count("part", e)
            return None

    def sleep(self) -> None:
        """Until the next tick while there is something to do, else until the queue wakes us."""
        assert self.resolved is not None
        settings, queue, outbox = self.resolved.settings, self.queue, self.outbox
        if self.asked > self.answered or self.stopping or self.pausing:
            return
        now = monotonic()
        if outbox.waiting:
            self.rest(RETRY_S)
        elif now - outbox.wrote_at < settings.tick_s or any(span.written < 0 for span in self.open.values()):
            self.rest(settings.tick_s)
        else:
            queue.idle = True
            if queue.waiting():
                queue.idle = False
            else:
                queue.bytes = 0  # what is said of a span after its end is counted at one side only
                beat_s = max(0.001, self.pulse.next_at - now) if self.open and self.pulse is not None else None
                waits = self.sifter is not None and self.sifter.waiting
                self.rest(CHORES_S if waits or not outbox.settled else beat_s)
            queue.idle = False

    def rest(self, seconds: float | None) -> None:
        self.event.wait(seconds)
        self.event.clear()

    def release(self) -> None:
        """Let go of the file for a fork. What was not written is kept here."""
        self.outbox.release()
        self.paused = True

    def say_goodbye(self) -> None:
        """Write the end of the process, and what was left out of the file until now."""
        last = self.sift(Batch("sdk", processes=self.pulse.end() if self.pulse else ()), ending=True)
        if last.processes or last.sampled_out or self.queue.news_of_lost():
            self.outbox.write_last(last)

    def shut(self) -> None:
        """Say goodbye: the process row gets its end, spans still open become abandoned."""
        outbox = self.outbox
        try:
            outbox.read_back_ours()
            if not outbox.waiting:
                self.say_goodbye()
            outbox.close()
        except Exception as e:
            if not outbox.waiting:  # else that is said already
                self.queue.count("close", e)
        outbox.sink = None
        if outbox.waiting or self.queue.ends:
            self.ok = self.ok and not self.queue.on
            if self.queue.on:
                self.rescue()
                outbox.waiting.clear()
        self.answer(self.asked, self.ok)
