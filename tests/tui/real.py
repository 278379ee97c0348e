"""The explorer on a real file: for screens that ask more than a reader in memory can tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from collector.store import filters, open_reader
from tracetui.app import Explorer
from tracetui.source import Source


def real_app(db: Path, now_ns: Callable[[], int], **changes: Any) -> Explorer:
    source = Source(
        str(db), lambda: open_reader(db, now_ns=now_ns), lambda text: filters.parse(text, now_ns()),
        dimensions=("department",),
    )  # fmt: skip
    return Explorer(source, **({"now_ns": now_ns, "tail": False} | changes))
