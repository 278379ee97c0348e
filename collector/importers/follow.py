"""Files that grow: whole lines as they come, however the file is cut short, replaced, renamed or written anew.

What is read twice adds nothing (ids are made of what is said), so whenever it is in doubt a file is read from its
front. A line counts when its end is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import orjson

from collector.errors import TracetuiError
from collector.importers import files, lines
from collector.importers.claude_records import AGENT, META
from collector.importers.lines import SOURCE, Lines, Together
from collector.model import Batch, Refusal

PORTION_BYTES = 4 * 2**20
MARK_BYTES = 64
SEARCH_EVERY = 8
"""Polls between two looks for new files below a directory."""


def found(roots: Sequence[Path], since_ns: int = 0) -> list[Path]:
    """The files that these name: themselves, and in directories all that may hold traces and changed since.
    Sub-agents' logs come after those of sessions, else the oldest first: so what began them, or what they are a copy
    of, is known. Codex' rollouts have the moment they began in their name, and a sub-agent's is done before its
    parent's is. Files that are named keep their order."""
    out: dict[Path, tuple[bool, str, int]] = {}
    for place, root in enumerate(roots):
        if not root.is_dir():
            out.setdefault(root, (root.name.startswith(AGENT), "", place))
            continue
        for path in root.rglob("*"):
            with suppress(OSError):
                if not path.name.endswith(_ENDINGS) or (path.name.startswith(AGENT) and path.name.endswith(META)):
                    continue  # what stands beside a log is read with it
                if path.is_file() and (at := path.stat().st_mtime_ns) >= since_ns:
                    began = path.name if path.name.startswith(ROLLOUT) else ""
                    out.setdefault(path, (path.name.startswith(AGENT), began, at))
    return sorted(out, key=lambda path: (*out[path], str(path)))


ROLLOUT = "rollout-"
_ENDINGS = (
    ".jsonl",
    ".json",
    ".ndjson",
    ".jsonl.gz",
    ".json.gz",
    ".jsonl.zst",
    ".json.zst",
    ".zip",
    ".csv",
    ".parquet",
    ".pb",
    "logs.db",
)


class Follower:
    """The files below these roots, followed. `poll` gives what is new; call it every quarter second or so."""

    def __init__(self, roots: Sequence[Path], since_ns: int = 0) -> None:
        self._roots, self._since = roots, since_ns
        self._named = {root for root in roots if not root.is_dir()}
        self._together = Together()
        self._files: dict[Path, _Grown] = {}
        self._polls = 0

    def poll(self) -> Iterator[Batch]:
        if self._polls % SEARCH_EVERY == 0:
            for path in found(self._roots, self._since):
                self._files.setdefault(path, _Grown(path, path in self._named))
        self._polls += 1
        for one in self._files.values():
            yield from one.poll(self._together)

    def close(self) -> None:
        for one in self._files.values():
            one.close()


@dataclass(slots=True)
class _Grown:
    """One file. `held` keeps it open, so that what was written just before it was renamed is not missed (below
    a directory the renamed file is found as a file of its own)."""

    path: Path
    held: bool
    stream: IO[bytes] | None = None
    who: tuple[int, int] | None = None
    offset: int = 0
    mark: bytes = b""
    rest: bytearray = field(default_factory=bytearray)
    reader: Lines | None = None
    state: tuple[int, int] = (-1, -1)
    """Size and time of the last change, as they were when it was last read."""
    skipping: bool = False

    def poll(self, together: Together) -> Iterator[Batch]:
        try:
            if self.stream is not None and self._replaced():
                yield from self._more(together)  # what was written before it was renamed
                self._forget()
            status = self.path.stat()
            state = (status.st_size, status.st_mtime_ns)
            if state == self.state:
                return
            if self.stream is None:
                self.stream = self.path.open("rb")
            if self._began_anew(status):
                self._restart()
            self.who = (status.st_dev, status.st_ino)
            self.state = state
            yield from self._more(together)
        except OSError:
            self._forget()  # gone, or not ours to read: it may come again
        finally:
            if not self.held:
                self.close()

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    def _replaced(self) -> bool:
        try:
            status = self.path.stat()
        except OSError:
            return True
        return self.who != (status.st_dev, status.st_ino)

    def _began_anew(self, status: os.stat_result) -> bool:
        """Another file, a shorter one, or one whose text before our place is not what it was."""
        if self.who is None:
            return False
        if self.who != (status.st_dev, status.st_ino) or status.st_size < self.offset:
            return True
        assert self.stream is not None
        self.stream.seek(self.offset - len(self.mark))
        return self.stream.read(len(self.mark)) != self.mark

    def _restart(self) -> None:
        self.offset, self.mark, self.reader, self.skipping = 0, b"", None, False
        self.rest.clear()

    def _forget(self) -> None:
        self.close()
        self._restart()
        self.who, self.state = None, (-1, -1)

    def _more(self, together: Together) -> Iterator[Batch]:
        stream = self.stream
        assert stream is not None
        if self.offset == 0 and not self._has_lines(stream):
            yield from self._whole(together)
            return
        stream.seek(self.offset)
        while portion := stream.read(PORTION_BYTES):
            self.offset += len(portion)
            self.mark = (self.mark + portion[-MARK_BYTES:])[-MARK_BYTES:]
            yield from self._portion(portion, together)

    def _portion(self, portion: bytes, together: Together) -> Iterator[Batch]:
        end = portion.rfind(b"\n") + 1
        if not end:
            if not self.skipping:
                self.rest += portion
            if len(self.rest) > files.LINE_BYTES:
                yield Batch(
                    SOURCE, refused=(Refusal("a line that is too long", lines.sample(bytes(self.rest[:8000]))),)
                )
                self.rest.clear()
                self.skipping = True
            return
        body = bytes(self.rest) + portion[:end]
        self.rest = bytearray(portion[end:])
        whole = body.removeprefix(files.BOM).splitlines(keepends=True) if b"\r" not in body else body.split(b"\n")
        if self.skipping:
            whole, self.skipping = whole[1:], False
        if self.reader is None:
            kind = files.sniffed(b"".join(whole))
            together.sessions.beside(self.path)
            self.reader = lines.reader(kind or "native", together)
        for at in range(0, len(whole), files.LINES_A_BATCH):
            yield from self.reader.feed(whole[at : at + files.LINES_A_BATCH])

    def _has_lines(self, stream: IO[bytes]) -> bool:
        """Whether it is read line by line. A first line that is not whole yet may still become one."""
        stream.seek(0)
        first = stream.readline(files.LINE_BYTES).removeprefix(files.BOM)
        if first.strip() and not first.lstrip().startswith(b"{"):
            return False
        if not first.endswith(b"\n"):
            return True
        try:
            return isinstance(orjson.loads(first), dict) if first.strip() else True
        except ValueError:
            return len(first.strip()) > 1  # a broken line; a lone bracket begins a document

    def _whole(self, together: Together) -> Iterator[Batch]:
        """What is no lines (a database, an archive, a document) is read again from its front when it changed."""
        try:
            yield from files.read(self.path, together)
        except TracetuiError as error:
            yield Batch(SOURCE, refused=(Refusal("a file that cannot be read", str(error)),))
