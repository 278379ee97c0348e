"""The SDK's door: one queue a process, and the functions that put spans into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from collector.sdk.ambient import AMBIENT, Ambient, added
from collector.sdk.live import CURRENT, Plan, Remote, Span
from collector.sdk.observe import decorate
from collector.sdk.queue import Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType

Function = TypeVar("Function", bound="Callable[..., Any]")
QUEUE = Queue()
QUEUE.inherits = True


def configure(*, raise_errors: bool = False, **settings: Any) -> None:
    """Settle how this process traces: db, url, service, environment, release, redact, … (`collector.settings`).

    Optional, and may be called again; what is not given comes from TRACETUI_* variables, the settings file,
    or a default. SettingsError names the first value that makes no sense. `raise_errors` is for tests: trouble
    within tracing is raised where it happens, or by the next `flush`, instead of being counted.
    """
    from collector.settings import resolve

    resolved = resolve(**settings)
    QUEUE.close()
    QUEUE.arguments = {name: value for name, value in settings.items() if value is not None}
    QUEUE.inherits = False
    QUEUE.on = not resolved.settings.disabled
    QUEUE.raise_errors = raise_errors
    _tell(resolved.settings.db)


def _tell(db: Path) -> None:
    """Tell the process's end and its children what was configured."""
    from collector.sdk import inherit, lifetime

    try:
        if QUEUE.on:
            lifetime.watch()
        unsaid = inherit.hand_on(QUEUE.arguments, db)
        if unsaid:
            QUEUE.count("settings", f"processes started by multiprocessing will not know them: {unsaid}")
    except Exception as e:
        QUEUE.count("settings", e)


@overload
def observe(function: Function, /) -> Function: ...
@overload
def observe(
    *, kind: str = ..., name: str | None = ..., capture_input: bool = ..., capture_output: bool = ...,
    tags: Iterable[str] | None = ..., metadata: Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None = ...,
    session: str | None = ..., user: str | None = ..., exclude: Iterable[str] = ...,
) -> Callable[[Function], Function]: ...  # fmt: skip
def observe(
    function: Callable[..., Any] | None = None, /, *, kind: str = "span", name: str | None = None, **options: Any
) -> Any:
    """Trace a function, coroutine function, generator or method: each call becomes a span.

    `@observe` or `@observe(kind="tool", name=…, capture_input=…, capture_output=…, tags=…, metadata=…,
    session=…, user=…, exclude=("api_key",))`. `kind` is one of `collector.model.KINDS`; `metadata` may be a
    function of the call's arguments; arguments named in `exclude` are not recorded. Arguments and result are
    captured, exceptions recorded and passed on untouched. Tracing never raises into the program.
    """
    if function is not None:
        return decorate(QUEUE, function, kind, name, **options)
    return lambda decorated: decorate(QUEUE, decorated, kind, name, **options)


def span(name: str, *, kind: str = "span", session: str | None = None, user: str | None = None, **said: Any) -> Span:
    """A span as a context manager: `with span("plan", kind="agent", input=…) as s: … s.update(output=…)`.

    Works with `async with` too. Further keywords are those of `Span.update`.
    """
    made = QUEUE.open(Plan(QUEUE, name, kind, session=session, user=user))
    return made.update(**said) if said else made


def trace(name: str, *, kind: str = "span", session: str | None = None, user: str | None = None, **said: Any) -> Span:
    """Like `span`, but the root of a trace of its own, wherever it is called: one run, one turn."""
    made = span(name, kind=kind, session=session, user=user, **said)
    made.root = True
    return made


def agent(name: str, **said: Any) -> Span:
    """`span` of kind "agent"."""
    return span(name, kind="agent", **said).update(agent_name=name)


def llm(name: str, **said: Any) -> Span:
    """`span` of kind "llm": say `model`, `provider`, `input` (messages), `output`, `usage`."""
    return span(name, kind="llm", **said)


def tool(name: str, **said: Any) -> Span:
    """`span` of kind "tool": `input` are its arguments, `output` is its result."""
    return span(name, kind="tool", **said)


def retriever(name: str, **said: Any) -> Span:
    """`span` of kind "retriever": say `input` (the query) and `documents`."""
    return span(name, kind="retriever", **said)


def embedding(name: str, **said: Any) -> Span:
    """`span` of kind "embedding": say `model`, `input` (the texts), `usage`."""
    return span(name, kind="embedding", **said)


def chain(name: str, **said: Any) -> Span:
    """`span` of kind "chain": steps that belong together."""
    return span(name, kind="chain", **said)


def start_span(
    name: str, *, kind: str = "span", parent: Span | str | None = None, session: str | None = None,
    user: str | None = None, **said: Any,
) -> Span:  # fmt: skip
    """Begin a span that no `with` can wrap; it runs until `.end(output, usage=…, cost=…, error=…)`.

    It is a child of `parent` (a span, or a traceparent), else of the current span, and is not made current:
    `with s.activate():` does that for a block.
    """
    made = span(name, kind=kind, session=session, user=user, **said)
    try:
        outer, given = CURRENT.get(), parent is not None
        if isinstance(parent, str):
            from collector.sdk.headers import remote

            outer = remote(QUEUE, parent)
        elif parent is not None:
            outer = parent
        QUEUE.place(made, outer, given=given)
        QUEUE.launch(made)
    except Exception as e:
        QUEUE.count("start_span", e)
    return made


def event(name: str, /, **attributes: Any) -> None:
    """Note that something happened now: within the current span, or as a trace of its own outside of any."""
    found = current_span()
    if found is not None:
        found.event(name, **attributes)
    else:
        with span(name, kind="event", attributes=attributes):
            pass


def update_current(**said: Any) -> None:
    """`Span.update` of the current span; outside of any it is counted as said to nobody."""
    found = current_span()
    if found is not None:
        found.update(**said)
    else:
        QUEUE.count("update_current", "there is no current span")


class session:  # noqa: N801  # read as a word: `with session("thread-42"):`
    """Every span that begins within the block belongs to this session, user, tags, metadata, environment, release.

    `with session("thread-42", user="u7", tags=["beta"], metadata={"tier": "pro"}):`. Tags and metadata add up
    when blocks nest; works with `async with` too.
    """

    def __init__(
        self, id: object = None, *, user: object = None, tags: Iterable[object] | str | None = None,  # noqa: A002
        metadata: Mapping[str, object] | None = None, environment: object = None, release: object = None,
    ) -> None:  # fmt: skip
        self._said = (id, user, tags, metadata, environment, release)
        self._token: Any = None

    def __enter__(self) -> None:
        self._token = AMBIENT.set(_around(*self._said))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            AMBIENT.reset(self._token)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def set_session(
    id: object = None, *, user: object = None, tags: Iterable[object] | str | None = None,  # noqa: A002
    metadata: Mapping[str, object] | None = None, environment: object = None, release: object = None,
) -> None:  # fmt: skip
    """Like `session`, from here to the end of the context (a task, a thread), and for the current span as well."""
    around = _around(id, user, tags, metadata, environment, release)
    AMBIENT.set(around)
    found = current_span()
    if found is not None and around is not None:
        found.update(
            session=around.session, user=around.user, tags=around.tags or None, metadata=around.metadata,
            environment=around.environment, release=around.release,
        )  # fmt: skip


def _around(*said: Any) -> Ambient | None:
    QUEUE.surround()
    try:
        return added(AMBIENT.get(), *said)
    except Exception as e:
        QUEUE.count("session", e)
        return AMBIENT.get()


def current_span() -> Span | None:
    """The span that encloses the caller, None outside of any."""
    found = CURRENT.get()
    return None if isinstance(found, Remote) else found


def current_trace_id() -> str | None:
    """The id of the caller's trace, 32 hex digits; None outside of any span."""
    found = CURRENT.get()
    return None if found is None else found.trace_id


def traceparent() -> str | None:
    """The W3C traceparent of the current span, for a child process or another service; None outside of any."""
    return trace_headers().get("traceparent")


def trace_headers() -> dict[str, str]:
    """What hands the current context on: `traceparent`, and `baggage` with session, user and tags."""
    from collector.sdk.headers import headers_of

    return headers_of(CURRENT.get(), AMBIENT.get())


def continue_trace(headers: Mapping[str, str]) -> AbstractContextManager[None]:
    """`with continue_trace(request.headers):` spans within belong to the caller's trace, session and user.

    Headers that name nothing, or nonsense, change nothing: a trace of its own begins.
    """
    from collector.sdk.headers import continued

    return continued(QUEUE, headers)


def carry_context(function: Function) -> Function:
    """The function bound to the current context, for a thread: `pool.submit(carry_context(work), item)`.

    Threads start with an empty context; this hands them the current span and session. May be called many times,
    at the same time too.
    """
    from collector.sdk.carry import carried

    return carried(function)


def score(
    name: str, value: float | bool | str, comment: str | None = None, *, trace_id: str | None = None,
    span_id: str | None = None, session_id: str | None = None, score_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Judge a span, a trace or a session, now or later: a number, a category (text) or yes and no (bool).

    With no ids, the current span; with `trace_id` (and `span_id`), that one; with `session_id`, the session.
    The same `score_id` again replaces the score.
    """
    try:
        from collector.sdk.scores import made

        QUEUE.score(made(name, value, comment, trace_id, span_id, session_id, score_id, metadata, current_span()))
    except Exception as e:
        QUEUE.count("score", e)


def flush(timeout_s: float = 10.0) -> bool:
    """Wait until what was recorded so far is committed. False when that did not succeed in time."""
    return QUEUE.flush(timeout_s)
