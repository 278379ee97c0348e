"""The server: OTLP over HTTP and gRPC, other tools' own protocols, our own JSON lines, and a status to ask.

To add a door, see `collector.receiver.doors`.

    serve(settings)              run until SIGTERM, SIGINT or a closed stdin; answers only what is committed
    probe(host, port)            whose receiver is there, and which file it writes

    first_bytes  of a connection: HTTP/1.1 stays here, HTTP/2 goes to gRPC; so both ports speak both
    guard        Host, Origin, token, CORS
    http         the gate, which way a request goes, and an answer whatever happens
    doors        who else's clients may send to us: one module each, and the table of them
    call         a request at its door: its body within limits, and the way into the file
    house        what all doors share
    bodies       a request's body, inflated within limits, and its type
    grpc_door    OTLP over gRPC
    corridor     decoded batches, one writer thread, one commit for all that queued
    answers      JSON, OTLP's response bodies, errors

Nothing here imports a server before it is asked to serve.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from collector.receiver.ports import PortTaken, holder
from collector.receiver.status import Status, probe

if TYPE_CHECKING:
    from collector.settings import Settings

__all__ = ["PortTaken", "Status", "holder", "probe", "serve"]


def serve(
    settings: Settings,
    *,
    next_free: bool = False,
    stop_with_stdin: bool = False,
    on_ready: Callable[[Status], None] | None = None,
) -> None:
    """Receive into `settings.db` until SIGTERM or SIGINT, then drain, commit and close.

    `next_free` takes the next free port where one is taken, instead of raising PortTaken. `stop_with_stdin`
    ends it when stdin closes, so that it never outlives the program that started it. `on_ready` is called
    once it listens, with the ports it got. SettingsError when it would be open to the network without a token;
    StoreError when the file cannot be written. Must run in the main thread.
    """
    from collector.receiver.server import Receiver

    Receiver(settings, next_free=next_free).run(stop_with_stdin=stop_with_stdin, on_ready=on_ready)
