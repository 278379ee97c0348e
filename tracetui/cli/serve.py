"""`tracetui serve`: the same explorer in a browser, by textual-serve, for whoever holds the token."""

from __future__ import annotations

import secrets
import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from collector.errors import SettingsError
from collector.settings import resolve

PORT = 8018


@click.command("serve")
@click.argument("db", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--host", default="127.0.0.1", metavar="ADDRESS", help="Where to listen; others than 127.0.0.1 need --token."
)
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@click.option("--token", help="What the address must bring [default: a new one each time].")
@click.option("--public-url", metavar="URL", help="How browsers reach it, where that is not http://ADDRESS:PORT.")
def serve(db: Path | None, host: str, port: int, token: str | None, public_url: str | None) -> None:
    """Show the explorer in a browser, until ctrl+c. Every tab has an explorer of its own; nothing is received."""
    settings = resolve(db=db).settings
    url = address(host, port, token, public_url)
    try:
        from tracetui.web import WebExplorer
    except ImportError as error:
        raise SettingsError(f"the browser needs {error.name}: pip install 'tracetui[serve]'") from error
    WebExplorer(command(settings.db), host=host, port=port, url=url, token=token or secrets.token_urlsafe(24)).serve()


def command(db: Path) -> str:
    """What runs behind a tab. It goes to a shell, so every word is quoted."""
    return shlex.join([sys.executable, "-m", "tracetui", "explore", "--no-collect", str(db)])


def address(host: str, port: int, token: str | None, public_url: str | None) -> str:
    """The address that browsers use. SettingsError for one beyond this machine without a token."""
    from collector.receiver.ports import is_loopback

    if not is_loopback(host) and not token:
        raise SettingsError(
            f"--host {host} lets other machines in: whoever reaches it reads every trace, and exports. "
            "Give them a --token (and TLS, by a proxy in front), or leave --host out"
        )
    if public_url is None:
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if urlsplit(public_url).scheme not in ("http", "https") or not urlsplit(public_url).netloc:
        raise SettingsError(f"--public-url {public_url!r} is no address such as https://traces.example.com")
    return public_url.rstrip("/")
