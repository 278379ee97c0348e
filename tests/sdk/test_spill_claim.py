"""A spill file goes once its spans are committed, and not before: whoever dies in between loses and repeats nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collector.ingest import Ingest
from collector.model import Batch
from collector.protocols import native
from collector.settings import Settings
from collector.spilled import BATCH_LINES, claim, spill_path
from collector.store import open_reader
from tests.builders import make_llm

COUNT = BATCH_LINES + 200
CLAIMER = """
import os, signal, sys
from pathlib import Path
from typing import Any
from collector.ingest import Ingest
from collector.settings import Settings
from collector.spilled import claim
db, writes = Path(sys.argv[1]), int(sys.argv[2])
ingest = Ingest(db, Settings(db=db))
for batch in claim(db):
    if not writes:
        os.kill(os.getpid(), signal.SIGKILL)
    ingest.write(batch)
    writes -= 1
os.kill(os.getpid(), signal.SIGKILL)
"""


def spilled(db: Path, pid: int, first: int, count: int) -> Path:
    """What a process of this id that is gone left behind."""
    path = db.with_name(f"{db.name}.spill-{pid}")
    path.write_bytes(native.encode_batch(Batch("sdk", tuple(make_llm(first + n) for n in range(count)))))
    return path


def gone() -> int:
    """The id of a process that was, and is no more."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def leftovers(db: Path) -> list[str]:
    return [path.name for path in db.parent.glob("*.spill-*")]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_claimer_killed_before_between_or_after_its_commits_loses_and_repeats_nothing(
    tmp_path: Path, writes: int
) -> None:
    db = tmp_path / "traces.db"
    spilled(db, gone(), 1, COUNT)
    killed = subprocess.run([sys.executable, "-c", CLAIMER, str(db), str(writes)], cwd=Path(__file__).parents[2])
    assert killed.returncode == -signal.SIGKILL
    if writes < 2:
        assert len(leftovers(db)) == 1, "what was not committed is still in a file"
    with Ingest(db, Settings(db=db)) as ingest:
        for batch in claim(db):
            ingest.write(batch)
    assert leftovers(db) == []
    with open_reader(db) as reader:
        (trace,) = reader.traces()
        assert (trace.span_count, trace.llm_calls) == (COUNT, COUNT)
        assert (trace.usage.input_tokens, trace.usage.output_tokens) == (10 * COUNT, 5 * COUNT)


def test_a_claim_that_failed_half_way_is_not_overwritten_by_the_next(tmp_path: Path) -> None:
    db = tmp_path / "traces.db"
    spilled(db, os.getpid(), 1, 3)
    half: Any = claim(db)
    next(half)
    half.close()  # the sink would not take it
    spilled(db, os.getpid(), 11, 3)
    assert spill_path(db).exists()
    found = [part.span_id for batch in claim(db) for part in batch.parts]
    assert len(found) == 6
    assert leftovers(db) == []
