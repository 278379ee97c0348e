"""What holds for every test: nobody's own settings, and no deadline that a busy machine could miss.

A property is tried on some examples, other ones every time; `--hypothesis-profile=quick` takes few, for the run
on the oldest dependencies, and `--hypothesis-profile=thorough` many.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("thorough", deadline=None, max_examples=300)
settings.register_profile("some", deadline=None, max_examples=40)
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile("some")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pages", action="store_true", help="run tests/pages too, which installs what docs/clients names")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What needs the registries is left out unless it is asked for. None leaves the choice to others."""
    return True if collection_path.name == "pages" and not config.getoption("--pages") else None


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Half as many again as there are processors: a quarter of the time is spent waiting for other processes."""
    return (os.cpu_count() or 2) * 3 // 2


@pytest.fixture(autouse=True, scope="session")
def _interrupts_arrive() -> None:
    """A shell starts what runs in its background with SIGINT ignored, nohup with SIGHUP; every child inherits that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A test sees the settings it makes, not those of who runs it."""
    for name in list(os.environ):
        # pytest-xdist gives its workers a COLUMNS and LINES, which a program in a pty would believe
        if name.startswith(("TRACETUI_", "OTEL_")) or name in ("NO_COLOR", "COLUMNS", "LINES"):
            monkeypatch.delenv(name)
    home = _home(tmp_path_factory)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))


_homes: list[Path] = []


def _home(factory: pytest.TempPathFactory) -> Path:
    if not _homes:
        _homes.append(factory.mktemp("home"))
    return _homes[0]
