"""The door and LangSmith's own client, for every test here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.receiver.langsmith.client import made
from tests.receiver.running import Running, running, settings_for

if TYPE_CHECKING:
    from langsmith import Client


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for name in ("LANGSMITH_API_KEY", "LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT", "LANGSMITH_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    with running(settings_for(tmp_path, max_spans=10_000), real=True) as one:
        yield one


@pytest.fixture
def client(door: Running) -> Iterator[Client]:
    with made(door) as one:
        yield one
