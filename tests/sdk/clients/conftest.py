from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector import testing
from tests.sdk.clients.server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as up:
        yield up


@pytest.fixture
def recorded() -> Iterator[testing.Recorded]:
    with testing.recording() as recorded:
        yield recorded
