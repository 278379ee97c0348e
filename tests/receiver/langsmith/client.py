"""LangSmith's client as the tests use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.receiver.running import Running

if TYPE_CHECKING:
    from langsmith import Client


class made:
    """A client that is closed at the end, with all it has to send."""

    def __init__(self, door: Running, **changes: Any) -> None:
        from langsmith import Client

        self.client = Client(api_url=door.status.url, api_key="any", **changes)

    def __enter__(self) -> Client:
        return self.client

    def __exit__(self, *_: object) -> None:
        self.client.flush(timeout=10)
        self.client.cleanup(timeout=10)
