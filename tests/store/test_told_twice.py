"""Calls that two layers of one program report, in traces of their own, count once in whatever order they arrive."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import pytest

from collector.ingest import Ingest
from collector.model import Batch
from collector.protocols import otlp
from collector.settings import Settings
from tests.store.audit import sums

RECORDED = Path(__file__).parents[1] / "conventions" / "recorded"
WANTED = {
    "openinference-langchain-clients": (9, 4, 404, 212),
    "openinference-js-anthropic": (12, 6, 606, 318),
    "langfuse-vercel-7": (4, 4, 306, 159),
}
"""By recording: spans of models; calls, tokens in and out."""


@pytest.mark.parametrize("name", WANTED)
def test_a_recording_counts_each_call_once(name: str, tmp_path: Path) -> None:
    parts = list(otlp.decode_traces(gzip.decompress((RECORDED / f"{name}.pb.gz").read_bytes()), otlp.PROTOBUF).parts)
    backwards = parts[::-1]
    mixed = Random(7).sample(parts * 2, 2 * len(parts))
    for number, arriving in enumerate((parts, backwards, mixed)):
        db = tmp_path / f"{number}.db"
        with Ingest(db, Settings(db=db)) as ingest:
            for part in arriving:
                ingest.write(Batch("otlp", (part,)))
        assert sums(db) == WANTED[name]
