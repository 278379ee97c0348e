from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.store import open_reader
from tests.demo.played import Run, Told, once
from tracetui.demo.model import has_extra


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of pytest-xdist have in common: each demo is played once."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def through_openai(shared: Path) -> Run:
    if not has_extra():
        pytest.skip("needs the demo extra")
    return once(shared, "demo-openai")


@pytest.fixture(scope="session")
def by_http(shared: Path) -> Run:
    return once(shared, "demo-plain", "--plain")


@pytest.fixture(scope="module", params=["through_openai", "by_http"])
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    """The file of either run: every story is in both."""
    with open_reader(request.getfixturevalue(request.param).db) as reader:
        yield Told(reader)
