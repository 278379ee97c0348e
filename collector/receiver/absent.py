"""What a client's API has and nothing here stands for: answered 501 in the door's own words, never taken as if done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

from collector.errors import NotKept
from collector.receiver.call import Call, Way

EVERY = "GET POST PUT PATCH DELETE"


def absent(said: Mapping[str, str], methods: str = EVERY) -> tuple[Way, ...]:
    """Ways at these paths that raise NotKept with the sentence that stands beside each.

    What was sent there is counted in the ledger as turned away, with the sentence; a question is only answered.
    """
    return tuple(Way(methods, path, _saying(sentence)) for path, sentence in said.items())


def _saying(sentence: str) -> Callable[[Call], Awaitable[Response]]:
    async def not_kept(call: Call) -> Response:
        raise NotKept(sentence)

    return not_kept
