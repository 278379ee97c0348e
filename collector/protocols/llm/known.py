"""Which request is asked for in which words, by its path; and the model, where the path names it."""

from __future__ import annotations

import re
from urllib.parse import unquote

from collector.protocols.llm import Endpoint, anthropic, bedrock, cohere, gemini, media, ollama, openai

ENDPOINTS: dict[str, Endpoint] = {
    **openai.ENDPOINTS, **anthropic.ENDPOINTS, **media.ENDPOINTS, **ollama.ENDPOINTS, **gemini.ENDPOINTS,
    **cohere.ENDPOINTS, **bedrock.ENDPOINTS,
}  # fmt: skip
"""By the end of the path."""
_MODEL = re.compile(r"/(?:deployments|models?)/([^/:]+)(?:[/:]|\Z)")
_STORED = re.compile(r"/responses/([^/]+)(?:/cancel)?\Z")


def endpoint_of(method: str, path: str) -> Endpoint | None:
    """How to read what is asked for here; None for what is passed on without being read."""
    if method != "POST":
        return None
    ends = {**ENDPOINTS, **bedrock.OF_ANTHROPIC} if "anthropic" in path else ENDPOINTS
    found = [end for end in ends if path.endswith(end)]
    return ends[max(found, key=len)] if found else None


def model_in(path: str) -> str | None:
    """/openai/deployments/NAME/… of Azure, /models/NAME:… of Gemini, /model/ID/… of Bedrock."""
    found = _MODEL.search(path)
    return unquote(found[1]) if found else None


def stored_response(path: str) -> str | None:
    """The id of an answer that OpenAI keeps, where this is the path of one."""
    found = _STORED.search(path)
    return unquote(found[1]) if found else None
