"""`tracetui collect`: the receiver alone, without a screen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.settings import Settings, resolve
from tracetui.cli import common

if TYPE_CHECKING:
    from collector.receiver import Status

PORT = click.IntRange(0, 65535)


@click.command("collect")
@click.option(
    "--db", type=click.Path(path_type=Path, dir_okay=False), help="The file to write [default: the project's]."
)
@click.option("--host", metavar="ADDRESS", help="Where to listen [default: 127.0.0.1]; anything else needs a token.")
@click.option("--http-port", type=PORT, help="OTLP/HTTP [default: 4318]; 0 takes any free port.")
@click.option("--grpc-port", type=PORT, help="OTLP/gRPC [default: 4317]. Both ports speak both.")
@click.option("--token", help="Wanted from every sender, where its key belongs: Bearer, Basic's password, x-api-key.")
@click.option("--forward", metavar="URL", help="Also send on, as OTLP over HTTP, to this endpoint.")
@click.option("--next-free", is_flag=True, help="Take the next free port where one is taken.")
@click.option(
    "--json", "as_json", is_flag=True, help="Say where it listens as one JSON document (as /v1/status has it)."
)
@click.option("--stdin-close", is_flag=True, help="End when stdin closes, with the program that started this one.")
def collect(
    db: Path | None,
    host: str | None,
    http_port: int | None,
    grpc_port: int | None,
    token: str | None,
    forward: str | None,
    next_free: bool,
    as_json: bool,
    stdin_close: bool,
) -> None:
    """Receive OTLP over HTTP and gRPC into the file, until ctrl+c. A sender is answered when its spans are stored."""
    from collector import receiver

    found = resolve(db=db, host=host, http_port=http_port, grpc_port=grpc_port, token=token, forward=forward)
    for warning in found.warnings:
        common.note(warning)

    def on_ready(status: Status) -> None:
        if as_json:
            common.print_json(status.to_json())
            sys.stdout.flush()
        else:
            tell(status, found.settings)

    receiver.serve(found.settings, next_free=next_free, stop_with_stdin=stdin_close, on_ready=on_ready)
    if not as_json:
        common.note(f"stopped; everything acknowledged is in {found.settings.db}")


def tell(status: Status, settings: Settings) -> None:
    """Say where it listens, which file it writes, and what to set in the application."""
    common.note(f"writing {status.file}")
    common.note(f"listening on {status.url} (HTTP) and port {status.grpc_port} (gRPC); ctrl+c ends it")
    if status.forward:
        common.note(f"sending on to {status.forward['url']}")
    token = " OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20TOKEN'" if status.token_required else ""
    common.note(f"for your application: OTEL_EXPORTER_OTLP_ENDPOINT={status.url}{token}")
    for kind, wanted, got in (
        ("HTTP", settings.http_port, status.http_port),
        ("gRPC", settings.grpc_port, status.grpc_port),
    ):
        if wanted and wanted != got:
            common.note(f"the {kind} port {wanted} is taken; using {got}")
