"""What programs and models say to one another: requests and answers of the providers' own HTTP APIs, read. Pure.

OpenAI's chat completions, completions, Responses and embeddings, and Anthropic's messages; streamed or not. The SDK's
client wrappers read the clients' objects with it, the proxy what passes through it. The proxy alone reads OpenAI's
images, audio and moderations, and what Ollama, llama.cpp, Gemini, Cohere and Bedrock speak of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

ABANDONED = "abandoned: the stream was not read to its end"
"""The status message of a streamed call that nobody read on; what came so far is its output."""
Said = dict[str, Any]
"""What was found, under the names of `Span.update`'s keywords."""


class Gather(Protocol):
    """Puts a streamed answer together."""

    @property
    def complete(self) -> bool:
        """Whether the answer is whole, although the stream may say more."""

    def take(self, item: Any) -> bool:
        """Add one event; whether it held something of the answer itself (and not only of its frame)."""

    def said(self) -> Said:
        """What is known by now."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to read one kind of request: the body that was sent, the answer, and the answer in pieces."""

    operation: str
    kind: str
    asked: Callable[[dict[str, Any]], Said]
    answered: Callable[[Any], Said]
    gather: Callable[[], Gather] | None = None
    provider: str | None = None
    """Who answers so, where neither host nor upstream tells."""
    other: Callable[[str, bytes], Any] | None = None
    """From the type and the bytes of an answer that is no JSON to a document for `answered`."""
    array: bool = False
    """Whether a stream of it comes as one JSON array, where it does not come in events."""
