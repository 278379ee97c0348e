from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sdk.memory import Bench


@pytest.fixture
def bench(tmp_path) -> Iterator[Bench]:
    made = Bench(db=tmp_path / "traces.db")
    yield made
    made.sink.fail_with = None
    made.sink.hold.set()
    made.queue.close()
