"""`--forward URL`: what arrives is also sent on, as OTLP, to another backend.

    queue    bodies that wait on disk, beside the database, within a limit
    bodies   what was stored as OTLP bodies: redacted and cut as in our own file
    sender   one thread that posts them, oldest first, and tries again

A body is on disk before its sender is answered, and is deleted when the other side has taken it; so neither a restart
here nor an outage there loses one. Over the limit the oldest go, counted in the ledger under the source "forward",
and so is what the other side refuses.
"""

from __future__ import annotations

from collector.receiver.forward.sender import Forwarder

__all__ = ["Forwarder"]
