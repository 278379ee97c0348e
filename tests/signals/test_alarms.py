"""What real clients sent, where nothing was invented: who is told thrice that something looks wrong looks no more."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from collector.importers import files
from collector.ingest import Ingest
from collector.limits import Limits
from collector.settings import Settings
from collector.store import open_reader

RECORDED = Path(__file__).parents[1] / "conventions" / "recorded"
SAMPLES = Path(__file__).parents[1] / "importers" / "samples"
LOGS = [path for name in ("claude-*", "codex-*") for path in sorted(SAMPLES.glob(f"{name}/**/*.jsonl"))]
SIMULATED = {"swallowed", "unmetered", "loop", "ignored_result", "bad_arguments", "orphan"}
"""The simulated models behind the recordings always ask for the first tool, and answer that it is sunny; some clients
do not send usage, and some calls were meant to fail and to be passed over."""


def found(path: Path, sources: list[Path]) -> Counter[str]:
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        for source in sources:
            for batch in files.read(source):
                ingest.write(batch)
    with open_reader(path) as reader:
        traces = [row[0] for row in reader.rows("select trace_id from traces")]
        assert len(traces) > 20
        return Counter(one.kind for trace in traces for one in reader.signals(trace, Limits()))


def test_clients_that_were_recorded_raise_no_false_alarm(tmp_path: Path) -> None:
    counts = found(tmp_path / "recorded.db", sorted(RECORDED.glob("*.pb.gz")))
    assert set(counts) == SIMULATED
    assert sum(counts.values()) < 40


def test_logs_of_coding_agents_raise_no_false_alarm(tmp_path: Path) -> None:
    counts = found(tmp_path / "logs.db", LOGS)
    # the list of tools was shortened in one sample
    assert set(counts) <= SIMULATED | {"unknown_tool"}
    assert counts["unknown_tool"] <= 2
