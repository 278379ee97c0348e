"""Generators as spans: each step runs in a context of the generator's own.

Whatever a step sets, our current span among it, stays there: nothing leaks into the caller between the yields.
The span ends with the generator; one that is dropped unclosed ends as cancelled, by its finalizer.
"""

from __future__ import annotations

from contextvars import Context, copy_context
from functools import wraps
from typing import TYPE_CHECKING, Any

from collector.sdk.capture import capture
from collector.sdk.live import Plan, Span
from collector.sdk.trouble import note_error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from collector.sdk.queue import Queue

YIELDED_KEPT = 1000


class Steps:
    """The span of a generator, and the context its steps run in."""

    def __init__(self, queue: Queue, span: Span) -> None:
        self.queue = queue
        self.span = span
        self.context: Context = copy_context()
        self.context.run(queue.begin, span)
        self.yielded: list[Any] = []
        self.over = False

    def took(self, value: Any) -> None:
        span = self.span
        if not self.yielded:
            span.first_token()
        if span.plan.capture_output and len(self.yielded) < YIELDED_KEPT:
            copied, size = capture(value)
            span.size += size
            self.yielded.append(copied)

    def done(self, error: BaseException | None = None) -> None:
        if self.over:
            return
        self.over = True
        span = self.span
        span.output = self.yielded or None
        span.ended = self.queue.now()
        if error is not None:
            note_error(span, error)
        self.queue.finish(span)

    def __del__(self) -> None:
        """The generator is gone without having been closed: an async one without its loop, or never begun."""
        if not self.over:
            try:
                self.done(GeneratorExit())
            except Exception as e:  # while the interpreter goes down
                self.over = bool(e)


def generator(queue: Queue, function: Callable[..., Any], plan: Plan, start: Callable[..., Span]) -> Callable[..., Any]:
    @wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        if not queue.on:
            return (yield from function(*args, **kwargs))
        steps = Steps(queue, start(queue, plan, args, kwargs))
        run = steps.context.run
        inner = run(function, *args, **kwargs)
        step, given = inner.send, None
        try:
            while True:
                value = run(step, given)
                steps.took(value)
                try:
                    step, given = inner.send, (yield value)
                except GeneratorExit:
                    run(inner.close)
                    raise
                except BaseException as error:
                    step, given = inner.throw, error
        except StopIteration as end:
            steps.done()
            return end.value
        except BaseException as error:
            steps.done(error)
            raise

    return traced


def async_generator(
    queue: Queue, function: Callable[..., Any], plan: Plan, start: Callable[..., Span]
) -> Callable[..., Any]:
    @wraps(function)
    async def traced(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        if not queue.on:
            async for value in function(*args, **kwargs):
                yield value
            return
        steps = Steps(queue, start(queue, plan, args, kwargs))
        inner = steps.context.run(function, *args, **kwargs)
        step, given = inner.asend, None
        try:
            while True:
                value = await _Within(steps.context, step(given))
                steps.took(value)
                try:
                    step, given = inner.asend, (yield value)
                except GeneratorExit:
                    await _Within(steps.context, inner.aclose())
                    raise
                except BaseException as error:
                    step, given = inner.athrow, error
        except StopAsyncIteration:
            steps.done()
        except BaseException as error:
            steps.done(error)
            raise

    return traced


class _Within:
    """Awaits something with every step of it in a given context."""

    def __init__(self, context: Context, awaited: Awaitable[Any]) -> None:
        self.context = context
        self.awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        run = self.context.run
        inner: Any = self.awaited.__await__()
        step, given = inner.send, None
        while True:
            try:
                waits_for = run(step, given)
            except StopIteration as done:
                return done.value
            try:
                step, given = inner.send, (yield waits_for)
            except BaseException as error:
                step, given = inner.throw, error
