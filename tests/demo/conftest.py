from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector.store import open_reader
from tests.demo.played import Run, Told, run
from tracetui.demo.model import has_extra


@pytest.fixture(scope="session")
def through_openai(tmp_path_factory: pytest.TempPathFactory) -> Run:
    if not has_extra():
        pytest.skip("needs the demo extra")
    return run(tmp_path_factory.mktemp("openai"))


@pytest.fixture(scope="session")
def by_http(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("plain"), "--plain")


@pytest.fixture(scope="module", params=["through_openai", "by_http"])
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    """The file of either run: every story is in both."""
    with open_reader(request.getfixturevalue(request.param).db) as reader:
        yield Told(reader)
