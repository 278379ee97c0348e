"""`tracetui doctor`: what is installed, which settings are in force, what state the file is in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from tracetui import format as fmt
from tracetui.cli import common
from tracetui.cli.doctor_advice import advice
from tracetui.cli.doctor_facts import file_facts, grpc_port, receiver, settings_in_force, versions
from tracetui.cli.doctor_for import prescribe
from tracetui.cli.pointing import CLIENTS
from tracetui.format import plain

REASONS_TOLD = 10
OUTCOMES = ("received", "stored", "duplicate", "clipped", "rejected", "sampled_out")


@click.command()
@common.db_option
@common.json_option
@common.budget_option
@click.option("--for", "client", metavar="NAME", help=f"The lines to paste for {', '.join(CLIENTS)}; and a test.")
def doctor(db: Path | None, as_json: bool, max_tokens: int | None, client: str | None) -> None:
    """Say what is installed, in force and in the file; what needs doing begins with "!"."""
    if client is not None and max_tokens:
        raise click.UsageError("the lines of --for are to be pasted whole, and have no --max-tokens")
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
    see = "a larger --max-tokens"
    if as_json:
        common.print_json(report, max_tokens, see)
        return
    ranked = list(_told(report))
    common.print_lines([line for _, line in ranked], max_tokens, see, [rank for rank, _ in ranked])


def _told(report: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The lines, each with its rank where there is no room for all: first what needs doing, then what became of what
    arrived, then the file and its receiver, the settings last."""
    ranks = {"file": 2, "receiver": 2, "versions": 3, "settings": 4}
    for section in ("versions", "settings", "file", "receiver"):
        rank = ranks[section]
        yield rank, section
        for name, value in report[section].items():
            if name == "sources" or name.startswith("unmapped_keys"):
                continue
            yield rank, f"  {name:<20} {plain(_shown(value))}"
    yield from ((1, line) for line in _sources(report["file"]))
    yield from ((2, line) for line in _unmapped(report["file"]))
    for sentence in report["advice"]:
        yield 0, f"! {plain(sentence)}"


def _sources(file: Mapping[str, Any]) -> Iterator[str]:
    """What became of what arrived, a line a source, and below it each reason why something is not there as sent."""
    for one in file.get("sources") or ():
        counts = ", ".join(f"{fmt.count(one[name])} {name}" for name in OUTCOMES if one[name] or name == "received")
        yield f"from {plain(one['source'])}: {counts.replace('_', ' ')}; last {one['last_seen']}"
        if one["conventions"]:
            yield f"  read as {', '.join(f'{plain(name)} {fmt.count(n)}' for name, n in one['conventions'].items())}"
        for why in one["reasons"][:REASONS_TOLD]:
            sample = f": {plain(why['sample'])}" if why["sample"] else ""
            yield f"  {fmt.count(why['count'])} {why['outcome'].replace('_', ' ')}, {plain(why['reason'])}{sample}"


def _unmapped(file: Mapping[str, Any]) -> Iterator[str]:
    """Attributes that are kept, and that nothing was read from."""
    listed, more = file.get("unmapped_keys") or (), file.get("unmapped_keys_more")
    if not listed:
        return
    yield "attributes that no convention knows"
    for one in listed:
        scope = f"   ({one['scope']})" if one["scope"] else ""
        noun = "span" if one["spans"] == 1 else "spans"
        yield f"  {plain(one['key']):<40} {fmt.count(one['spans'])} {noun}{plain(scope)}"
    if more:
        yield f"  and {more:,} more"


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
