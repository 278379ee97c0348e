"""A span while it lives: what the host's thread writes down, and the context that nests it.

This is the hot path. A `Span` is a plain object with class-level defaults, so that starting one sets
only what it must; everything that can be worked out later is (ids become text, clocks become dates,
arguments get their names in the worker: see `sdk.parts`).
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from collector.sdk.capture import OVERHEAD_BYTES, capture
from collector.sdk.trouble import note_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from collector.model import Rank, SpanPart
    from collector.sdk.ambient import Ambient
    from collector.sdk.queue import Queue

SPAN_BYTES = 600
"""What a span with scalar arguments costs the queue."""


class Plan:
    """What is known of a span before it starts: fixed when a function is decorated."""

    __slots__ = (
        "capture_input", "capture_output", "defaults", "excluded", "fields", "kind", "metadata_of", "name", "names",
        "queue", "rest", "session", "user",
    )  # fmt: skip

    def __init__(
        self,
        queue: Queue,
        name: str,
        kind: str,
        *,
        names: tuple[str, ...] = (),
        rest: str | None = None,
        defaults: dict[str, Any] | None = None,
        capture_input: bool = True,
        capture_output: bool = True,
        session: str | None = None,
        user: str | None = None,
        fields: dict[str, Any] | None = None,
        excluded: frozenset[str] = frozenset(),
        metadata_of: Callable[..., Any] | None = None,
    ) -> None:
        self.queue = queue
        self.name = name
        self.kind = kind
        self.names = names
        self.rest = rest
        self.defaults = defaults
        self.capture_input = capture_input
        self.capture_output = capture_output
        self.session = session
        self.user = user
        self.fields = fields
        self.excluded = excluded
        self.metadata_of = metadata_of


class Span:
    """A running span. Get one from `with span(…) as s`, `start_span(…)` or `current_span()`; fill it with `update`.

    `parent` leads to its id, its session and its user; `settle` fetches them, off the host's thread.
    """

    plan: Plan
    trace: int
    id: int
    parent_id: int = 0
    parent: Span | None = None
    moved: bool = False
    """Whether the parent is not what was current before, which is then in `before`."""
    before: Span | None = None
    opened_here: Any = None
    """What OpenTelemetry's context has to be reset with."""
    root: bool = False
    foreign: Callable[[str, Rank], SpanPart] | None = None
    """Makes the part of a span that another library recorded (`collector.otel`), from our process's id and the rank."""
    ambient: Ambient | None = None
    began: int = 0
    ended: int = 0
    args: tuple[Any, ...] | None = None
    kwargs: dict[str, Any] | None = None
    output: Any = None
    size: int = SPAN_BYTES
    session: str | None = None
    user: str | None = None
    fields: dict[str, Any] | None = None
    error: tuple[str, str, str, int] | None = None
    cancelled: str | None = None
    happened: list[tuple[int, str, dict[str, Any]]] | None = None
    first_token_at: int = 0
    revision: int = 0
    written: int = -1
    written_at: int = 0
    """The revision that was written as started, -1 for none. Owned by the worker."""

    @property
    def trace_id(self) -> str:
        return f"{self.trace or 1:032x}"

    @property
    def span_id(self) -> str:
        return f"{self.id or 1:016x}"

    def settle(self) -> None:
        """Take over what the context and the parent know: its id, and session and user where this span has none."""
        parent, ambient = self.parent, self.ambient
        self.session = self.session or self.plan.session or (ambient.session if ambient else None)
        self.user = self.user or self.plan.user or (ambient.user if ambient else None)
        if parent is not None:
            self.parent_id = parent.id
        while parent is not None and (self.session is None or self.user is None):
            self.session = self.session or parent.session or parent.plan.session
            self.user = self.user or parent.user or parent.plan.user
            parent = parent.parent

    def let_go(self) -> None:
        """After its last part is made: keep nothing of the host's alive, whoever still holds the span."""
        self.parent = self.before = self.args = self.kwargs = self.output = self.fields = None
        self.happened = self.error = self.ambient = self.opened_here = self.foreign = None

    def __enter__(self) -> Span:
        self.plan.queue.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended = self.ended
        self.ended = ended or self.plan.queue.now()
        leave(self)
        if ended:  # by `end()`, within the block
            return
        if error is not None:
            note_error(self, error)
        self.plan.queue.finish(self)

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def end(
        self, output: object = None, *, usage: object = None, cost: float | None = None,
        error: BaseException | str | None = None, **said: Any,
    ) -> None:  # fmt: skip
        """End a span that no `with` ends; a second end does nothing.

        `usage` and further keywords are those of `update`, `cost` is in US dollars, `error` an exception or a text.
        """
        queue = self.plan.queue
        try:
            if self.ended or not self.began:
                return
            if output is not None or usage is not None or cost is not None or said:
                self.update(output=output, usage=usage, cost_usd=cost, **said)
            self.ended = queue.now()
            if isinstance(error, BaseException):
                note_error(self, error)
            elif error is not None:
                self.error = ("Error", str(error), "", self.ended)
            queue.finish(self)
        except Exception as e:
            queue.count("end", e)

    @contextmanager
    def activate(self) -> Iterator[Span]:
        """Make a span from `start_span` the current one for a block, without ending it."""
        before = CURRENT.get()
        CURRENT.set(self)
        try:
            yield self
        finally:
            CURRENT.set(before)

    def update(
        self,
        *,
        input: object = None,  # noqa: A002  # the field's public name
        output: object = None,
        name: str | None = None,
        kind: str | None = None,
        model: str | None = None,
        request_model: str | None = None,
        provider: str | None = None,
        operation: str | None = None,
        response_id: str | None = None,
        usage: object = None,
        cost_usd: float | None = None,
        params: Mapping[str, object] | None = None,
        system: object = None,
        tool_name: str | None = None,
        tool_call_id: str | None = None,
        tool_definitions: Sequence[object] | None = None,
        documents: Sequence[object] | None = None,
        prompt_name: str | None = None,
        prompt_version: str | None = None,
        agent_name: str | None = None,
        finish_reasons: Sequence[str] | None = None,
        session: str | None = None,
        user: str | None = None,
        tags: Iterable[str] | None = None,
        metadata: Mapping[str, object] | None = None,
        attributes: Mapping[str, object] | None = None,
        environment: str | None = None,
        release: str | None = None,
        level: str | None = None,
        status: str | None = None,
        status_message: str | None = None,
        replay_of: str | None = None,
    ) -> Span:
        """Say more about the span; what is None stays as it was, `metadata`, `attributes`, `params` and `tags` add up.

        `usage` is a mapping or object in our names (`input_tokens` includes cached ones) or OpenAI's.
        `input` and `output` of an llm span may be chat messages: a list of {"role", "content"}.
        Never raises: what cannot be stored is described instead.
        """
        given = locals()
        del given["self"]
        try:
            self._set(given)
        except Exception as e:
            self.plan.queue.count("update", e)
        return self

    def _set(self, given: dict[str, Any]) -> None:
        fields = {} if self.fields is None else self.fields.copy()  # the worker may be reading the old one
        for name, value in given.items():
            if value is None:
                continue
            if name in ("session", "user"):
                setattr(self, name, value if type(value) is str else str(capture(value)[0]))
            else:
                self._set_field(fields, name, value)
        self.fields = fields
        self.revision += 1

    def _set_field(self, fields: dict[str, Any], name: str, value: Any) -> None:
        if name == "usage" and not isinstance(value, dict):
            value = _numbers(value)
        elif name in ("tags", "finish_reasons") and not isinstance(value, (list, tuple)):
            value = [value] if isinstance(value, str) else list(value)
        elif name in ("metadata", "attributes", "params"):
            value = dict(value)
        copied, size = capture(value)
        self.size += size + OVERHEAD_BYTES
        before = fields.get(name)
        if name in ("metadata", "attributes", "params") and before:
            copied = {**before, **copied}
        elif name == "tags" and before:
            copied = [*before, *copied]
        fields[name] = copied

    def event(self, name: str, /, **attributes: object) -> Span:
        """Note that something happened now, within the span."""
        copied, size = capture(attributes)
        self.size += size + OVERHEAD_BYTES
        if self.happened is None:
            self.happened = []
        self.happened.append((self.plan.queue.now(), name if type(name) is str else str(capture(name)[0]), copied))
        self.revision += 1
        return self

    def first_token(self) -> Span:
        """Note that the first token of a streamed answer is here; later calls change nothing."""
        if not self.first_token_at:
            self.first_token_at = self.plan.queue.now()
        return self


CURRENT: ContextVar[Span | None] = ContextVar("tracetui_span", default=None)


class Remote(Span):
    """A span of another process, or of another library in this one: a parent, never written by us."""


def outermost(span: Span) -> Span:
    """The span of this process that the given one is in, at whatever depth; across a fork too."""
    while (parent := span.parent) is not None and not isinstance(parent, Remote):
        span = parent
    return span


def leave(span: Span) -> None:
    """Make current what was so before the span."""
    CURRENT.set(span.before if span.moved else span.parent)
    if span.opened_here is not None:
        from collector.sdk.beside_otel import close

        close(span)


def _numbers(usage: Any) -> dict[str, Any]:
    """A usage object (openai's, anthropic's, ours) as a dict of its public fields."""
    dump = getattr(usage, "model_dump", None)
    if callable(dump):
        return dict(dump())
    slots = getattr(type(usage), "__dataclass_fields__", None)
    names = list(slots) if slots else [n for n in vars(usage) if not n.startswith("_")]
    return {name: getattr(usage, name) for name in names}
