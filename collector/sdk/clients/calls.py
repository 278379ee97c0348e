"""One request to a model as a span: from the moment it is asked to the last of its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.protocols.llm import ABANDONED
from collector.sdk.api import QUEUE
from collector.sdk.live import Plan, Span, leave
from collector.sdk.trouble import note_error

if TYPE_CHECKING:
    from collector.protocols.llm import Endpoint, Said
ABANDONED_BY = "GeneratorExit"


class Call:
    """A span under way, and how to read what comes back. Nothing here raises into the program."""

    __slots__ = ("endpoint", "over", "raw", "span")

    def __init__(self, endpoint: Endpoint, span: Span) -> None:
        self.endpoint = endpoint
        self.span = span
        self.over = False
        self.raw: Any = None
        """The answer before it was parsed into the host's classes, in case that fails."""

    def leave(self) -> None:
        leave(self.span)

    def end(
        self, said: Said | None = None, *, error: BaseException | None = None, at: int = 0, cut: bool = False
    ) -> None:
        """End the span; a second end does nothing. `at` is a tick, `cut` says that nobody read the rest."""
        if self.over:
            return
        self.over = True
        span, queue = self.span, QUEUE
        try:
            if cut:
                span.cancelled = ABANDONED_BY
                said = {**(said or {}), "status_message": ABANDONED}
            if said:
                span.update(**said)
            span.ended = at or queue.now()
            if error is not None:
                note_error(span, error)
            queue.finish(span)
        except Exception as e:
            queue.count("client", e)

    def answered(self, answer: Any) -> None:
        """End the span with an answer that came in one piece."""
        try:
            said = self.endpoint.answered(answer)
        except Exception as e:
            said = {}
            QUEUE.count("client", e)
        self.end(said)

    def failed(self, error: BaseException) -> None:
        """End the span with what the request raised, and with the answer where there was one all the same."""
        said: Said = {}
        try:
            if self.raw is not None:
                said = self.endpoint.answered(self.raw)
            said = {**said, "attributes": {**said.get("attributes", {}), **_of_error(error)}}
        except Exception as e:
            QUEUE.count("client", e)
        self.end(said, error=error)


def _of_error(error: BaseException) -> dict[str, Any]:
    """What the clients' exceptions know of the HTTP answer."""
    held = vars(error)
    found = {"http.response.status_code": held.get("status_code"), "request_id": held.get("request_id")}
    code = held.get("code")
    if isinstance(code, str):
        found["error.code"] = code
    return {name: value for name, value in found.items() if value is not None}


def begin(endpoint: Endpoint, provider: str | None, body: dict[str, Any]) -> Call:
    """Start the span of a request and make it the current one."""
    said = endpoint.asked(body)
    model = body.get("model")
    model = model if isinstance(model, str) else None
    span = QUEUE.open(Plan(QUEUE, f"{endpoint.operation} {model}" if model else endpoint.operation, endpoint.kind))
    span.update(operation=endpoint.operation, provider=provider, request_model=model, **said)
    QUEUE.begin(span)
    return Call(endpoint, span)
