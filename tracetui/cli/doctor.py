"""`tracetui doctor`: what is installed, which settings are in force, what state the file is in."""

from __future__ import annotations

from collections.abc import Mapping
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
        noun = "span" if one["spans"] == 1 else "spans"
        click.echo(f"  {plain(one['key']):<40} {fmt.count(one['spans'])} {noun}{plain(scope)}")
    if more:
        click.echo(f"  and {more:,} more")


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
