"""The one command, `tracetui`. Each subcommand lives in a module of its own, imported only when it runs:
what paints (textual) and what serves (uvicorn, grpc) costs nothing to the others."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from collector.errors import FilterError, SettingsError, TracetuiError
from collector.version import VERSION

COMMANDS = {
    "explore": ("explore", "Explore traces live in the terminal (what `tracetui` alone does)."),
    "serve": ("serve", "Explore traces in a browser."),
    "demo": ("demo", "Run a scripted agent into a file of its own and watch it."),
    "collect": ("collect", "Receive OTLP into the file, without a screen."),
    "run": ("run", "Run a program with its telemetry pointed here, and watch it."),
    "traces": ("traces", "List traces."),
    "spans": ("spans", "List spans."),
    "sessions": ("sessions", "List sessions (threads)."),
    "costs": ("costs", "Add up calls, tokens and costs by anything."),
    "overview": ("overview", "What goes on now: burn, what runs, failed last, was dearest."),
    "show": ("show", "Show one trace, or one span of it."),
    "signals": ("signals", "Count what looks wrong: loops, cut answers, invented values, …"),
    "search": ("search", "Search all text: messages, names, errors, values."),
    "errors": ("errors", "Group failures by what they have in common."),
    "export": ("export", "Write spans or whole traces: JSON lines, OTLP, CSV, Markdown, HTML, Perfetto."),
    "share": ("share", "Write a redacted extract, and say what was found in it."),
    "import": ("import_", "Read files into the file: OTLP, agents' session logs, exports of others."),
    "claude": ("claude", "Watch Claude Code's sessions, from its own logs."),
    "codex": ("codex", "Watch Codex CLI's sessions, from its own logs."),
    "replay": ("replay", "Send a recorded model call again, changed, beside what was answered then."),
    "mcp": ("mcp", "Serve all of this to a coding agent over MCP; it only reads."),
    "check": ("check", "Check the file; --fold makes one file of traces.db*."),
    "doctor": ("doctor", "Say what is installed, in force and in the file."),
}
DATABASE_ENDINGS = (".db", ".sqlite", ".sqlite3")
EXIT_FAILED, EXIT_USAGE = 1, 2


class Tracetui(click.Group):
    """A group that imports a command when it is asked for, and takes a file in place of a command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, (module, _) in COMMANDS.items() if name != "explore"]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _ = COMMANDS[name]
        command = getattr(import_module(f"tracetui.cli.{module}"), module)
        assert isinstance(command, click.Command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`tracetui`, `tracetui FILE` and `tracetui --no-collect` mean `tracetui explore …`."""
        first = args[0] if args else None
        if first not in ("-h", "--help", "--version") and first not in COMMANDS:
            if first is not None and not first.startswith("-") and not looks_like_a_file(first):
                raise click.UsageError(no_such_command(first), ctx)
            args = ["explore", *args] if sys.stdout.isatty() else as_a_list(args)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


def as_a_list(args: list[str]) -> list[str]:
    """`tracetui [DB]` into a pipe: the list of traces of that file. What only a screen can do stays with explore."""
    rest = [arg for arg in args if arg not in ("--collect", "--no-collect")]
    if len(rest) > 1 or any(arg.startswith("-") for arg in rest):
        return ["explore", *args]
    return ["traces", *(["--db", rest[0]] if rest else [])]


def looks_like_a_file(word: str) -> bool:
    return os.path.exists(word) or os.sep in word or word.endswith(DATABASE_ENDINGS)


def no_such_command(word: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, COMMANDS, n=1)
    hint = f"did you mean `tracetui {close[0]}`?" if close else "see `tracetui --help`."
    return f"there is no command and no file {word!r}; {hint}"


@click.group(
    cls=Tracetui,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    options_metavar="",
    subcommand_metavar="[DB] [--no-collect] | COMMAND …",
)
@click.version_option(VERSION, prog_name="tracetui", message="%(prog)s %(version)s")
def cli() -> None:
    """See what your LLM app did: live, in the terminal, offline.

    With no command: explore the default file and receive OTLP on 127.0.0.1:4318 meanwhile; with DB, explore
    that file (--collect to receive into it too). Without a terminal: print the list of traces.

    FILTER is one language everywhere: status:error model:gpt-4o* cost:>0.05 latency:>2s since:1h -name:health
    "free text" or any:(kind:tool status:error). A mistake says what to try; `view:NAME` is one saved in the settings.
    """


def main(args: list[str] | None = None) -> NoReturn:
    """Run, and end with 0 (fine), 1 (a lookup failed, a file cannot be read) or 2 (wrong usage)."""
    try:
        code = cli.main(args, prog_name="tracetui", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as e:
        e.show()
        code = e.exit_code
    except FilterError as e:
        say_error(f"{e}{pointer(e)}")
        code = EXIT_USAGE
    except SettingsError as e:
        say_error(str(e))
        code = EXIT_USAGE
    except (TracetuiError, OSError) as e:
        code = _failed(e)
    sys.exit(code if isinstance(code, int) else 0)


def _failed(e: TracetuiError | OSError) -> int:
    if isinstance(e, BrokenPipeError):  # `| head` has what it wanted; Python must not complain at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(e, OSError) and not isinstance(e, TracetuiError):
        say_error(f"{e.filename or 'tracetui'}: {e.strerror or e}")
    else:
        say_error(str(e))
    return EXIT_FAILED


def pointer(e: FilterError) -> str:
    """The filter with a mark under the column where reading it stopped, on lines of their own."""
    if not e.text or not e.text.isprintable():
        return ""
    return f"\n  {e.text}\n  {' ' * e.column}^"


def say_error(message: str) -> None:
    click.echo(f"Error: {message}", err=True)
