"""The doors: who else's clients may send to us. One module a door, all of them in the one table below.

A door is a module with

    DOOR = Door("langfuse", (Way("POST", "/api/public/ingestion", ingest), …), fail=say_it_as_langfuse_does)

and coroutines `async def ingest(call: Call) -> Response`. The first way that fits method and path answers. When a
door's coroutine runs, Host, Origin and token have been checked (`guard`; so no door looks at keys) and the limits
on connections and requests hold. It gets at the body through the call only: `call.raw()`, `call.body()` (inflated),
`call.json()` (depth-limited), or, for what becomes spans and scores, `await call.store(decode)`, which inflates and
decodes in the pool for decoders and returns the receipt once it is committed. `decode` is a pure function of
`collector.protocols`, from bytes to a Batch. `call.write(batch)` stores what was decoded before, `call.ask(…)`
reads the file. What must live as long as the receiver (an HTTP client) is had from `call.house.keep` and ended with
`call.house.at_close`.

What a coroutine raises becomes the answer, in the words of `fail`: DecodeError 400, Forbidden 403, NotFound 404,
TimeoutError 408, TooLarge 413, UnsupportedMedia 415, Overloaded 429, StoreBusy and StoreError 503 (these three with
Retry-After), NotKept 501 (`receiver.absent` makes ways of what a client's API has and nothing here does), anything
else 500. A body that is turned away as a whole so is counted in the ledger under the door's
name, with its reason and the sentence as its sample: nothing has to be counted twice. What is left out of a body
that is otherwise taken belongs into `Batch.refused`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from collector.receiver.call import Door

TABLE = (
    "status",
    "native",
    "openai_agents",
    "logfire",
    "traceloop",
    "langfuse",
    "proxy",
    "langsmith",
    "otlp",  # stays the last: it answers under any prefix
)
"""Modules of this package, in the order they are asked."""


def doors() -> Iterator[Door]:
    """All doors, imported when it listens."""
    for name in TABLE:
        door = import_module(f"{__name__}.{name}").DOOR
        assert isinstance(door, Door)
        yield door
