"""What programs and models say to one another: requests and answers of the providers' own HTTP APIs, read. Pure.

OpenAI's chat completions, completions, Responses and embeddings, and Anthropic's messages; streamed or not. The SDK's
client wrappers read the clients' objects with it, the proxy what passes through it.
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
