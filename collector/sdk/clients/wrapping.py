"""Tracing of one client, at the door through which all its requests go.

The clients of OpenAI and Anthropic are made by the same generator: every method of theirs, the helpers for parsing,
streaming and tools and the raw responses too, ends in `client.request(cast_to, options, stream=…)`, whose options hold
the body as it is sent. That one method is replaced, on the instance: the client keeps its type, and retries, which
happen within, make no spans of their own.
"""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from collector.sdk.api import QUEUE
from collector.sdk.clients.calls import Call, begin
from collector.sdk.clients.raws import heed, is_raw
from collector.sdk.clients.streams import Watch, attend, is_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.protocols.llm import Endpoint

MARK = "_tracetui_wrapped"
REQUEST_ID = "http.response.header.request-id"


class Tracer:
    """How one client's requests are read."""

    def __init__(self, endpoints: dict[str, Endpoint], provider: str | None) -> None:
        self.endpoints = endpoints
        self.provider = provider

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        """The span of a request that is traced; None for all others, and where something went wrong."""
        if not QUEUE.on:
            return None
        call = None
        try:
            options = kwargs["options"] if "options" in kwargs else args[1]
            endpoint = self.endpoints.get(options.url.partition("?")[0])
            body = options.json_data
            if endpoint is None or options.method.lower() != "post" or not isinstance(body, dict):
                return None
            more = getattr(options, "extra_json", None)
            call = begin(endpoint, self.provider, _sent({**body, **more} if isinstance(more, dict) else body))
            _keep_unparsed(call, options)
        except Exception as e:
            QUEUE.count("client", e)
        return call

    def came(self, call: Call, result: Any, stream: bool) -> Any:
        """What the request returned, watched where it is not all there yet."""
        try:
            call.leave()
            if (request_id := _request_id(result)) is not None:
                call.span.update(attributes={REQUEST_ID: [request_id]})
            if is_raw(result):
                return heed(result, call, stream=stream)
            if is_stream(result) and call.endpoint.gather is not None:
                return attend(result, Watch(call, call.endpoint.gather()))
            call.answered(result if call.raw is None else call.raw)
        except Exception as e:
            call.end()
            QUEUE.count("client", e)
        return result

    def failed(self, call: Call, error: BaseException) -> None:
        try:
            call.leave()
            call.failed(error)
        except Exception as e:
            QUEUE.count("client", e)


def _request_id(result: Any) -> str | None:
    """The provider's name of the request. A proxy or a gateway that reports the same call knows it, too; the answer to
    embeddings has no other id."""
    held = getattr(result, "_request_id", None)
    if held is None and (answer := getattr(result, "http_response", None) or getattr(result, "response", None)):
        held = answer.headers.get("x-request-id") or answer.headers.get("request-id")
    return held if isinstance(held, str) else None


def _sent(body: dict[str, Any]) -> dict[str, Any]:
    """Without what stands for arguments that were not given."""
    return {name: value for name, value in body.items() if type(value).__name__ not in ("Omit", "NotGiven")}


def _keep_unparsed(call: Call, options: Any) -> None:
    """Structured outputs are parsed within the request, and what does not fit raises: the answer is worth keeping."""
    parse = getattr(options, "post_parser", None)
    if not callable(parse):
        return

    def parsed(answer: Any) -> Any:
        call.raw = answer
        return parse(answer)

    options.post_parser = parsed


def wrap(client: Any, what: str, endpoints: dict[str, Endpoint], provider_of: Callable[[Any], str | None]) -> Any:
    """The same client, traced from now on. Anything that is no such client is returned as it is, and counted."""
    try:
        if getattr(client, MARK, False):
            return client
        inner = getattr(client, "request", None)
        if not callable(inner) or not hasattr(client, "base_url"):
            QUEUE.count(what, f"{type(client).__name__} is no client of that library; it is not traced")
            return client
        tracer = Tracer(endpoints, provider_of(client))
        client.request = _awaited(tracer, inner) if iscoroutinefunction(inner) else _called(tracer, inner)
        for name in ("copy", "with_options"):
            if callable(made := getattr(client, name, None)):
                setattr(client, name, _wrapped_too(made, what, endpoints, provider_of))
        setattr(client, MARK, True)
    except Exception as e:
        QUEUE.count(what, e)
    return client


def _called(tracer: Tracer, inner: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(inner)
    def request(*args: Any, **kwargs: Any) -> Any:
        call = tracer.begin(args, kwargs)
        if call is None:
            return inner(*args, **kwargs)
        try:
            result = inner(*args, **kwargs)
        except BaseException as error:
            tracer.failed(call, error)
            raise
        return tracer.came(call, result, bool(kwargs.get("stream")))

    return request


def _awaited(tracer: Tracer, inner: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(inner)
    async def request(*args: Any, **kwargs: Any) -> Any:
        call = tracer.begin(args, kwargs)
        if call is None:
            return await inner(*args, **kwargs)
        try:
            result = await inner(*args, **kwargs)
        except BaseException as error:
            tracer.failed(call, error)
            raise
        return tracer.came(call, result, bool(kwargs.get("stream")))

    return request


def _wrapped_too(made: Callable[..., Any], *how: Any) -> Callable[..., Any]:
    @wraps(made)
    def copied(*args: Any, **kwargs: Any) -> Any:
        return wrap(made(*args, **kwargs), *how)

    return copied
