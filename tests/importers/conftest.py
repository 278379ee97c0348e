"""Samples are as old as what they say: a checkout gives files any times, and logs are read oldest first."""

from __future__ import annotations

import json
import os
from datetime import datetime

import pytest

from tests.importers.test_agent_logs import SAMPLES


@pytest.fixture(scope="session", autouse=True)
def _dated_samples() -> None:
    for path in SAMPLES.rglob("*.jsonl"):
        moments = [json.loads(line).get("timestamp") for line in path.read_text().splitlines()]
        written = [datetime.fromisoformat(moment).timestamp() for moment in moments if moment]
        if written:
            os.utime(path, (max(written), max(written)))
