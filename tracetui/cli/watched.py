"""What `tracetui claude` and `tracetui codex` share: logs in their usual place, into the file, live, on a screen."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from collector.errors import NotFound
from collector.settings import Settings
from tracetui.cli import common

DAY_NS = 86_400 * 10**9
STOP_S = 5.0


@dataclass(frozen=True, slots=True)
class Agent:
    """A program whose logs are watched: its command here, its name, the directory of its logs, and the variable that
    moves it."""

    command: str
    name: str
    logs: Path
    variable: str


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--days, --follow, --no-tui, --db, --json; and what only we say to our own child."""
    for option in (
        click.option("--until-eof", is_flag=True, hidden=True),
        click.option("--days", type=click.IntRange(min=0), default=30, show_default=True,
                     help="Only logs that changed in so many days; 0 for all there are."),
        click.option("--follow", is_flag=True, help="With --no-tui: go on as the logs grow, until Ctrl-C."),
        click.option("--no-tui", is_flag=True, help="Read the logs, print what was read, and end."),
        common.db_option,
        common.json_option,
    ):  # fmt: skip
        command = option(command)
    return command


def watch(
    agent: Agent, *, days: int, follow: bool, no_tui: bool, db: Path | None, as_json: bool, until_eof: bool
) -> int:
    """Read the agent's logs into the file: at once and done without a screen, else live beside the explorer."""
    if not agent.logs.is_dir():
        raise NotFound(
            f"there are no logs of {agent.name} in {agent.logs}; if they are elsewhere, set {agent.variable}, or name "
            "them: tracetui import --follow DIRECTORY"
        )
    settings = common.resolved(db).settings
    since = time.time_ns() - days * DAY_NS if days else 0
    if no_tui or as_json or not sys.stdout.isatty():
        return _headless(agent, settings, since, follow=follow or until_eof, as_json=as_json, until_eof=until_eof)
    from tracetui.cli.explore import run

    with _child(agent, settings, days):
        return run(settings.db, collect=False)


def _headless(agent: Agent, settings: Settings, since_ns: int, *, follow: bool, as_json: bool, until_eof: bool) -> int:
    from collector.importers.follow import Follower
    from collector.ingest import Ingest
    from tracetui.cli import import_

    failures: list[str] = []
    with Ingest(settings.db, settings) as ingest:
        if follow:
            common.note(f"following {agent.logs}; Ctrl-C ends it")
            total = import_.followed(Follower([agent.logs], since_ns), ingest, _stop(until_eof))
        else:
            total, failures = import_.all_of([agent.logs], ingest, since_ns)
    if as_json:
        common.print_json({"logs": str(agent.logs), **import_.receipt_json(total, settings.db)})
    common.note(import_.summary(total, settings.db))
    for failure in failures:
        common.note(failure)
    return 1 if failures else 0


def _stop(until_eof: bool) -> threading.Event:
    """Set by SIGTERM, and for a child when its parent is gone."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if until_eof:

        def wait() -> None:
            while sys.stdin.buffer.read(4096):
                pass
            stop.set()

        threading.Thread(target=wait, name="tracetui-parent", daemon=True).start()
    return stop


@contextmanager
def _child(agent: Agent, settings: Settings, days: int) -> Iterator[None]:
    """A process of its own that reads the logs, so that the screen stays quick; it ends with its stdin."""
    child = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "tracetui", agent.command, "--no-tui", "--follow", "--until-eof",
         "--days", str(days), "--db", str(settings.db)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        assert child.stdin is not None
        child.stdin.close()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
