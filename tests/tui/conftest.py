"""What holds for every test of the explorer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracetui.screens import base


@pytest.fixture(autouse=True)
def _nothing_is_asked_again_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Screens look again every few seconds. A test that passes only thanks to that would hide a screen that stays
    empty until then."""
    monkeypatch.setattr(base, "CLOCK_S", 3600.0)


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's state folder: what one test had the explorer remember is not what the next one finds."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.delenv("TEXTUAL_THEME", raising=False)
    return folder / "tracetui"
