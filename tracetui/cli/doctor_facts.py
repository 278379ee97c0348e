"""What `tracetui doctor` looks at: versions, settings in force, the file, and who answers where we listen."""

from __future__ import annotations

import platform
import re
import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from collector.errors import TracetuiError
from collector.setting_tables import SamplingRule
from collector.settings import Resolved
from collector.version import VERSION
from tracetui.cli import common

PACKAGES = ("textual", "rich", "click", "opentelemetry-proto", "grpcio", "genai-prices", "starlette", "uvicorn")
SECRET = {"token", "mask"}
KEYS = {"forward_headers"}
"""Tables whose values are keys."""
ASK_S = 0.5
_PASSWORD = re.compile(r"^([a-z+]+://)[^/@]*@")
"""Who asks, and with what password, in an address."""


def versions() -> dict[str, Any]:
    from collector.store import upkeep

    out: dict[str, Any] = {
        "tracetui": VERSION,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "sqlite": upkeep.sqlite_version(),
        "sqlite_wal_reset_bug": upkeep.has_wal_reset_bug(),
        "sqlite_full_text": upkeep.has_full_text(),
    }
    for package in PACKAGES:
        try:
            out[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            out[package] = None
    return out


def settings_in_force(found: Resolved) -> dict[str, dict[str, Any]]:
    """Every setting with its value and where it came from; secrets only as whether they are set."""
    out = {}
    for name, origin in found.origins.items():
        value = getattr(found.settings, name)
        if name in KEYS and value:
            value = dict.fromkeys(value, "set")
        out[name] = {"value": "set" if name in SECRET and value is not None else _told(value), "origin": origin}
    return out


def _told(value: Any) -> Any:
    """A setting's value as JSON can say it."""
    if isinstance(value, Mapping):
        return {str(name): _told(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [_told(one) for one in value]
    if isinstance(value, SamplingRule):
        return f"{value}: {value.rate:g}"
    if isinstance(value, str):
        return _PASSWORD.sub(r"\1…@", value)
    return str(value) if isinstance(value, Path) else value


def file_facts(path: Path) -> dict[str, Any]:
    """Size, schema, mode, counts and the ledger's sums; {"path", "exists": False} when it is not there yet."""
    from collector import spilled, store
    from collector.sdk.losses import LOST
    from collector.store import upkeep
    from collector.store.received import by_source
    from collector.store.unmapped import unmapped_keys

    if not path.exists():
        return {"path": str(path), "exists": False}
    facts = upkeep.facts(path)
    out: dict[str, Any] = {"path": str(path), "exists": True} | {
        name: getattr(facts, name) for name in facts.__dataclass_fields__
    }
    out["spill_bytes"] = spilled.beside(path)
    try:
        with store.open_reader(path) as reader:
            totals = reader.totals(common.parsed(()))
            ledger: Counter[str] = Counter()
            rows = reader.ledger()
            for row in rows:
                ledger[row.outcome] += row.n
            out |= {
                "writable": reader.state.writable,
                "note": reader.state.note,
                "traces": totals.traces,
                "spans": totals.spans,
                "errors": totals.errors,
                "not_looked_at": reader.unlooked(),
                "ledger": dict(ledger),
                "lost": sum(row.n for row in rows if row.outcome == "rejected" and row.reason.startswith(LOST)),
                "sources": [one.to_json() for one in by_source(rows, reader.last_seen())],
            }
            listed, more = unmapped_keys(reader)
            out |= {"unmapped_keys": [asdict(one) for one in listed], "unmapped_keys_more": more}
    except TracetuiError as error:
        out["note"] = str(error)
    return out


def receiver(host: str, port: int, token: str | None, db: Path) -> dict[str, Any]:
    """Who answers where OTLP is expected, and whether it writes this file."""
    from collector.receiver.ports import holder
    from collector.receiver.status import probe

    out: dict[str, Any] = {"address": f"{host}:{port}", "listening": True}
    status = probe(host, port, token=token, timeout_s=ASK_S)
    if status is not None:
        known = {"version": status.version, "pid": status.pid, "file": status.file, "grpc_port": status.grpc_port}
        return out | known | {"same_file": status.writes(db), "ledger": status.ledger, "forward": status.forward}
    try:
        with socket.create_connection((host, port), timeout=ASK_S):
            return out | {"other_program": holder(host, port)}
    except OSError:
        return out | {"listening": False}


def grpc_port(host: str, port: int, answering: Mapping[str, Any]) -> dict[str, Any]:
    """Whether OTLP over gRPC has its port, and who else has it."""
    from collector.receiver.ports import holder

    out: dict[str, Any] = {"address": f"{host}:{port}", "listening": True}
    if port and answering.get("grpc_port") == port:
        return out
    try:
        with socket.create_connection((host, port), timeout=ASK_S):
            return out | {"other_program": holder(host, port)}
    except OSError:
        return out | {"listening": False}
