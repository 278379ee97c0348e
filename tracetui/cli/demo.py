"""`tracetui demo`: a scripted agent through the real road, into a file of its own."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path

import click

from collector.errors import StoreError
from tracetui import format as fmt

NOTICE = "The model's answers are simulated by a small server on 127.0.0.1; nothing leaves this machine."


@click.command("demo")
@click.option("--headless", is_flag=True, help="Run at once, without the explorer, and print a summary.")
@click.option(
    "--db", type=click.Path(path_type=Path, dir_okay=False), help="The file [default: a new one, named below]."
)
@click.option("--speed", type=click.FloatRange(0.1, 1000), help="Divides every wait [default: 1; headless: 25].")
@click.option("--plain", is_flag=True, help="Call the model by plain HTTP even where the openai client is installed.")
def demo(headless: bool, db: Path | None, speed: float | None, plain: bool) -> None:
    """Watch a scripted agent work for a minute, in a file of its own."""
    from tracetui.demo.play import play
    from tracetui.demo.server import Server

    path = (db or Path(tempfile.mkdtemp(prefix="tracetui-demo-")) / "traces.db").absolute()
    if not path.parent.is_dir():
        raise StoreError(f"cannot write {path}: there is no directory {path.parent}")
    use_openai = False if plain else None
    click.echo(f"{NOTICE}\nFile: {path}")
    if headless or not sys.stdout.isatty():
        played = play(path, speed=speed or 25.0, use_openai=use_openai)
        summary(path, played.through, played.seconds, played.stories)
        return
    left = threading.Event()
    failed: list[BaseException] = []

    server = Server()

    def act() -> None:
        try:
            play(path, speed=speed or 1.0, use_openai=use_openai, stopped=left.is_set, server=server)
        except Exception as error:  # noqa: BLE001 - told after the screen is gone
            failed.append(error)

    agent = threading.Thread(target=act, name="demo-agent", daemon=True)
    with server:
        os.environ |= dict.fromkeys(("OPENAI_BASE_URL", "OLLAMA_BASE_URL"), server.url)  # it answers replays too
        agent.start()
        try:
            code = watch(path)
        finally:
            left.set()
            agent.join(10.0)
    if failed:
        raise click.ClickException(f"the demo's agent ended early: {failed[0]}")
    click.echo(f"The file stays: tracetui {path}")
    sys.exit(code)


def watch(path: Path) -> int:
    """The explorer on the file, saying what it is, until the user leaves."""
    from collector.settings import resolve
    from tracetui.cli.explore import make_app, make_source

    settings = resolve(db=path).settings
    app = make_app(make_source(settings), keys=settings.keys, theme=settings.theme)
    app.facts.notice = NOTICE
    app.facts.expecting = "The demo is starting: its first runs show here in a moment."
    app.run()
    return app.return_code or 0


def summary(path: Path, through: str, seconds: float, stories: tuple[tuple[str, str], ...]) -> None:
    """What was recorded, and how to find each story in it."""
    from collector.store import open_reader

    with open_reader(path) as reader:
        totals = reader.totals()
        sessions = len(reader.sessions(limit=1000))
    cost = "unknown" if totals.cost_nanousd is None else fmt.money(totals.cost_nanousd)
    click.echo(
        f"{totals.traces} traces, {totals.spans} spans, {totals.errors} errors, {sessions} sessions, {cost}"
        f" (+{totals.unpriced_calls} unpriced), in {seconds:.1f} s, through {through}."
    )
    for title, how in stories:
        click.echo(f"  {title:<52} {how} --db {path}")
    click.echo(f"Explore it: tracetui {path}")
