"""Bodies that wait on disk: one file each, named so that their order is the order of arrival."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

SIGNALS = ("traces", "logs")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A body of `signal` ("traces", "logs") with so many spans or records, and `size` bytes."""

    path: Path
    signal: str
    items: int
    size: int


class Queue:
    """At most `limit` bytes of bodies in `folder` (0700, made when first needed); bodies of earlier runs come first.

    Thread-safe. `dropped` counts the spans and records of bodies that had to go, since the last `take_dropped`.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._number = count()
        self._dropped = 0
        self._waiting = sorted(_found(folder), key=lambda one: one.path.name)
        self._size = sum(one.size for one in self._waiting)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._size

    def put(self, signal: str, body: bytes, items: int) -> None:
        """Keep a body. OSError where the disk does not take it."""
        one = self._write(f"{time.time_ns():020d}-{next(self._number):06d}", signal, body, items)
        with self._changed:
            self._waiting.append(one)
            self._size += len(body)
            while self._size > self._limit and len(self._waiting) > 1:
                self._dropped += self._remove(self._waiting[0])
            self._changed.notify_all()

    def _write(self, stem: str, signal: str, body: bytes, items: int) -> Waiting:
        name = f"{stem}.{items}.{signal}"
        path = self._folder / name
        self._folder.mkdir(mode=0o700, exist_ok=True)
        part = path.with_name(f".{name}")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(body)
        part.rename(path)
        return Waiting(path, signal, items, len(body))

    def split(self, one: Waiting, pieces: Sequence[tuple[bytes, int]]) -> None:
        """Keep a body in pieces, in its place. OSError where the disk does not take them."""
        stem = one.path.name.partition(".")[0]
        made = [self._write(f"{stem}{chr(ord('a') + n)}", one.signal, *piece) for n, piece in enumerate(pieces)]
        with self._lock:
            if one in self._waiting:
                at = self._waiting.index(one)
                self._remove(one)
                self._waiting[at:at] = made
                self._size += sum(piece.size for piece in made)

    def first(self, most_bytes: int) -> list[Waiting]:
        """The oldest, and those after it of the same signal, up to so many bytes together."""
        with self._lock:
            chosen: list[Waiting] = []
            size = 0
            for one in self._waiting:
                size += one.size
                if chosen and (one.signal != chosen[0].signal or size > most_bytes):
                    break
                chosen.append(one)
            return chosen

    def done(self, bodies: list[Waiting]) -> None:
        """Let go of bodies that were sent, or refused for good."""
        with self._lock:
            for one in bodies:
                if one in self._waiting:
                    self._remove(one)

    def wait(self, seconds: float) -> None:
        """Until something waits, or `wake`; at most so long."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(seconds)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def take_dropped(self) -> int:
        """How many spans and records went for lack of space since this was last asked."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            return dropped

    def _remove(self, one: Waiting) -> int:
        self._waiting.remove(one)
        self._size -= one.size
        one.path.unlink(missing_ok=True)
        return one.items


def _found(folder: Path) -> list[Waiting]:
    """What an earlier run left. Names that are not ours are let be; what was being written at a kill is deleted."""
    out = []
    for path in folder.iterdir() if folder.is_dir() else ():
        _, _, rest = path.name.partition(".")
        items, _, signal = rest.partition(".")
        if signal in SIGNALS and items.isdigit():
            out.append(Waiting(path, signal, int(items), path.stat().st_size))
        elif path.name.startswith(".") and path.name.endswith(SIGNALS):
            path.unlink(missing_ok=True)
    return out
