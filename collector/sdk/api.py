"""The SDK's door: one queue a process, and the functions that put spans into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from collector.sdk.live import CURRENT, Plan, Span
from collector.sdk.observe import decorate
from collector.sdk.queue import Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Function = TypeVar("Function", bound="Callable[..., Any]")
QUEUE = Queue()


def configure(**settings: Any) -> None:
    """Settle how this process traces: db, url, service, environment, release, redact, … (`collector.settings`).

    Optional, and may be called again; what is not given comes from TRACETUI_* variables, the settings file,
    or a default. SettingsError names the first value that makes no sense.
    """
    from collector.settings import resolve

    resolved = resolve(**settings)
    QUEUE.close()
    QUEUE.arguments = {name: value for name, value in settings.items() if value is not None}
    QUEUE.on = not resolved.settings.disabled


@overload
def observe(function: Function, /) -> Function: ...
@overload
def observe(
    *, kind: str = ..., name: str | None = ..., capture_input: bool = ..., capture_output: bool = ...,
    tags: Iterable[str] | None = ..., metadata: Mapping[str, Any] | None = ..., session: str | None = ...,
    user: str | None = ...,
) -> Callable[[Function], Function]: ...  # fmt: skip
def observe(
    function: Callable[..., Any] | None = None, /, *, kind: str = "span", name: str | None = None, **options: Any
) -> Any:
    """Trace a function, coroutine function, generator or method: each call becomes a span.

    `@observe` or `@observe(kind="tool", name=…, capture_input=…, capture_output=…, tags=…, metadata=…,
    session=…, user=…)`. `kind` is one of `collector.model.KINDS`. Arguments and result are captured,
    exceptions recorded and passed on untouched. Tracing never raises into the program.
    """
    if function is not None:
        return decorate(QUEUE, function, kind, name, **options)
    return lambda decorated: decorate(QUEUE, decorated, kind, name, **options)


def span(name: str, *, kind: str = "span", session: str | None = None, user: str | None = None, **said: Any) -> Span:
    """A span as a context manager: `with span("plan", kind="agent", input=…) as s: … s.update(output=…)`.

    Further keywords are those of `Span.update`.
    """
    made = QUEUE.open(Plan(QUEUE, name, kind, session=session, user=user))
    return made.update(**said) if said else made


def current_span() -> Span | None:
    """The span that encloses the caller, None outside of any."""
    return CURRENT.get()


def current_trace_id() -> str | None:
    """The id of the caller's trace, 32 hex digits; None outside of any span."""
    found = CURRENT.get()
    return None if found is None else found.trace_id


def flush(timeout_s: float = 10.0) -> bool:
    """Wait until what was recorded so far is committed. False when that did not succeed in time."""
    return QUEUE.flush(timeout_s)
