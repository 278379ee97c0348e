"""`tracetui claude`: Claude Code's sessions, live."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from tracetui.cli import watched


@click.command("claude")
@watched.options
def claude(**given: Any) -> NoReturn:
    """Watch Claude Code's sessions: its logs are read into the file, live, and the explorer opens.

    They are in ~/.claude/projects, or in $CLAUDE_CONFIG_DIR/projects.
    """
    home = os.environ.get("CLAUDE_CONFIG_DIR", "").split(",")[0].strip()
    logs = (Path(home).expanduser() if home else _usual()) / "projects"
    sys.exit(watched.watch(watched.Agent("claude", "Claude Code", logs, "CLAUDE_CONFIG_DIR"), **given))


def _usual() -> Path:
    """~/.claude; ~/.config/claude where only that one has logs (some versions from 1.0.30 on wrote there)."""
    old, new = Path.home() / ".claude", Path.home() / ".config" / "claude"
    return new if (new / "projects").is_dir() and not (old / "projects").is_dir() else old
