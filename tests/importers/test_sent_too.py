"""Claude Code's session logs, read into the file that it sent the same calls to as OTLP: counted once, in any order."""

from __future__ import annotations

import gzip
from itertools import permutations
from pathlib import Path

import pytest

from collector.ingest import Ingest
from collector.model import Batch
from collector.protocols import otlp
from collector.settings import Settings
from tests.importers.test_agent_logs import SAMPLES, read
from tests.store.audit import sums

SENT = "claude-2.1.330-sent"
SAID = {"events": ["events.logs"], "spans": ["spans.logs", "spans.traces"]}


def batches(session: str) -> list[Batch]:
    """What Claude Code sent of a session, and what it logged."""
    out = []
    for name in SAID[session]:
        body = gzip.decompress((SAMPLES / SENT / f"{name}.pb.gz").read_bytes())
        out.append((otlp.decode_logs if name.endswith("logs") else otlp.decode_traces)(body, otlp.PROTOBUF))
    return [*out, Batch("import", tuple(read(f"{SENT}/{session}.jsonl")))]


@pytest.mark.parametrize("session", SAID)
def test_a_call_that_is_logged_and_sent_counts_once(session: str, tmp_path: Path) -> None:
    for number, order in enumerate(permutations(batches(session))):
        db = tmp_path / f"{number}.db"
        with Ingest(db, Settings(db=db)) as ingest:
            for batch in order:
                ingest.write(batch)
        assert sums(db) == (4, 2, 202, 106)
