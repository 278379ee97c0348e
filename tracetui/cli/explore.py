"""`tracetui` itself: the explorer, and the receiver as its child process."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.settings import Settings, resolve, unquote

if TYPE_CHECKING:
    from tracetui.app import Explorer
    from tracetui.source import Source


@click.command("explore")
@click.argument("db", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--collect/--no-collect", default=None, help="Receive OTLP meanwhile [default: only without DB].")
@click.option("--trace", "trace_id", metavar="ID", help="Open this trace (its id, or the beginning of it).")
@click.option("--filter", "filter_text", metavar="FILTER", default="", help="Begin with this filter.")
def explore(db: Path | None, collect: bool | None, trace_id: str | None, filter_text: str) -> None:
    """Explore traces live. Without DB: the default file, and OTLP is received into it."""
    wanted = db is None if collect is None else collect
    sys.exit(run(db, collect=wanted, trace_id=trace_id, filter_text=filter_text))


def run(path: Path | None, *, collect: bool, trace_id: str | None = None, filter_text: str = "") -> int:
    """Explore a file (None: the default one) until the user leaves; 0. With `collect` a receiver that writes this
    very file is joined, or started as a child that ends with us."""
    settings = resolve(db=path).settings
    if not sys.stdout.isatty() and "TEXTUAL_DRIVER" not in os.environ:  # which a browser's screen is named by
        raise click.UsageError("the explorer needs a terminal; `tracetui traces` prints the list")
    receiver = None
    gc.disable()  # until the first picture is there, see `Explorer._import_the_rest`
    try:
        source = make_source(settings)
        if trace_id is not None:
            with source.open_reader() as reader:
                trace_id = reader.resolve_trace(trace_id)
        app = make_app(source, trace_id=trace_id, filter_text=filter_text, keys=settings.keys, theme=settings.theme)
        if collect:
            from tracetui.child import Receiver

            receiver = Receiver(settings)
            receiver.start(lambda news: app.post_message(app.ReceiverNews(*news)))
        app.run()
    finally:
        gc.enable()
        if receiver is not None:
            receiver.stop()
    return app.return_code or 0


def make_source(settings: Settings) -> Source:
    """The real reader and filter language behind the screens' seam."""
    from collector import store
    from collector.limits import Limits
    from collector.store import filters
    from tracetui.source import Source

    path, views = str(settings.db), dict(settings.views)
    return Source(
        path, lambda: store.open_reader(path), lambda text: filters.parse_with(text, time.time_ns(), views), views,
        dimensions=settings.dimensions, prices=settings.prices, limits=Limits(**settings.signals),
    )  # fmt: skip


def make_app(
    source: Source, *, trace_id: str | None = None, filter_text: str = "", keys: Mapping[str, str] | None = None,
    theme: str | None = None,
) -> Explorer:  # fmt: skip
    """The application on a source, with what the environment says about the terminal."""
    from tracetui.app import Explorer

    ascii_mode = unquote(os.environ.get("TRACETUI_ASCII", ""))[0] not in ("", "0")
    return Explorer(source, ascii_mode=ascii_mode, open_trace=trace_id, filter_text=filter_text, keys=keys, theme=theme)
