"""`tracetui doctor`: what is installed, which settings are in force, what state the file is in."""

from __future__ import annotations

import platform
import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from collector.errors import TracetuiError
from collector.setting_tables import SamplingRule
from collector.settings import Resolved
from collector.version import VERSION
from tracetui import format as fmt
from tracetui.cli import common
from tracetui.cli.doctor_for import prescribe
from tracetui.cli.pointing import CLIENTS
from tracetui.format import plain

PACKAGES = ("textual", "rich", "click", "opentelemetry-proto", "grpcio", "genai-prices", "starlette", "uvicorn")
SECRET = {"token", "mask"}
ASK_S = 0.5
REASONS_TOLD = 10
OUTCOMES = ("received", "stored", "duplicate", "clipped", "rejected", "sampled_out")


@click.command()
@common.db_option
@common.json_option
@click.option("--for", "client", metavar="NAME", help=f"The lines to paste for {', '.join(CLIENTS)}; and a test.")
def doctor(db: Path | None, as_json: bool, client: str | None) -> None:
    """Say what is installed, in force and in the file; what needs doing begins with "!"."""
    found = common.resolved(db)
    if client is not None:
        prescribe(client, found.settings, as_json=as_json)
        return
    report: dict[str, Any] = {
        "versions": versions(),
        "settings": settings_in_force(found),
        "file": file_facts(found.settings.db),
        "receiver": receiver(found.settings.host, found.settings.http_port, found.settings.token, found.settings.db),
    }
    report["receiver"]["grpc"] = grpc_port(found.settings.host, found.settings.grpc_port, report["receiver"])
    report["advice"] = advice(report)
    if as_json:
        common.print_json(report)
        return
    for section in ("versions", "settings", "file", "receiver"):
        click.echo(section)
        for name, value in report[section].items():
            if name == "sources" or name.startswith("unmapped_keys"):
                continue
            click.echo(f"  {name:<20} {plain(_shown(value))}")
    _tell_sources(report["file"])
    _tell_unmapped(report["file"])
    for sentence in report["advice"]:
        click.echo(f"! {plain(sentence)}")


def _tell_sources(file: Mapping[str, Any]) -> None:
    """What became of what arrived, a line a source, and below it each reason why something is not there as sent."""
    for one in file.get("sources") or ():
        counts = ", ".join(f"{fmt.count(one[name])} {name}" for name in OUTCOMES if one[name] or name == "received")
        click.echo(f"from {plain(one['source'])}: {counts.replace('_', ' ')}; last {one['last_seen']}")
        if one["conventions"]:
            click.echo(
                f"  read as {', '.join(f'{plain(name)} {fmt.count(n)}' for name, n in one['conventions'].items())}"
            )
        for why in one["reasons"][:REASONS_TOLD]:
            sample = f": {plain(why['sample'])}" if why["sample"] else ""
            click.echo(
                f"  {fmt.count(why['count'])} {why['outcome'].replace('_', ' ')}, {plain(why['reason'])}{sample}"
            )


def _tell_unmapped(file: Mapping[str, Any]) -> None:
    """Attributes that are kept, and that nothing was read from."""
    listed, more = file.get("unmapped_keys") or (), file.get("unmapped_keys_more")
    if not listed:
        return
    click.echo("attributes that no convention knows")
    for one in listed:
        scope = f"   ({one['scope']})" if one["scope"] else ""
        click.echo(f"  {plain(one['key']):<40} {fmt.count(one['spans'])} spans{plain(scope)}")
    if more:
        click.echo(f"  and {more:,} more")


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
    return str(value) if isinstance(value, Path) else value


def file_facts(path: Path) -> dict[str, Any]:
    """Size, schema, mode, counts and the ledger's sums; {"path", "exists": False} when it is not there yet."""
    from collector import spilled, store
    from collector.sdk.queue import LOST
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
        return out | known | {"same_file": status.writes(db), "ledger": status.ledger}
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


def advice(report: Mapping[str, Any]) -> list[str]:
    """What somebody should do about it, a sentence each."""
    out = []
    sqlite, file, answering = report["versions"], report["file"], report["receiver"]
    if not sqlite["sqlite_full_text"]:
        out.append("this Python's SQLite has no full-text search (FTS5): use another build of Python")
    if sqlite["sqlite_wal_reset_bug"]:
        out.append(
            f"SQLite {sqlite['sqlite']} has the WAL-reset bug; our lock file avoids it, but do not checkpoint "
            "the file with other tools while it is being written (fixed in 3.51.3, 3.50.7 and 3.44.6)"
        )
    if file.get("network"):
        out.append(f"{file['path']} is on {file['filesystem']}: no WAL there, and news is noticed by polling")
    if file.get("note"):
        out.append(file["note"])
    if left_out := (file.get("ledger") or {}).get("sampled_out"):
        out.append(fmt.left_out(left_out))
    if lost := file.get("lost"):
        out.append(f"{fmt.count(lost)} spans were lost before they reached the file: see why beside their source")
    if waiting := file.get("spill_bytes"):
        out.append(
            f"{waiting:,} bytes of spans wait in {file['path']}.spill-*: the next traced program or collector reads "
            "them back, once the one that wrote them has ended"
        )
    if file.get("wal_bytes"):
        out.append(f"to move the file, take {file['path']}* or fold it first: `tracetui check --fold`")
    if answering.get("other_program"):
        out.append(
            f"{answering['address']} is taken by {answering['other_program']}; tracetui takes the next free port"
        )
    if taken := (answering.get("grpc") or {}).get("other_program"):
        out.append(f"{answering['grpc']['address']} is taken by {taken}; gRPC gets the next free port")
    if answering["listening"] and not answering.get("other_program") and not answering["same_file"]:
        out.append(f"the receiver on {answering['address']} writes another file: {answering['file']}")
    return out


def _shown(value: object) -> str:
    if isinstance(value, dict) and value.keys() == {"value", "origin"}:
        origin = "" if value["origin"] == "default" else f"   ({value['origin']})"
        return f"{_shown(value['value'])}{origin}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(inner)}" for name, inner in value.items()) or "–"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return "–" if value is None else str(value)
