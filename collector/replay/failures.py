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


class NoAnswer(ReplayError):
    """What came back holds no answer, nor does it say that there is none."""


def explained(
    error: BaseException, provider: Provider, base: str, model: str, *, keyed: bool = True, begun: bool = False
) -> ReplayError:
    """An exception of the providers' clients (both are made by one generator, and their classes share their names).

    `keyed` says that a key was sent, `begun` that a part of the answer had come.
    """
    host = urlsplit(base).netloc or base
    status = getattr(error, "status_code", None)
    said = line(_message(error), MOST).rstrip(".")
    if isinstance(error, NoAnswer):
        return NoAnswer(f"{host} {error}")
    if begun:
        why = line(str(error.__cause__ or ""), MOST) or said
        return ReplayError(f"the answer of {host} broke off: {why}; what came until then is kept")
    names = {kind.__name__ for kind in type(error).__mro__}
    if "APITimeoutError" in names:
        return ReplayError(f"{host} did not answer in time; it may be busy or not be there")
    if "APIConnectionError" in names:
        why = line(str(error.__cause__ or error), MOST)
        return ReplayError(f"cannot reach {host}: {why}; is it running, and is {provider.base_variable} right?")
    if status in (401, 403):
        key = provider.key_variable
        if key and not keyed:
            return ReplayError(f"{host} wants a key ({status}): {said}; {key} is not set: export it")
        return ReplayError(f"{host} refused the key{f' in {key}' if key else ''} ({status}): {said}")
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
    return ReplayError(f"the answer of {host} cannot be read: {type(error).__name__}: {said}")


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
    return of_page(inner if isinstance(inner, str) and inner else str(getattr(error, "message", None) or error))


def of_page(text: str) -> str:
    """What a web page says, which gateways answer with: its title, else its words."""
    if text.lstrip()[:1] != "<":
        return text
    title = re.search(r"<title[^>]*>([^<]+)", text, re.IGNORECASE)
    return title[1].strip() if title else re.sub(r"<[^>]*>", " ", text).strip()


def _retry_after(error: BaseException) -> str:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    wait = str(headers.get("retry-after") or "")
    return wait if wait.replace(".", "", 1).isdigit() else ""
