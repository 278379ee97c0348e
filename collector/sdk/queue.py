"""Between the host's threads and the worker: two deques, a byte count, and the thread started on demand.

Nothing here blocks or raises into the host. `starts` and `ends` hold spans; appending is atomic, so the
host takes no lock. `idle` says that the worker sleeps without a deadline and wants to be woken.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from contextlib import suppress
from math import inf
from random import Random
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from collector.sdk.ambient import AMBIENT
from collector.sdk.forks import QUEUES
from collector.sdk.live import CURRENT, Span, leave
from collector.sdk.losses import Losses
from collector.sdk.trouble import note_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.model import Batch, Refusal, Score
    from collector.redact import Policy
    from collector.sdk.live import Plan
    from collector.sdk.sinks import Sink
    from collector.sdk.worker import Worker
    from collector.settings import Settings
    from collector.spilled import Sift

QUEUE_BYTES = 64_000_000
FLUSH_WAIT_S = 10.0
EXIT_WAIT_S = 2.0


class Queue:
    """Spans on their way to the worker. One per process; tests make their own.

    `arguments` are those of `configure()`; the rest of the settings is read by the worker when it starts.
    """

    def __init__(self, *, sink: Callable[[], Sink] | None = None, **arguments: Any) -> None:
        self._on = True
        self.fast = True
        self.surrounded = False
        self.beside_otel = False
        self.raise_errors = False
        self.raised: BaseException | None = None
        self.now: Callable[[], int] = perf_counter_ns
        self.idle = True
        self.bytes = 0
        self.limit = QUEUE_BYTES
        self.starts: deque[Span] = deque()
        self.ends: deque[Span] = deque()
        self.scores: deque[Score] = deque()
        self.sink = sink
        self.arguments = arguments
        self.failures: dict[str, int] = {}
        self.worker: Worker | None = None
        self.policy: tuple[Settings, Policy] | None = None
        self.inherits = False
        self.ancestors: list[tuple[int, int]] = []
        """(when, process id) of every fork on the way to this process, on the clock of the spans."""
        self.forking = 0
        self.over = False
        self.losses = Losses()
        self.renew()
        QUEUES.add(self)

    def renew(self) -> None:
        """What no two processes may share: ids drawn alike, and locks that a thread of the other one holds."""
        self.random = Random()  # noqa: S311  # ids, not secrets
        self.bits = self.random.getrandbits
        self.lock = threading.RLock()
        self.spill_lock = threading.Lock()

    # What takes the short way

    @property
    def on(self) -> bool:
        """False makes everything a no-op."""
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        self._on = on
        self.settle()

    def settle(self) -> None:
        """Decorated functions look at `fast` alone: that there is nothing to know beyond the current span."""
        self.fast = self._on and not self.surrounded and not self.beside_otel and self.now is perf_counter_ns

    def surround(self) -> None:
        """From now on, look for what the context says (`ambient`)."""
        self.surrounded = True
        self.settle()

    def meet_otel(self) -> bool:
        """Whether OpenTelemetry is at work in this process; then its spans and ours nest in each other.

        Asked before each root. Many programs load OpenTelemetry and never use it: they are spared its cost.
        """
        if not self.beside_otel and "opentelemetry.sdk.trace" in sys.modules:
            from collector.sdk.beside_otel import at_work

            if at_work():
                self.join_otel()
        return self.beside_otel

    def join_otel(self) -> None:
        """From now on our spans and OpenTelemetry's nest in each other."""
        self.beside_otel = True
        self.settle()

    # The host's side

    def begin(self, span: Span) -> None:
        """Place the span under the current one and make it current."""
        self.place(span, CURRENT.get())
        CURRENT.set(span)
        if self.beside_otel and self._on:
            from collector.sdk.beside_otel import enter

            enter(span)
        self.launch(span)

    def place(self, span: Span, parent: Span | None, *, given: bool = False) -> None:
        """Give the span its ids. A parent that is `given` is not second-guessed."""
        span.before = parent
        if span.root:
            parent = None
        elif not given and (self.beside_otel or (parent is None and self.meet_otel())):
            from collector.sdk.beside_otel import innermost

            parent = innermost(parent)
        span.moved = parent is not span.before
        bits = self.bits
        span.id = bits(64)
        if parent is None:
            span.trace = bits(128)
        else:
            span.parent = parent
            span.trace = parent.trace
        if self.surrounded:
            span.ambient = AMBIENT.get()

    def launch(self, span: Span) -> None:
        """Start its clock, and tell the worker, which writes it down if it stays open."""
        span.began = self.now()
        if self._on and self.bytes < self.limit:
            self.starts.append(span)
            if self.idle:
                self.wake()
                if self.now is perf_counter_ns:
                    span.began = perf_counter_ns()  # the first one loads what writes spans: not the span's time

    def finish(self, span: Span) -> None:
        """Take a span that has ended. Beyond the byte limit this thread writes it to the spill file itself."""
        if not self._on:
            return
        self.bytes += span.size
        if self.bytes < self.limit:
            self.ends.append(span)
        else:
            self.overflow(span)
        if self.idle:
            self.wake()

    def fail(self, span: Span, error: BaseException) -> None:
        """End a span whose function raised."""
        span.ended = self.now()
        leave(span)
        note_error(span, error)
        self.finish(span)

    def open(self, plan: Plan) -> Span:
        """A span that has not begun."""
        span = Span()
        span.plan = plan
        return span

    def score(self, score: Score) -> None:
        """Take a score. It goes the way of the spans, and never to the spill file: there are few."""
        if self._on:
            self.scores.append(score)
            if self.over:
                self.rescue()
            else:
                self.wake()

    def overflow(self, span: Span) -> None:
        """Write a span to the spill file from the host's thread."""
        self.bytes -= span.size
        try:
            from collector.sdk.spill import batch_of, spill_batch

            spill_batch(self, batch_of(self, [span]))
            self.failures["spilled"] = self.failures.get("spilled", 0) + 1
        except Exception as e:
            self.lose(1, e)

    def rescue(self, batches: Sequence[Batch] = (), deadline: float = inf, sift: Sift | None = None) -> None:
        """Spill these and what is queued, until `deadline` (monotonic). What is not spilled by then is lost.

        `sift` says what of the queued is to be kept (`sampling`).
        """
        try:
            from collector.sdk.spill import rescue

            rescue(self, batches, deadline, sift)
        except Exception as e:
            self.lose(len(self.ends), e)

    def lose(self, spans: int, error: Exception) -> None:
        """Count what is neither in the file nor spilled. The file's ledger hears of it with the next batch."""
        if spans:
            self.losses.add(spans, error)
            self.count("dropped", error, spans)

    def news_of_lost(self) -> tuple[Refusal, ...]:
        """What was lost and is in no ledger yet."""
        return self.losses.news(self.worker) if self.losses.news_waits() else ()

    # The thread

    def wake(self) -> None:
        """Start the worker or end its sleep. Never raises."""
        self.idle = False
        if self.forking or self.over:
            return
        try:
            worker = self.worker
            if worker is None or not worker.alive():
                worker = self.start()
            if worker is not None:
                worker.event.set()
        except Exception as e:  # no thread can be started while the interpreter goes down
            self.count("start", e)

    def start(self) -> Worker | None:
        """Start the worker thread, once. None while the process forks."""
        with self.lock:
            if self.forking:
                return None
            worker = self.employ()
            if not worker.alive():
                worker.start()
            return worker

    def employ(self) -> Worker:
        """The worker, with its thread or without. One that was paused for a fork goes on where it was."""
        from collector.sdk import lifetime
        from collector.sdk.process import working_directory
        from collector.sdk.worker import Worker

        with self.lock:
            if self.worker is None or not (self.worker.alive() or self.worker.paused):
                if self.inherits:
                    self.inherit()
                lifetime.watch()
                self.worker = Worker(self, working_directory())
            return self.worker

    def inherit(self) -> None:
        """Take over the settings of the process that started this one, where `configure` said nothing here."""
        from collector.sdk.inherit import inherited

        self.inherits = False
        try:
            self.arguments = {**inherited(), **self.arguments}
        except Exception as e:
            self.count("settings", e)

    def due(self) -> bool:
        """Whether the thread has something to do even if nothing new comes."""
        worker = self.worker
        return not self.forking and (self.waiting() or (worker is not None and worker.busy()))

    def flush(self, timeout_s: float = FLUSH_WAIT_S) -> bool:
        """Wait until everything recorded so far is committed, spans still open as started.

        False when it could not be written in time or at all; it stays queued.
        """
        if self.worker is None and not self.waiting():
            return True
        try:
            self.wake()
            worker = self.worker
            done = worker is not None and worker.flush(timeout_s)
        except Exception as e:
            self.count("flush", e)
            return False
        raised, self.raised = self.raised, None
        if raised is not None:
            raise raised
        return done

    def waiting(self) -> bool:
        return bool(self.starts or self.ends or self.scores)

    def close(self, timeout_s: float | None = None) -> bool:
        """Flush, end the thread and close the file. A later span starts both again."""
        if self.worker is None and not self.waiting():
            return True
        try:
            done = self.employ().close(timeout_s)
        except Exception as e:
            self.count("close", e)
            self.rescue()
            return False
        self.worker = None
        self.idle = True
        return done

    def exit_wait_s(self) -> float:
        """How long an exit may wait for this queue."""
        worker = self.worker
        if worker is not None and worker.resolved is not None:
            return worker.resolved.settings.exit_wait_s
        with suppress(Exception):  # a short program ends before its worker has read them
            from collector.settings import resolve

            return resolve(strict=False, **self.arguments).settings.exit_wait_s
        return EXIT_WAIT_S

    def at_exit(self) -> None:
        """Close. Whatever is recorded afterwards goes to the spill file at once: no thread can be relied on now."""
        self.only_spill()
        if not self.close():  # the thread is inside SQLite still: Python 3.13 warns of what it cannot close
            with suppress(Exception):
                import warnings

                warnings.filterwarnings("ignore", "unclosed database", ResourceWarning)

    def only_spill(self) -> None:
        """From now on what ends goes to the spill file at once."""
        self.over = True
        self.limit = 0

    def count(self, cause: str, error: BaseException | str, n: int = 1) -> None:
        """Count `n` failures; log the first of its kind. Raises it where a test of the host's asked for that."""
        if self.raise_errors and isinstance(error, BaseException):
            worker = self.worker
            if worker is None or worker.thread is not threading.current_thread():
                raise error
            self.raised = self.raised or error
        key = f"{cause}: {error if isinstance(error, str) else type(error).__name__}"
        seen = self.failures.get(key, 0)
        self.failures[key] = seen + n
        if seen:
            return
        with suppress(Exception):  # while the interpreter goes down
            import logging

            said = f"{cause} ({n:,})" if n > 1 else cause
            logging.getLogger("collector").warning("tracing: %s: %s (further ones are only counted)", said, error)
