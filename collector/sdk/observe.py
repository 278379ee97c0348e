"""`@observe`: a function whose calls are spans.

One span life for four shapes of function. What depends on the signature is worked out at decoration;
a call writes down what it got and goes on (see `live.py` for why so little happens here).
"""

from __future__ import annotations

from functools import wraps
from time import perf_counter_ns
from types import CodeType
from typing import TYPE_CHECKING, Any

from collector.sdk.capture import SCALARS, capture
from collector.sdk.live import CURRENT, Plan, Span

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping

    from collector.sdk.queue import Queue

_COROUTINE, _GENERATOR, _ASYNC_GENERATOR, _VARARGS = 0x80, 0x20, 0x200, 0x04
_YIELDED_KEPT = 1000


def decorate(
    queue: Queue, function: Callable[..., Any], kind: str, name: str | None, *, capture_input: bool = True,
    capture_output: bool = True, tags: Iterable[str] | None = None, metadata: Mapping[str, Any] | None = None,
    session: str | None = None, user: str | None = None,
) -> Any:  # fmt: skip
    """The function, traced. Classmethods, staticmethods and properties are unwrapped and wrapped again."""
    within = function.fget if isinstance(function, property) else getattr(function, "__func__", None)
    if within is not None and isinstance(function, classmethod | staticmethod | property):
        inner = decorate(
            queue, within, kind, name, capture_input=capture_input, capture_output=capture_output,
            tags=tags, metadata=metadata, session=session, user=user,
        )  # fmt: skip
        return function.getter(inner) if isinstance(function, property) else type(function)(inner)
    fields: dict[str, Any] = {}
    if tags:
        fields["tags"] = [tags] if isinstance(tags, str) else [str(tag) for tag in tags]
    if metadata:
        fields["metadata"] = dict(metadata)
    code: CodeType | None = getattr(function, "__code__", None)
    names, rest = _parameters(code)
    plan = Plan(
        queue, str(name or getattr(function, "__name__", type(function).__name__)), kind, names=names, rest=rest,
        defaults=_defaults(function, names),
        capture_input=capture_input, capture_output=capture_output, session=session, user=user,
        fields=fields or None,
    )  # fmt: skip
    flags = code.co_flags if code is not None else 0
    if flags & _COROUTINE:
        return _coroutine(queue, function, plan)
    if flags & _ASYNC_GENERATOR:
        return _async_generator(queue, function, plan)
    if flags & _GENERATOR:
        return _generator(queue, function, plan)
    return _function(queue, function, plan)


def _parameters(code: CodeType | None) -> tuple[tuple[str, ...], str | None]:
    """(names of positional parameters, name of *args)."""
    if code is None:
        return (), "args"
    count = code.co_argcount
    keyword_only = code.co_kwonlyargcount
    rest = code.co_varnames[count + keyword_only] if code.co_flags & _VARARGS else None
    return code.co_varnames[:count], rest


def _defaults(function: Callable[..., Any], names: tuple[str, ...]) -> dict[str, Any] | None:
    """What a parameter is when it is not given. Only what says something and cannot change."""
    positional = getattr(function, "__defaults__", None) or ()
    found = dict(zip(names[len(names) - len(positional) :], positional, strict=False))
    found.update(getattr(function, "__kwdefaults__", None) or {})
    return {name: value for name, value in found.items() if value is not None and type(value) in SCALARS} or None


def _begin(queue: Queue, plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Span:
    span = Span()
    span.plan = plan
    if plan.capture_input:
        take_arguments(span, args, kwargs)
    queue.begin(span)
    return span


def take_arguments(span: Span, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Copy the arguments as they are now; scalars by reference."""
    for value in args:
        if type(value) not in SCALARS:
            names = span.plan.names
            args = tuple(
                None if at < len(names) and names[at] in ("self", "cls") and not at else _taken(span, value)
                for at, value in enumerate(args)
            )
            break
        if type(value) is str:
            span.size += len(value)
    span.args = args
    if kwargs:
        span.kwargs = {name: _taken(span, value) for name, value in kwargs.items()}


def _taken(span: Span, value: Any) -> Any:
    copied, size = capture(value)
    span.size += size
    return copied


def _end(queue: Queue, span: Span, output: Any) -> None:
    span.end = perf_counter_ns()
    CURRENT.set(span.parent)
    if span.plan.capture_output and output is not None:
        span.output = output if type(output) in SCALARS and type(output) is not str else _taken(span, output)
    queue.finish(span)


def _function(queue: Queue, function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    """The shape that is called most: `_begin`, `Queue.begin`, `_end` and `Queue.finish` written out in one,
    which saves six calls, half of the cost."""
    current, make_current = CURRENT.get, CURRENT.set
    starts, ends, scalars, now = queue.starts, queue.ends, SCALARS, perf_counter_ns
    keeps_input, keeps_output = plan.capture_input, plan.capture_output

    @wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        if not queue.on:
            return function(*args, **kwargs)
        span = Span()
        span.plan = plan
        size = 0
        if keeps_input:
            span.args = args
            if kwargs:
                span.kwargs = kwargs
            for value in (*args, *kwargs.values()) if kwargs else args:
                if type(value) is str:
                    size += len(value)
                elif type(value) not in scalars:
                    take_arguments(span, args, kwargs)
                    size = 0
                    break
            if size:
                span.size += size
        bits = queue.bits
        span.id = bits(64)
        parent = current()
        if parent is None:
            span.trace = bits(128)
        else:
            span.parent = parent
            span.trace = parent.trace
        make_current(span)
        span.start = now()
        if queue.bytes < queue.limit:
            starts.append(span)
            if queue.idle:
                queue.wake()
        try:
            output = function(*args, **kwargs)
        except BaseException as error:
            queue.fail(span, error)
            raise
        span.end = now()
        make_current(parent)
        if output is not None and keeps_output:
            span.output = output if type(output) in scalars and type(output) is not str else _taken(span, output)
        queue.bytes = held = queue.bytes + span.size
        if held < queue.limit:
            ends.append(span)
        else:
            queue.overflow(span)
        if queue.idle:
            queue.wake()
        return output

    return traced


def _coroutine(queue: Queue, function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    @wraps(function)
    async def traced(*args: Any, **kwargs: Any) -> Any:
        if not queue.on:
            return await function(*args, **kwargs)
        span = _begin(queue, plan, args, kwargs)
        try:
            output = await function(*args, **kwargs)
        except BaseException as error:
            queue.fail(span, error)
            raise
        _end(queue, span, output)
        return output

    return traced


class _Steps:
    """The span of a generator: current while a step of it runs, and not in its caller between the steps."""

    def __init__(self, queue: Queue, plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.queue = queue
        self.outside = CURRENT.get()
        self.span = self.inside = _begin(queue, plan, args, kwargs)
        CURRENT.set(self.outside)
        self.yielded: list[Any] = []

    def enter(self) -> None:
        self.outside = CURRENT.get()
        CURRENT.set(self.inside)

    def leave(self) -> None:
        self.inside = CURRENT.get() or self.span  # a block around the yield stays open
        CURRENT.set(self.outside)

    def took(self, value: Any) -> None:
        if not self.yielded:
            self.span.first_token()
        if self.span.plan.capture_output and len(self.yielded) < _YIELDED_KEPT:
            self.yielded.append(_taken(self.span, value))

    def done(self, error: BaseException | None = None) -> None:
        span, self.span.output = self.span, self.yielded or None
        if error is None:
            span.end = perf_counter_ns()
            self.queue.finish(span)
        else:
            outside = CURRENT.get()
            self.queue.fail(span, error)
            CURRENT.set(outside)


def _generator(queue: Queue, function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    @wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        if not queue.on:
            return (yield from function(*args, **kwargs))
        steps = _Steps(queue, plan, args, kwargs)
        inner = function(*args, **kwargs)
        step, given = inner.send, None
        try:
            while True:
                steps.enter()
                try:
                    value = step(given)
                finally:
                    steps.leave()
                steps.took(value)
                try:
                    step, given = inner.send, (yield value)
                except GeneratorExit:
                    inner.close()
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


def _async_generator(queue: Queue, function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    @wraps(function)
    async def traced(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        if not queue.on:
            async for value in function(*args, **kwargs):
                yield value
            return
        steps = _Steps(queue, plan, args, kwargs)
        inner = function(*args, **kwargs)
        step, given = inner.asend, None
        try:
            while True:
                steps.enter()
                try:
                    value = await step(given)
                finally:
                    steps.leave()
                steps.took(value)
                try:
                    step, given = inner.asend, (yield value)
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:
                    step, given = inner.athrow, error
        except StopAsyncIteration:
            steps.done()
        except BaseException as error:
            steps.done(error)
            raise

    return traced
