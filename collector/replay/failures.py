"""Why a replay came to nothing, in words that say what to do."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from collector.errors import TracetuiError
from collector.export.calls import Provider
from collector.export.plainly import line

MOST = 300
_NO_MODEL = r"(invalid|unknown) model\b|\bmodel\b.{0,80}\b(not exist|not found|unknown)|not a valid model"


class ReplayError(TracetuiError):
    """A call could not be repeated: no key, no client, refused, unreachable."""


def explained(error: BaseException, provider: Provider, base: str, model: str) -> ReplayError:
    """An exception of the providers' clients (both are made by one generator, and their classes share their names)."""
    host = urlsplit(base).netloc or base
    status = getattr(error, "status_code", None)
    said = line(_message(error), MOST)
    names = {kind.__name__ for kind in type(error).__mro__}
    if "APITimeoutError" in names:
        return ReplayError(f"{host} did not answer in time; it may be busy or not be there")
    if "APIConnectionError" in names:
        why = line(str(error.__cause__ or error), MOST)
        return ReplayError(f"cannot reach {host}: {why}; is it running, and is {provider.base_variable} right?")
    if status in (401, 403):
        key = provider.key_variable or "the key"
        return ReplayError(f"{host} refused the key in {key} ({status}): {said}")
    if status == 429:
        wait = _retry_after(error)
        return ReplayError(
            f"{host} has had enough for now (429): {said}" + (f"; try again in {wait} s" if wait else "")
        )
    if status in (400, 404) and _no_such_model(error, said, status):
        return ReplayError(f"{host} knows no model {line(model, 80)!r} ({status}): {said}; choose another one")
    if status == 404:
        return ReplayError(f"{host} has nothing at {base} (404): {said}; is {provider.base_variable} right?")
    if status is not None and status >= 300:
        return ReplayError(f"{host} answered {status}: {said}")
    return ReplayError(f"the answer of {host} broke off or cannot be read: {type(error).__name__}: {said}")


def _no_such_model(error: BaseException, said: str, status: int) -> bool:
    """Providers say so with 404 (OpenAI, Anthropic, Ollama, vLLM) or 400 (Mistral, DeepSeek, OpenRouter); a 404
    that does not speak of models is of an address."""
    if getattr(error, "code", None) == "model_not_found":
        return True
    return bool(re.search(r"\bmodel" if status == 404 else _NO_MODEL, said, re.IGNORECASE))


def _message(error: BaseException) -> str:
    """The provider's own sentence where its answer holds one."""
    body: Any = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(inner, dict) and isinstance(inner.get("message"), str):
        return str(inner["message"])
    if isinstance(inner, str) and inner:
        return inner
    return str(getattr(error, "message", None) or error)


def _retry_after(error: BaseException) -> str:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    wait = str(headers.get("retry-after") or "")
    return wait if wait.replace(".", "", 1).isdigit() else ""
