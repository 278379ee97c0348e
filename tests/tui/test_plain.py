"""NO_COLOR leaves no colour, ASCII mode no sign of ours beyond ASCII: on every screen."""

from __future__ import annotations

import pytest

from .fakes import FakeReader, agent_spans, make_app, make_trace
from .test_trouble import SCREENS
from .until import screen_text, settled, shows, until


@pytest.mark.parametrize("keys", [pytest.param(one.values[0], id=one.id) for one in SCREENS])
async def test_every_screen_does_without_colours_and_beyond_ascii(
    keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    spans = [row._replace(name=(row.name or "").encode("ascii", "ignore").decode()) for row in agent_spans()]
    app = make_app(FakeReader([make_trace(0)], spans), ascii_mode=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press(*keys)
        await settled(pilot)
        assert {char for char in screen_text(pilot) if ord(char) > 126} == set()
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                assert segment.style is None or segment.style.color is None, segment
