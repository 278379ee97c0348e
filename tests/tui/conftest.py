"""What holds for every test of the explorer."""

from __future__ import annotations

import pytest

from tracetui.screens import base


@pytest.fixture(autouse=True)
def _nothing_is_asked_again_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Screens look again every few seconds. A test that passes only thanks to that would hide a screen that stays
    empty until then."""
    monkeypatch.setattr(base, "CLOCK_S", 3600.0)
