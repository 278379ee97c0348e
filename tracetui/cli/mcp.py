"""`tracetui mcp`: what was traced, for coding agents, over the Model Context Protocol on stdin and stdout."""

from __future__ import annotations

from pathlib import Path

import click

from collector.errors import TracetuiError
from tracetui.cli import common


@click.command()
@common.db_option
def mcp(db: Path | None) -> None:
    """Serve lists, traces, search and costs to a coding agent over MCP, on stdin and stdout; it only reads.

    Claude Code: `claude mcp add tracetui -- tracetui mcp`. Needs `pip install 'tracetui[mcp]'`.
    """
    try:
        from tracetui.cli import mcp_server
    except ModuleNotFoundError as e:
        if (e.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise TracetuiError(
            f"`tracetui mcp` needs the official MCP SDK, version 2 ({e.name} is not there): "
            "pip install 'tracetui[mcp]', or uv tool install 'tracetui[mcp]'"
        ) from e
    common.note(f"serving {common.resolved(db).settings.db} over MCP on stdin and stdout")
    mcp_server.made(db).run("stdio")
