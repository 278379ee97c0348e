"""Waiting for a condition instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.pilot import Pilot


async def until(pilot: Pilot, condition: Callable[[], object], deadline_s: float = 20.0) -> None:
    """Let the app work until the condition holds; fails when it does not in time."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"not in {deadline_s} s; the screen:\n{screen_text(pilot)}"
        await pilot.pause(0.01)


async def settled(pilot: Pilot) -> None:
    """Until nothing more is painted: three pictures in a row are the same, colours included."""
    seen = [str(pilot.app.screen._compositor.render_strips())]
    while len(seen) < 3:
        await pilot.pause(0.05)
        now = str(pilot.app.screen._compositor.render_strips())
        seen = [*seen, now] if now == seen[-1] else [now]


def screen_text(pilot: Pilot) -> str:
    """What is on screen, as text."""
    app = pilot.app
    _, height = app.size
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips[:height])


def shows(pilot: Pilot, *texts: str) -> bool:
    shown = screen_text(pilot)
    return all(text in shown for text in texts)
