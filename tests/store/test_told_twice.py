"""Calls that two layers of one program report, in traces of their own, count once in whatever order they arrive."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random
from typing import Any

import pytest

from collector.ingest import Ingest
from collector.model import Batch
from collector.protocols import otlp
from collector.settings import Settings
from collector.store.stored import Stored
from tests.builders import T0, make_llm, trace_id
from tests.store.audit import sums

RECORDED = Path(__file__).parents[1] / "conventions" / "recorded"
S = 10**9
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


def test_of_an_id_that_all_answers_have_only_what_is_near_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a server that plays a provider: with all of them each call would cost as much as all before it."""
    loaded: list[int] = []
    of_same = Stored.of_same

    def counted(self: Stored, *asked: Any) -> Any:
        found = of_same(self, *asked)
        loaded.append(len(found))
        return found

    monkeypatch.setattr(Stored, "of_same", counted)
    calls = [make_llm(1, trace=trace_id(n), start_ns=T0 + n * S, end_ns=T0 + n * S + S // 2,
                      reading={"response_id": "chatcmpl-123"}) for n in range(10, 500, 10)]  # fmt: skip
    twice = make_llm(1, trace=trace_id(9), start_ns=T0 + 201 * S, end_ns=T0 + 202 * S,
                     reading={"response_id": "chatcmpl-123"})  # fmt: skip
    with Ingest(tmp_path / "t.db", Settings(db=tmp_path / "t.db")) as ingest:
        for call in (*calls, twice):
            ingest.write(Batch("sdk", (call,)))
    assert max(loaded) == loaded[-1] == 1, "the one that the last one tells again"
    assert sums(tmp_path / "t.db")[:2] == (50, 49)
