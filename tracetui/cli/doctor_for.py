"""`tracetui doctor --for NAME`: the lines to paste for a client, and a test through that very door.

The lines go to stdout and are shell (`eval "$(tracetui doctor --for langfuse)"`), all else to stderr.
"""

from __future__ import annotations

import secrets
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.errors import NotFound, StoreError, TracetuiError
from collector.settings import Settings
from tracetui.cli import common
from tracetui.cli.pointing import ALSO, CLIENTS, Client, Place
from tracetui.cli.trials import KEY, Trial

if TYPE_CHECKING:
    from collector.receiver.status import Status

SEEN_S = 5.0
POST_S = 10.0
GRPC_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class TestFailed(TracetuiError):
    """The test did not come through; the message says where it ended."""


def prescribe(name: str, settings: Settings, *, as_json: bool) -> None:
    """Print the lines, then send the test. NotFound where nobody listens, TestFailed where it does not arrive."""
    from collector.receiver.status import probe

    client = CLIENTS.get(ALSO.get(name, name))
    if client is None:
        raise click.BadParameter(f"there is no {name!r}; there are {', '.join([*CLIENTS, *ALSO])}", param_hint="--for")
    status = probe(settings.host, settings.http_port, token=settings.token)
    place = _place(settings, status)
    report: dict[str, Any] = {"for": name, "variables": client.variables(place), "notes": list(client.notes(place))}
    if not as_json:
        tell(client, place)
    if client.trial is not None:
        report["test"] = _tested(name, client.trial, settings, place, status)
    if as_json:
        common.print_json(report)
    elif client.trial is not None:
        test = report["test"]
        common.note(f"a test span came through {test['door']} and is in {test['file']} as trace {test['trace_id']}")


def tell(client: Client, place: Place) -> None:
    """The lines to paste."""
    click.echo(f"# {client.title}")
    for name, value in client.variables(place).items():
        click.echo(f"export {name}={shlex.quote(value)}")
    for note in client.notes(place):
        click.echo(f"# {note}")


def _place(settings: Settings, status: Status | None) -> Place:
    from collector.receiver.status import Status as Said

    said = status
    if said is None or not said.http_port:
        said = Said("", 0, host=settings.host, http_port=settings.http_port, grpc_port=settings.grpc_port)
    return Place(said.url, said.grpc_port, settings.token)


def _tested(name: str, trial: Trial, settings: Settings, place: Place, status: Status | None) -> dict[str, Any]:
    if status is None:
        raise NotFound(
            f"no tracetui listens on {settings.host} port {settings.http_port}: "
            "start `tracetui` or `tracetui collect`, then ask again for a test"
        )
    if status.file is None:
        raise TestFailed("the receiver wants its token: set TRACETUI_TOKEN to it")
    trace_id = secrets.token_hex(16)
    span_name = f"tracetui doctor --for {name}"
    body = trial.body(trace_id, span_name)
    headers = {**trial.headers(settings.token or KEY), **trial.placed(trace_id, span_name)}
    if trial.path == "grpc":
        door = f"gRPC on port {place.grpc_port}"
        _call_grpc(place, body, headers)
    else:
        door = f"POST {trial.path}"
        _post(place, trial, body, headers)
    _await_trace(Path(status.file), trace_id, door)
    return {"ok": True, "door": door, "file": status.file, "trace_id": trace_id}


def _post(place: Place, trial: Trial, body: bytes, headers: dict[str, str]) -> None:
    import httpx

    try:
        answer = httpx.post(
            place.url + trial.path, content=body, headers={"content-type": trial.kind, **headers}, trust_env=False,
            timeout=POST_S,
        )  # fmt: skip
    except httpx.HTTPError as e:
        raise TestFailed(f"POST {place.url}{trial.path}: {type(e).__name__}: {e}") from e
    if not answer.is_success:
        raise TestFailed(f"POST {trial.path} was answered {answer.status_code}: {answer.text[:300]}")


def _call_grpc(place: Place, body: bytes, headers: dict[str, str]) -> None:
    import grpc

    address = place.grpc_url.partition("//")[2]
    with grpc.insecure_channel(address) as channel:
        try:
            channel.unary_unary(GRPC_EXPORT)(body, timeout=POST_S, metadata=tuple(headers.items()))
        except grpc.RpcError as e:
            raise TestFailed(f"gRPC on {address} was answered {e.code().name}: {e.details()}") from e


def _await_trace(file: Path, trace_id: str, door: str) -> None:
    """Until the trace can be read from the file: an answer alone is not what people will look at."""
    from collector import store

    deadline = time.monotonic() + SEEN_S
    while True:
        try:
            with store.open_reader(file) as reader:
                reader.trace(trace_id)
            return
        except (NotFound, StoreError) as e:
            if time.monotonic() > deadline:
                raise TestFailed(f"{door} took the test, but it is not in {file} after {SEEN_S:.0f} s: {e}") from e
        time.sleep(0.02)
