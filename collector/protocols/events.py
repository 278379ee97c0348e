"""Server-sent events from a body that comes in pieces (html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

from collections.abc import Iterator


class EventLines:
    """Cuts pieces into events, whatever the pieces were cut at. Comments, ids and names of events are passed over:
    the APIs read here repeat the name in the data."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []
        self._data: list[bytes] = []

    def take(self, piece: bytes) -> Iterator[bytes]:
        """The data of every event that this piece ends."""
        if b"\n" not in piece and b"\r" not in piece:  # joined later: a long line in small pieces costs no more
            self._pending.append(piece)
            return
        text = b"".join((*self._pending, piece)).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._pending = [rest] if rest else []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                yield b"\n".join(self._data)
                self._data = []

    def rest(self) -> Iterator[bytes]:
        """What a body that ended without its last empty line still holds."""
        yield from self.take(b"\n\n")
