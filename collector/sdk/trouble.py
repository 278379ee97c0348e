"""Exceptions that leave a span, written down on the host's thread: type, message, stack. Never raises.

Who was asked to stop has not failed: a cancelled task, a generator that nobody reads on, Ctrl-C.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.sdk.capture import type_of

if TYPE_CHECKING:
    from collector.sdk.live import Span

MAX_FRAMES = 50
MAX_MESSAGE = 20_000
_CANCELLERS = ("asyncio", "trio", "anyio", "concurrent", "gevent")


def note_error(span: Span, error: BaseException) -> None:
    """Write down an exception that leaves the span."""
    if isinstance(error, SystemExit) and error.code in (0, None):
        return  # asked to go: not a failure
    name = type_of(type(error))
    if is_cancelled(error):
        span.cancelled = name
        return
    span.error = (name, message_of(error), stack_of(error), span.ended)
    span.size += len(span.error[1]) + len(span.error[2])


def is_cancelled(error: BaseException) -> bool:
    """Whether this says "stop" rather than "it failed"."""
    if isinstance(error, GeneratorExit | KeyboardInterrupt):
        return True
    kind = type(error)
    if kind.__name__ == "GreenletExit":
        return True
    return kind.__name__ in ("CancelledError", "Cancelled") and kind.__module__.partition(".")[0] in _CANCELLERS


def message_of(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException as e:
        return f"<str() raised {type(e).__name__}>"
    return text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + "…"


def stack_of(error: BaseException) -> str:
    """The formatted stack. Made at once: keeping the traceback would keep the host's locals alive."""
    try:
        import traceback

        return "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=-MAX_FRAMES))
    except BaseException as e:
        return f"<stack could not be formatted: {type(e).__name__}>"
