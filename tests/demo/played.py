"""Demos that ran without a screen, and a look into what they left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from collector.store.filters import parse
from collector.store.lock import FileLock
from collector.store.reader import Reader
from collector.store.rows import SpanDetail, SpanRow, TraceRow


@dataclass(frozen=True)
class Run:
    """A headless demo that ended: what it printed, its file, and the names of all files it left."""

    ended: subprocess.CompletedProcess[str]
    db: Path
    left: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """Looks things up in a demo's file."""

    reader: Reader

    def spans(self, text: str) -> list[SpanRow]:
        """The spans a filter finds, in the order they started."""
        return self.reader.spans(parse(text, 0), limit=1000, sort="start")

    def details(self, text: str) -> list[SpanDetail]:
        return [self.detail(row) for row in self.spans(text)]

    def detail(self, row: SpanRow) -> SpanDetail:
        return self.reader.span(row.trace_id, row.span_id)

    def traces(self, text: str) -> list[TraceRow]:
        return self.reader.traces(parse(text, 0), limit=1000, sort="start")

    def tree(self, trace_id: str) -> list[SpanRow]:
        return self.reader.tree_spans(trace_id)

    def under(self, row: SpanRow) -> list[SpanRow]:
        """The spans directly under one."""
        return [span for span in self.tree(row.trace_id) if span.parent_id == row.span_id]


def once(shared: Path, name: str, *options: str) -> Run:
    """`run` in the folder `name` of `shared`, unless another process of this test session did."""
    folder = shared / name
    with FileLock(shared / f"{name}.lock", wait_s=150):
        if folder.exists():
            kept = json.loads((folder / "ended.json").read_text())
            return Run(subprocess.CompletedProcess(**kept["ended"]), folder / "demo.db", tuple(kept["left"]))
        folder.mkdir()
        ran = run(folder, *options)
        (folder / "ended.json").write_text(json.dumps({"ended": vars(ran.ended), "left": ran.left}))
        return ran


def run(folder: Path, *options: str) -> Run:
    """`tracetui demo --headless`, as fast as it goes."""
    db = folder / "demo.db"
    command = [sys.executable, "-m", "tracetui", "demo", "--headless", "--speed", "50", "--db", str(db), *options]
    ended = subprocess.run(
        command, cwd=folder, env=clean(folder), capture_output=True, text=True, timeout=120, check=False
    )
    return Run(ended, db, tuple(sorted(path.name for path in folder.glob("demo.db*"))))


def clean(folder: Path) -> dict[str, str]:
    """Our environment without any setting of ours or of OpenTelemetry's; `folder` is home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRACETUI_", "OTEL_"))}
    config, data = str(folder / "config"), str(folder / "data")
    return kept | {"HOME": str(folder), "XDG_CONFIG_HOME": config, "XDG_DATA_HOME": data}
