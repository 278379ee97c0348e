"""The callback handler for LangChain and LangGraph; public as `collector.langchain.CallbackHandler`.

LangChain tells a handler of each run's start and end, with the run's id and its parent's, on whatever thread or task.
A run is a span under its parent's. In the context that it begins in, it is the current span too, so that what the
host traces itself, and wrapped clients, appear within it; a model that streams gives that up with its first token,
as its caller goes on in the same context.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import BaseCallbackHandler

from collector.protocols.llm.plainly import fields, text
from collector.sdk.api import QUEUE
from collector.sdk.clients import lcvalues
from collector.sdk.clients.calls import ABANDONED_BY
from collector.sdk.live import CURRENT, Plan, Remote, Span
from collector.sdk.trouble import note_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from uuid import UUID

    Said = Callable[[], dict[str, Any]]

MOST_OPEN = 10_000
"""So many runs may be open at a time; beyond it, the oldest is taken for one whose end was never told."""
NEVER_ENDED = "no end of this run was reported"
INTERRUPTED = "interrupted"
HIDDEN = "langsmith:hidden"
_STEP_TAGS = ("seq:step", "map:key", "graph:step", "condition:", "branch:")
_SESSION = ("session_id", "thread_id", "conversation_id")
_OF_THE_LIBRARY = (
    "ls_", "langgraph_", "lc_", "__", "checkpoint_", "run_id", "run_attempt", "langfuse_", "assistant_id", "graph_id",
    "revision_id", "user_id", *_SESSION,
)  # fmt: skip


class RunSpan(Span):
    """The span of a run. `outer` is what was current where it began, as far as that matters."""

    outer: Span | None = None
    entered: bool = False


class Runs:
    """The runs that are open, whichever handler was told: two handlers in one configuration make no span twice."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self.most = most
        self.open: OrderedDict[UUID, RunSpan | None] = OrderedDict()
        self.lock = threading.Lock()

    def take(self, run_id: UUID, span: RunSpan | None) -> bool:
        """False when the run is known already."""
        lost = None
        with self.lock:
            if run_id in self.open:
                return False
            self.open[run_id] = span
            if len(self.open) > self.most:
                lost = self.open.popitem(last=False)[1]
        if lost is not None and lost.entered:
            lost.cancelled = ABANDONED_BY
            lost.end(status_message=NEVER_ENDED)
        return True


RUNS = Runs()
_HIDDEN: OrderedDict[UUID, UUID | None] = OrderedDict()
"""Steps that LangGraph itself hides, and whose they are."""


class CallbackHandler(BaseCallbackHandler):
    """Records what LangChain and LangGraph run: chains and nodes with the state before and after, models, tools,
    retrievers and their documents, agents' steps, errors.

        from collector.langchain import CallbackHandler

        graph.invoke(state, {"callbacks": [CallbackHandler()], "configurable": {"thread_id": "thread-42"}})

    The session is `session`, else the configuration's `thread_id` (or `session_id`, in `configurable` or `metadata`);
    the user is `user`, else `metadata["user_id"]`. Tags and metadata of the configuration are the span's. One handler
    serves any number of runs, at the same time too; its hooks are quick, run in line (`run_inline`, within the event
    loop as well), and never raise. Together with a wrapped client a call is seen twice and counted once.
    """

    run_inline = True
    raise_error = False

    def __init__(
        self, *, session: str | None = None, user: str | None = None, tags: Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.session = session
        self.user = user
        self.tags = list(tags)
        self.metadata = dict(metadata or {})

    # Starts

    def on_chain_start(self, serialized: Any, inputs: Any, **told: Any) -> None:
        self._start(told, serialized, _chain_kind, lambda: {"input": lcvalues.state(inputs)})

    def on_chat_model_start(self, serialized: Any, messages: list[list[Any]], **told: Any) -> None:
        self._start_model(
            serialized, lambda: [lcvalues.message(one) for one in (messages[0] if messages else ())], told
        )

    def on_llm_start(self, serialized: Any, prompts: list[str], **told: Any) -> None:
        self._start_model(serialized, lambda: prompts[0] if prompts else None, told)

    def _start_model(self, serialized: Any, given: Callable[[], Any], told: dict[str, Any]) -> None:
        invocation, metadata = told.get("invocation_params") or {}, told.get("metadata") or {}
        self._start(
            told, serialized, lambda *_: "llm",
            lambda: {**lcvalues.asked(serialized, invocation, metadata), "input": given()},
        )  # fmt: skip

    def on_tool_start(self, serialized: Any, input_str: str, **told: Any) -> None:
        inputs, call_id = told.get("inputs"), text(told.get("tool_call_id"))
        name = text(fields(serialized).get("name"))
        given = input_str if inputs is None else inputs
        self._start(
            told, serialized, lambda *_: "tool",
            lambda: {"input": lcvalues.plain(given), "tool_call_id": call_id, "tool_name": name},
        )  # fmt: skip

    def on_retriever_start(self, serialized: Any, query: str, **told: Any) -> None:
        self._start(told, serialized, lambda *_: "retriever", lambda: {"input": query})

    def _start(
        self, told: dict[str, Any], serialized: Any, kind_of: Callable[[str, dict[str, Any]], str],
        said: Said,
    ) -> None:  # fmt: skip
        if not QUEUE.on:
            return
        try:
            run_id, parent_id = told["run_id"], told.get("parent_run_id")
            tags = [*(told.get("tags") or ()), *self.tags]
            if HIDDEN in tags:
                _hide(run_id, parent_id)
                return
            if run_id in RUNS.open:
                return
            metadata = {**(told.get("metadata") or {}), **self.metadata}
            name = _name(told, serialized)
            kind = kind_of(name, metadata)
            span = RunSpan()
            span.plan = Plan(QUEUE, name, kind)
            if RUNS.take(run_id, span):
                span.update(**said(), **self._around(name, kind, tags, metadata))
                _enter(span, _parent(parent_id, kind))
        except Exception as e:
            QUEUE.count("langchain", e)

    def _around(self, name: str, kind: str, tags: list[str], metadata: dict[str, Any]) -> dict[str, Any]:
        """Session, user, tags and metadata; what LangGraph notes about the step is not the host's metadata."""
        session = self.session or next((metadata[key] for key in _SESSION if metadata.get(key)), None)
        theirs = {key: value for key, value in metadata.items() if not key.startswith(_OF_THE_LIBRARY)}
        step, node = metadata.get("langgraph_step"), metadata.get("langgraph_node")
        agent = metadata.get("lc_agent_name") or (name if kind == "agent" else None)
        return {
            "session": session if session is None else str(session),
            "user": self.user or (str(metadata["user_id"]) if metadata.get("user_id") else None),
            "tags": [tag for tag in tags if not str(tag).startswith(_STEP_TAGS)] or None,
            "metadata": theirs or None,
            "agent_name": text(agent),
            "attributes": {"langgraph.node": node, "langgraph.step": step} if node and name == node else None,
        }

    # What happens within

    def on_llm_new_token(self, token: Any, **told: Any) -> None:
        self._first_token(told)

    def on_stream_event(self, event: Any, **told: Any) -> None:
        if str(fields(event).get("event")).startswith("content-block"):
            self._first_token(told)

    def _first_token(self, told: dict[str, Any]) -> None:
        span = RUNS.open.get(told["run_id"])
        if span is not None and not span.first_token_at:
            span.first_token()
            _leave(span)

    def on_agent_action(self, action: Any, **told: Any) -> None:
        held = fields(action)
        self._event(told, "agent_action", {"tool": held.get("tool"), "tool_input": held.get("tool_input")})

    def on_agent_finish(self, finish: Any, **told: Any) -> None:
        self._event(told, "agent_finish", {"return_values": fields(finish).get("return_values")})

    def on_retry(self, retry_state: Any, **told: Any) -> None:
        self._event(told, "retry", {"attempt": getattr(retry_state, "attempt_number", None)})

    def on_custom_event(self, name: str, data: Any, **told: Any) -> None:
        self._event(told, name, {"data": data})

    def _event(self, told: dict[str, Any], name: str, said: dict[str, Any]) -> None:
        try:
            span = RUNS.open.get(told["run_id"])
            if span is not None:
                span.event(name, **said)
        except Exception as e:
            QUEUE.count("langchain", e)

    # Ends

    def on_chain_end(self, outputs: Any, **told: Any) -> None:
        self._end(told, lambda: {"output": lcvalues.state(outputs)})

    def on_llm_end(self, response: Any, **told: Any) -> None:
        self._end(told, lambda: lcvalues.answered(response))

    def on_tool_end(self, output: Any, **told: Any) -> None:
        self._end(told, lambda: _of_tool(output))

    def on_retriever_end(self, documents: Any, **told: Any) -> None:
        self._end(told, lambda: {"documents": [lcvalues.document(one) for one in documents]})

    def on_chain_error(self, error: BaseException, **told: Any) -> None:
        self._end(told, dict, error)

    def on_llm_error(self, error: BaseException, **told: Any) -> None:
        response = told.get("response")
        self._end(told, lambda: lcvalues.answered(response) if response is not None else {}, error)

    def on_tool_error(self, error: BaseException, **told: Any) -> None:
        self._end(told, dict, error)

    def on_retriever_error(self, error: BaseException, **told: Any) -> None:
        self._end(told, dict, error)

    def _end(
        self, told: dict[str, Any], said: Callable[[], dict[str, Any]], error: BaseException | None = None
    ) -> None:
        try:
            run_id = told["run_id"]
            _HIDDEN.pop(run_id, None)
            span = RUNS.open.pop(run_id, None)
            if span is None or not span.entered:
                return
            _leave(span)
            self._finish(span, said, error)
        except Exception as e:
            QUEUE.count("langchain", e)

    def _finish(self, span: RunSpan, said: Said, error: BaseException | None) -> None:
        try:
            span.update(**said())
        except Exception as e:
            QUEUE.count("langchain", e)
        if error is not None and any(kind.__name__ == "GraphBubbleUp" for kind in type(error).__mro__):
            span.update(status_message=INTERRUPTED)  # waits for a person, or goes on elsewhere: no failure
            error = None
        span.ended = QUEUE.now()
        if error is not None:
            note_error(span, error)
        QUEUE.finish(span)


def _name(told: dict[str, Any], serialized: Any) -> str:
    made = fields(serialized)
    path = made.get("id")
    last = path[-1] if isinstance(path, list) and path else None
    return text(told.get("name")) or text(made.get("name")) or text(last) or "run"


def _chain_kind(name: str, metadata: dict[str, Any]) -> str:
    """A graph or executor that calls itself an agent is one; a node of that name is a step of it."""
    is_node = metadata.get("langgraph_node") == name
    return "agent" if not is_node and name.lower().endswith(("agent", "agentexecutor")) else "chain"


def _of_tool(output: Any) -> dict[str, Any]:
    if not lcvalues.is_message(output):
        return {"output": lcvalues.plain(output)}
    held = fields(output)
    failed = held.get("status") == "error"
    return {
        "output": lcvalues.plain(held.get("content")),
        "tool_call_id": text(held.get("tool_call_id")),
        "status": "error" if failed else None,
        "status_message": text(held.get("content")) if failed else None,
    }


def _hide(run_id: UUID, parent_id: UUID | None) -> None:
    _HIDDEN[run_id] = parent_id
    if len(_HIDDEN) > MOST_OPEN:
        _HIDDEN.popitem(last=False)


def _parent(parent_id: UUID | None, kind: str) -> Span | None:
    """The parent's span, or what the host began within it; what is current where the parent is not known.

    Another run that is current, and not the parent, is a sibling: several prompts begin in one context.
    """
    for _ in range(20):
        if parent_id is None or parent_id not in _HIDDEN:
            break
        parent_id = _HIDDEN[parent_id]
    told = RUNS.open.get(parent_id) if parent_id is not None else None
    current = _unwound(CURRENT.get())
    if told is not None and told.entered:
        run = current
        while run is not None and not isinstance(run, RunSpan):
            run = run.parent
        return current if run is told else told
    if kind == "llm" and isinstance(current, RunSpan) and current.plan.kind == "llm":
        return current.outer
    return current


def _unwound(current: Span | None) -> Span | None:
    """Of runs that ended in another context than they began in, what was current before."""
    while isinstance(current, RunSpan) and current.ended:
        current = current.outer
    return current


def _enter(span: RunSpan, parent: Span | None) -> None:
    span.outer = _unwound(CURRENT.get())
    given = parent is not None and parent is not span.outer and not isinstance(parent, Remote)
    QUEUE.place(span, parent, given=given)
    span.entered = True
    CURRENT.set(span)
    if QUEUE.beside_otel and QUEUE.on:
        from collector.sdk.beside_otel import enter

        enter(span)
    QUEUE.launch(span)


def _leave(span: RunSpan) -> None:
    """Give back what was current, if this is where it began."""
    if span.opened_here is not None:
        from collector.sdk.beside_otel import close

        close(span)
    if _unwound(CURRENT.get()) is span:
        CURRENT.set(_unwound(span.outer))
