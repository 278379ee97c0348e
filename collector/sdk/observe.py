"""`@observe`: a function whose calls are spans.

One span life for four shapes of function. What depends on the signature is worked out at decoration;
a call writes down what it got and goes on (see `live.py` for why so little happens here).
"""

from __future__ import annotations

from functools import partial, wraps
from time import perf_counter_ns
from types import CodeType
from typing import TYPE_CHECKING, Any

from collector.sdk.capture import SCALARS, capture
from collector.sdk.live import CURRENT, Plan, Span, leave
from collector.sdk.stepping import async_generator, generator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from collector.sdk.queue import Queue

_COROUTINE, _ITERABLE_COROUTINE, _GENERATOR, _ASYNC_GENERATOR, _VARARGS = 0x80, 0x100, 0x20, 0x200, 0x04
EXCLUDED = "[excluded]"
"""Stands for an argument that is not to be recorded."""


def decorate(
    queue: Queue, function: Callable[..., Any], kind: str, name: str | None, *, capture_input: bool = True,
    capture_output: bool = True, tags: Iterable[str] | None = None,
    metadata: Mapping[str, Any] | Callable[..., Any] | None = None, session: str | None = None, user: str | None = None,
    exclude: Iterable[str] = (),
) -> Any:  # fmt: skip
    """The function, traced. Classmethods, staticmethods and properties are unwrapped and wrapped again."""
    within = function.fget if isinstance(function, property) else getattr(function, "__func__", None)
    if within is not None and isinstance(function, classmethod | staticmethod | property):
        inner = decorate(
            queue, within, kind, name, capture_input=capture_input, capture_output=capture_output,
            tags=tags, metadata=metadata, session=session, user=user, exclude=exclude,
        )  # fmt: skip
        return function.getter(inner) if isinstance(function, property) else type(function)(inner)
    fields: dict[str, Any] = {}
    if tags:
        fields["tags"] = [tags] if isinstance(tags, str) else [str(tag) for tag in tags]
    metadata_of = metadata if callable(metadata) else None
    if metadata and metadata_of is None:
        fields["metadata"] = dict(metadata)  # type: ignore[arg-type]  # a mapping, as it cannot be called
    inner, code, given = _seen_through(function)
    names, rest = _parameters(code)
    names = names[given:]
    plan = Plan(
        queue, str(name or getattr(inner, "__name__", type(inner).__name__)), kind, names=names, rest=rest,
        defaults=_defaults(function, names),
        capture_input=capture_input, capture_output=capture_output, session=session, user=user,
        fields=fields or None, excluded=frozenset([exclude] if isinstance(exclude, str) else exclude),
        metadata_of=metadata_of,
    )  # fmt: skip
    flags = code.co_flags if code is not None else 0
    if flags & (_COROUTINE | _ITERABLE_COROUTINE):
        return _coroutine(queue, function, plan)
    if flags & _ASYNC_GENERATOR:
        return async_generator(queue, function, plan, _made)
    if flags & _GENERATOR:
        return generator(queue, function, plan, _made)
    return _function(queue, function, plan)


def _seen_through(function: Callable[..., Any]) -> tuple[Any, CodeType | None, int]:
    """(what a partial is of, the code that a call runs, how many of its arguments are given already)."""
    inner: Any = function
    given = 0
    while isinstance(inner, partial):
        given += len(inner.args)
        inner = inner.func
    code: CodeType | None = getattr(inner, "__code__", None)
    if code is not None:
        return inner, code, given + (getattr(inner, "__self__", None) is not None)
    own = None if isinstance(inner, type) else getattr(type(inner), "__call__", None)  # noqa: B004  # to look at it
    code = getattr(own, "__code__", None)
    return inner, code, given + (code is not None)


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


def _made(queue: Queue, plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Span:
    """A span that knows its arguments and has not begun."""
    span = Span()
    span.plan = plan
    if plan.capture_input:
        take_arguments(span, args, kwargs)
    if plan.metadata_of is not None:
        try:
            span.update(metadata=plan.metadata_of(*args, **kwargs))
        except Exception as e:
            queue.count("metadata", e)
    return span


def _begin(queue: Queue, plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Span:
    span = _made(queue, plan, args, kwargs)
    queue.begin(span)
    return span


def take_arguments(span: Span, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Copy the arguments as they are now; scalars by reference."""
    plan = span.plan
    if plan.excluded:
        args = tuple(
            EXCLUDED if at < len(plan.names) and plan.names[at] in plan.excluded else value
            for at, value in enumerate(args)
        )
        kwargs = {name: EXCLUDED if name in plan.excluded else value for name, value in kwargs.items()}
    for value in args:
        if type(value) not in SCALARS:
            names = plan.names
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
    span.ended = queue.now()
    leave(span)
    if span.plan.capture_output and output is not None:
        span.output = output if type(output) in SCALARS and type(output) is not str else _taken(span, output)
    queue.finish(span)


def _function(queue: Queue, function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    """The shape that is called most: `_begin`, `Queue.begin`, `_end` and `Queue.finish` written out in one,
    which saves six calls, half of the cost."""
    current, make_current = CURRENT.get, CURRENT.set
    starts, ends, scalars, now = queue.starts, queue.ends, SCALARS, perf_counter_ns
    keeps_input, keeps_output = plan.capture_input, plan.capture_output
    plain = not plan.excluded and plan.metadata_of is None

    @wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        parent = current()
        if not (plain and queue.fast) or (parent is None and queue.meet_otel()):
            return _called(queue, function, plan, args, kwargs)
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
        if parent is None:
            span.trace = bits(128)
        else:
            span.parent = parent
            span.trace = parent.trace
        make_current(span)
        span.began = now()
        if queue.bytes < queue.limit:
            starts.append(span)
            if queue.idle:
                queue.wake()
                span.began = now()  # the first one loads what writes spans, which is not the function's time
        try:
            output = function(*args, **kwargs)
        except BaseException as error:
            queue.fail(span, error)
            raise
        span.ended = now()
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


def _called(
    queue: Queue, function: Callable[..., Any], plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """The same at leisure, where there is more to know than the current span."""
    if not queue.on:
        return function(*args, **kwargs)
    span = _begin(queue, plan, args, kwargs)
    try:
        output = function(*args, **kwargs)
    except BaseException as error:
        queue.fail(span, error)
        raise
    _end(queue, span, output)
    return output


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
