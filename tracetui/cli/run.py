"""`tracetui run -- CMD`: run a program and see what it does."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import NoReturn

import click

from collector.settings import Resolved, Settings, resolve
from tracetui import format as fmt
from tracetui.cli import common

NOT_FOUND, NOT_EXECUTABLE = 127, 126


@click.command("run", context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.option("--no-tui", is_flag=True, help="Leave the terminal to CMD, and print a summary at its end.")
@click.option(
    "--auto", is_flag=True, help="Trace a Python CMD's OpenAI, Anthropic and LangChain calls, code unchanged."
)
@click.option("--proxy", is_flag=True, help="Lead CMD's OpenAI and Anthropic clients through the recording proxy.")
@click.option(
    "--db", type=click.Path(path_type=Path, dir_okay=False), help="The file to write [default: the project's]."
)
@click.argument("command", metavar="-- CMD …", nargs=-1, type=click.UNPROCESSED, required=True)
def run(no_tui: bool, auto: bool, proxy: bool, db: Path | None, command: tuple[str, ...]) -> NoReturn:
    """Run CMD with its telemetry pointed here, and watch it. The exit code is CMD's.

    CMD's output is on a tab of the explorer (o); a CMD that wants the keyboard needs --no-tui.
    """
    if os.name != "posix":
        raise click.UsageError("`tracetui run` needs Linux or macOS; start `tracetui` and set "
                               "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 yourself")  # fmt: skip
    check(command[0])
    found = resolve(db=db)
    for warning in found.warnings:
        common.note(warning)
    sys.exit(_run(command, found, auto=auto, proxy=proxy, screen=not no_tui and has_screen()))


def check(program: str) -> None:
    """End with 127 when there is no such program, 126 when it may not be run, as shells do."""
    if shutil.which(program) is not None:
        return
    there = os.path.exists(program) and os.sep in program
    if there:
        common.note(f"{fmt.plain(program)} cannot be run: it is {_why(program)}")
        sys.exit(NOT_EXECUTABLE)
    where = "there is no such file" if os.sep in program else "it is in no directory of $PATH"
    common.note(f"{fmt.plain(program)} was not found: {where}")
    sys.exit(NOT_FOUND)


def _why(program: str) -> str:
    return "a directory" if os.path.isdir(program) else f"not executable (chmod +x {fmt.plain(program)})"


def has_screen() -> bool:
    """Whether there is a terminal to paint on and to read keys from."""
    return sys.stdout.isatty() and sys.stdin.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "")


def _run(command: tuple[str, ...], found: Resolved, *, auto: bool, proxy: bool, screen: bool) -> int:
    from collector.ids import new_run
    from tracetui.run import collecting, passing, summary
    from tracetui.run.proxied import lead_through, own_upstreams
    from tracetui.run.variables import prepare

    settings = found.settings
    if proxy and (own := own_upstreams(os.environ)):  # our collector, a child, reads them there
        os.environ["TRACETUI_UPSTREAMS"] = json.dumps({**settings.upstreams, **own})
    collector = collecting.start(settings, lambda: None if screen else passing.block())
    run = new_run(time.time_ns())
    given = prepare(os.environ, collector.status, db=settings.db, run=run, token=settings.token, url=settings.url)
    if proxy:
        given.talk += lead_through(given.env, collector.status, run, joined=collector.joined, token=settings.token)
    if auto:
        from collector.auto import variables

        given.env.update(variables(given.env, collector.status.url))
        if settings.token:
            given.env["TRACETUI_TOKEN"] = settings.token
    talk = [collector.notice.partition(": set ")[0]] if collector.notice else []
    talk = [fmt.plain(sentence) for sentence in [*talk, *given.talk]]
    for sentence in talk:
        common.note(sentence)
    collector.watch(*((passing.block, passing.unblock) if not screen else (lambda: None, lambda: None)))
    try:
        if screen:
            code, seconds = _on_screen(command, given.env, settings, run, talk)
        else:
            code, seconds = _in_foreground(command, given.env)
    finally:
        sums = collector.finish(lambda: summary.read(settings.db, run))
    ended = summary.how_it_ended(fmt.plain(os.path.basename(command[0])), code)
    for line in summary.lines(sums, db=settings.db, run=run, seconds=seconds, ended=ended, auto=auto):
        common.note(line)
    return code


def _on_screen(
    command: tuple[str, ...], env: dict[str, str], settings: Settings, run: str, talk: list[str]
) -> tuple[int, float]:
    """The explorer until the user leaves; then the command ends too. Its exit code, and how long it ran."""
    from tracetui.cli.explore import make_source
    from tracetui.run.explorer import RunExplorer

    app = RunExplorer(make_source(settings), command, env, run=run, talk=talk, keys=settings.keys,
                      theme=settings.theme)  # fmt: skip
    try:
        app.run()
    finally:
        code = app.command.close() if app.command is not None else NOT_EXECUTABLE
    return code, app.command.seconds if app.command is not None else 0.0


def _in_foreground(command: tuple[str, ...], env: dict[str, str]) -> tuple[int, float]:
    from tracetui.run.passing import run_here

    sys.stdout.flush()
    began = time.monotonic()
    try:
        code = run_here(command, env)
    except OSError as e:
        common.note(f"{fmt.plain(command[0])} cannot be run: {e.strerror}")
        code = NOT_FOUND if isinstance(e, FileNotFoundError) else NOT_EXECUTABLE
    return code, time.monotonic() - began
