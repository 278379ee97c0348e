"""`tracetui codex`: Codex CLI's sessions, live."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from tracetui.cli import watched


@click.command("codex")
@watched.options
def codex(**given: Any) -> NoReturn:
    """Watch Codex CLI's sessions: its rollouts are read into the file, live, and the explorer opens.

    They are in ~/.codex/sessions, or in $CODEX_HOME/sessions.
    """
    home = os.environ.get("CODEX_HOME", "").strip()
    logs = (Path(home).expanduser() if home else Path.home() / ".codex") / "sessions"
    sys.exit(watched.watch(watched.Agent("codex", "Codex CLI", logs, "CODEX_HOME"), **given))
