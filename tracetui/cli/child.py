"""The receiver as a child process lives in `tracetui.child`, below the commands that start it."""

from __future__ import annotations

from tracetui.child import News, Receiver

__all__ = ["News", "Receiver"]
