"""Ports: take them, or say who has them."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from collector.errors import SettingsError, TracetuiError
from collector.receiver.status import probe

TRIES = 50


class PortTaken(TracetuiError):  # named as collector.errors names them
    """Somebody else listens there. `port` is the one that was asked for."""

    def __init__(self, message: str, port: int) -> None:
        super().__init__(message)
        self.port = port


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_exposure(host: str, token: str | None) -> None:
    """SettingsError where a receiver would be open to the network without a token."""
    if not token and not is_loopback(host):
        raise SettingsError(
            f"listening on {host} would let everybody on the network write traces: "
            "set a token (--token or TRACETUI_TOKEN), or listen on 127.0.0.1"
        )


def check_forward(url: str | None, host: str, ports: Sequence[int]) -> None:
    """SettingsError where a receiver would send on to itself."""
    address = urlsplit(url or "")
    name = address.hostname or ""
    if address.port in ports and (name == host.strip("[]") or is_loopback(name)):
        raise SettingsError(f"--forward {url} is this collector itself; name the endpoint of another backend")


def bind(host: str, port: int, option: str, *, next_free: bool = False) -> socket.socket:
    """A socket bound to the port (0: any free one), not yet listening. PortTaken names the holder and a way out.

    With `next_free` the next free port above takes the place of a taken one.
    """
    for number in range(port, min(port + (TRIES if next_free and port else 1), 65536)):
        found = _try(host, number)
        if found is not None:
            return found
    raise PortTaken(
        f"port {port} on {host} is taken by {holder(host, port)}; stop it, or choose another with {option}", port
    )


def _try(host: str, port: int) -> socket.socket | None:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as e:
        raise SettingsError(f"{host!r} is no address of this machine: {e}") from e
    found = socket.socket(family, kind, proto)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        # A bound port with SO_REUSEADDR can be shared until somebody listens: listen at once, so that it is ours.
        found.listen(1024)
    except OSError as e:
        found.close()
        if e.errno == errno.EADDRINUSE:
            return None
        raise SettingsError(f"cannot listen on {host} port {port}: {e.strerror}") from e
    found.setblocking(False)
    return found


def holder(host: str, port: int) -> str:
    """Who listens on a port, for people: "tracetui 0.1.0 (pid 41), which writes /app/traces.db"."""
    status = probe(host, port)
    if status is not None:
        writes = f", which writes {status.file}" if status.file else ", which wants a token"
        return f"tracetui {status.version} (pid {status.pid}){writes}"
    return _process_on(port) or "another program"


def _process_on(port: int) -> str | None:
    """A program by its port, where the system lets us look."""
    try:
        import psutil

        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (ImportError, psutil.Error, OSError):
        return None
    return None
