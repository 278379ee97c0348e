"""What a receiver says of itself at `GET /v1/status`, and how to ask.

    {"service": "tracetui", "version": "0.1.0", "pid": 41, "token_required": false,
     "file": "/app/traces.db", "device": 66306, "inode": 1837,
     "host": "127.0.0.1", "ports": {"http": 4318, "grpc": 4317},
     "started": "2026-11-20T12:00:00.000Z", "uptime_s": 12.3,
     "ledger": {"requests": 7, "received": 812, "stored": 810, "duplicate": 2, "clipped": 0, "rejected": 0,
                "sampled_out": 0}}

`file`, `device` and `inode` are of the file that it writes: two paths are the same file when device and inode
are equal. `ledger` counts spans since it started; `sampled_out` are those that SDKs said they did not send. Fields may
be added, never renamed. Where a token is needed and was not sent, the answer is 401 and has only the first line.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SERVICE = "tracetui"
LEDGER = ("requests", "received", "stored", "duplicate", "clipped", "rejected", "sampled_out")


@dataclass(frozen=True, slots=True)
class Status:
    """A receiver's answer. `file` is None where it wants a token that we did not have."""

    version: str
    pid: int
    token_required: bool = False
    file: str | None = None
    device: int | None = None
    inode: int | None = None
    host: str = "127.0.0.1"
    http_port: int = 0
    grpc_port: int = 0
    started: str = ""
    uptime_s: float = 0.0
    ledger: dict[str, int] = field(default_factory=dict)
    forward: dict[str, Any] | None = None

    def writes(self, path: Path | str) -> bool:
        """Whether it writes this very file; false for a file that does not exist."""
        try:
            found = os.stat(path)
        except OSError:
            return False
        return self.file is not None and (found.st_dev, found.st_ino) == (self.device, self.inode)

    @property
    def url(self) -> str:
        """Where to send OTLP over HTTP (`OTEL_EXPORTER_OTLP_ENDPOINT`)."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"http://[{host}]:{self.http_port}" if ":" in host else f"http://{host}:{self.http_port}"

    def to_json(self) -> dict[str, Any]:
        """The document of `GET /v1/status`."""
        return {
            **self.introduction(),
            "file": self.file,
            "device": self.device,
            "inode": self.inode,
            "host": self.host,
            "ports": {"http": self.http_port, "grpc": self.grpc_port},
            "started": self.started,
            "uptime_s": self.uptime_s,
            "ledger": self.ledger,
            "forward": self.forward,
        }

    def introduction(self) -> dict[str, Any]:
        """What it says to those without a token."""
        return {"service": SERVICE, "version": self.version, "pid": self.pid, "token_required": self.token_required}

    @classmethod
    def from_json(cls, document: object) -> Status | None:
        """Read an answer; None when it is not one of ours. Unknown fields are ignored."""
        if not isinstance(document, dict) or document.get("service") != SERVICE:
            return None
        ports = document.get("ports")
        ports = ports if isinstance(ports, dict) else {}
        try:
            return cls(
                str(document["version"]),
                int(document["pid"]),
                bool(document.get("token_required")),
                document.get("file"),
                document.get("device"),
                document.get("inode"),
                str(document.get("host", "127.0.0.1")),
                int(ports.get("http", 0)),
                int(ports.get("grpc", 0)),
                str(document.get("started", "")),
                float(document.get("uptime_s", 0)),
                dict(document.get("ledger") or {}),
                dict(document["forward"]) if document.get("forward") else None,
            )
        except (KeyError, TypeError, ValueError):
            return None


def probe(host: str, port: int, *, token: str | None = None, timeout_s: float = 1.0) -> Status | None:
    """Ask a port for its status; None when nobody answers, or somebody who is no receiver of ours."""
    from http.client import HTTPConnection, HTTPException

    if host in ("0.0.0.0", "::", ""):  # noqa: S104
        host = "127.0.0.1" if host != "::" else "::1"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection = HTTPConnection(host.strip("[]"), port, timeout=timeout_s)
    try:
        connection.request("GET", "/v1/status", headers=headers)
        return Status.from_json(json.loads(connection.getresponse().read(100_000)))
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
