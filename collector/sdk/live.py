"""A span while it lives: what the host's thread writes down, and the context that nests it.

This is the hot path. A `Span` is a plain object with class-level defaults, so that starting one sets
only what it must; everything that can be worked out later is (ids become text, clocks become dates,
arguments get their names in the worker: see `sdk.parts`).
"""

from __future__ import annotations

from contextvars import ContextVar
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from collector.sdk.capture import OVERHEAD_BYTES, capture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

    from collector.sdk.queue import Queue

SPAN_BYTES = 600
"""What a span with scalar arguments costs the queue."""


class Plan:
    """What is known of a span before it starts: fixed when a function is decorated."""

    __slots__ = (
        "capture_input", "capture_output", "defaults", "fields", "kind", "name", "names", "queue", "rest", "session",
        "user",
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


class Span:
    """A running span. Get one from `with span(…) as s` or `current_span()`; fill it with `update`.

    `parent` leads to its id, its session and its user; `settle` fetches them, off the host's thread.
    """

    plan: Plan
    trace: int
    id: int
    parent_id: int = 0
    parent: Span | None = None
    start: int = 0
    end: int = 0
    args: tuple[Any, ...] | None = None
    kwargs: dict[str, Any] | None = None
    output: Any = None
    size: int = SPAN_BYTES
    session: str | None = None
    user: str | None = None
    fields: dict[str, Any] | None = None
    error: tuple[str, str, str, int] | None = None
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
        """Take over what the parent knows: its id, and its session and user where this span has none."""
        parent = self.parent
        self.session = self.session or self.plan.session
        self.user = self.user or self.plan.user
        if parent is not None:
            self.parent_id = parent.id
        while parent is not None and (self.session is None or self.user is None):
            self.session = self.session or parent.session or parent.plan.session
            self.user = self.user or parent.user or parent.plan.user
            parent = parent.parent

    def let_go(self) -> None:
        """After its last part is made: keep nothing of the host's alive, whoever still holds the span."""
        self.parent = self.args = self.kwargs = self.output = self.fields = self.happened = self.error = None

    def __enter__(self) -> Span:
        self.plan.queue.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end = perf_counter_ns()
        CURRENT.set(self.parent)
        if error is not None:
            note_error(self, error)
        self.plan.queue.finish(self)

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
        level: str | None = None,
        status: str | None = None,
        status_message: str | None = None,
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
            if name == "session":
                self.session = str(value)
            elif name == "user":
                self.user = str(value)
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
        self.happened.append((perf_counter_ns(), str(name), copied))
        self.revision += 1
        return self

    def first_token(self) -> Span:
        """Note that the first token of a streamed answer is here; later calls change nothing."""
        if not self.first_token_at:
            self.first_token_at = perf_counter_ns()
        return self


CURRENT: ContextVar[Span | None] = ContextVar("tracetui_span", default=None)


def note_error(span: Span, error: BaseException) -> None:
    """Write down an exception that leaves the span: type, message, stack, moment. Never raises."""
    if isinstance(error, GeneratorExit) or (isinstance(error, SystemExit) and error.code in (0, None)):
        return  # closed early or asked to go: not a failure
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        message = str(error)
    except Exception as e:
        message = f"<str() raised {type(e).__name__}>"
    span.error = (name, message, _stack(error), span.end)
    span.size += len(message) + len(span.error[2])


def _stack(error: BaseException) -> str:
    """The formatted stack. Made at once: keeping the traceback would keep the host's locals alive."""
    try:
        import traceback

        return "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=-50))
    except Exception as e:
        return f"<stack could not be formatted: {type(e).__name__}>"


def _numbers(usage: Any) -> dict[str, Any]:
    """A usage object (openai's, anthropic's, ours) as a dict of its public fields."""
    dump = getattr(usage, "model_dump", None)
    if callable(dump):
        return dict(dump())
    slots = getattr(type(usage), "__dataclass_fields__", None)
    names = list(slots) if slots else [n for n in vars(usage) if not n.startswith("_")]
    return {name: getattr(usage, name) for name in names}
