"""The receiver as a child process: join one that writes our file, else start one, on the next free port if need be.

The child's stdin is a pipe that we hold: when we end, however we end, it closes and the child ends too.
"""

from __future__ import annotations

import json
import subprocess  # the child is this very program, started without a shell
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import IO, NamedTuple

from collector.receiver.status import Status, probe
from collector.settings import Settings

COMMAND = [sys.executable, "-P", "-m", "tracetui", "collect"]  # -P: a collector.py where we stand is not ours
END_S = 5.0


class News(NamedTuple):
    """What the screen should say: the address that listens (None: nobody), whether we joined one that was
    running, and a sentence when something is not as usual."""

    listening: str | None
    joined: bool
    notice: str


class Receiver:
    """`start` returns at once; `tell` is called from a thread when it is known who listens where."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._child: subprocess.Popen[str] | None = None
        self._said: IO[str] | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self, tell: Callable[[News], object]) -> None:
        self._thread = threading.Thread(target=self._run, args=(tell,), name="tracetui-receiver", daemon=True)
        self._thread.start()

    def stop(self, wait_s: float = END_S) -> None:
        """Close the child's stdin and wait for its end; what it acknowledged is stored, whatever happens then."""
        self._stopping = True
        child = self._child
        if child is not None:
            assert child.stdin is not None
            child.stdin.close()
            try:
                child.wait(wait_s)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._thread is not None:
            self._thread.join(END_S)
        if self._said is not None:
            self._said.close()

    def _run(self, tell: Callable[[News], object]) -> None:
        settings = self._settings
        found = probe(settings.host, settings.http_port, token=settings.token)
        if found is not None and found.writes(settings.db):
            tell(News(_address(found), True, ""))
            return
        status = self._spawn()
        if status is None:
            if not self._stopping:
                tell(News(None, False, f"The receiver did not start: {self._last_words()}"))
            return
        tell(News(_address(status), False, _moved(settings, status)))
        assert self._child is not None
        self._child.wait()
        if not self._stopping:
            tell(News(None, False, f"The receiver ended: {self._last_words()}"))

    def _spawn(self) -> Status | None:
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed in stop
        settings = self._settings
        options = ["--db", str(settings.db), "--host", settings.host, "--http-port", str(settings.http_port)]
        options += ["--grpc-port", str(settings.grpc_port), "--next-free", "--json", "--stdin-close"]
        self._child = subprocess.Popen(  # noqa: S603 - no shell, our own program
            [*COMMAND, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            start_new_session=True,  # ctrl+c is a key of the screen's, not an end for the child
        )
        assert self._child.stdout is not None
        assert self._child.stdin is not None
        if self._stopping:
            self._child.stdin.close()
        with self._child.stdout as out:
            return _first_status(out)

    def _last_words(self) -> str:
        assert self._said is not None
        self._said.seek(0)
        lines = [line.strip() for line in self._said.read()[-4000:].splitlines() if line.strip()]
        return lines[-1] if lines else "it ended without a word"


def _first_status(out: IO[str]) -> Status | None:
    """The first JSON document on the child's stdout, None when it ends without one."""
    text = ""
    for line in out:
        text += line
        try:
            return Status.from_json(json.loads(text))
        except ValueError:
            continue
    return None


def _address(status: Status) -> str:
    return status.url.removeprefix("http://")


def _moved(settings: Settings, status: Status) -> str:
    """Say who holds the usual port, where we listen instead, and what to set."""
    if not settings.http_port or status.http_port == settings.http_port:
        return ""
    from collector.receiver.ports import holder

    who = holder(settings.host, settings.http_port)
    return (
        f"Port {settings.http_port} is held by {who}. Listening on {status.http_port} instead: "
        f"set OTEL_EXPORTER_OTLP_ENDPOINT={status.url}"
    )
