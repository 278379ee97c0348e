"""A span is called after what it did where its client calls all alike, and leaves by the name it came with."""

from __future__ import annotations

import gzip
from pathlib import Path

from collector.ingest import Ingest
from collector.model import Batch
from collector.protocols import otlp
from collector.settings import Settings
from collector.store import open_reader
from collector.store.filters import parse
from tests.builders import T0

RECORDED = Path(__file__).parents[1] / "conventions" / "recorded" / "claude-code.pb.gz"


def test_claude_codes_tools_are_called_after_the_tool_and_leave_as_they_came(tmp_path: Path) -> None:
    came = otlp.decode_traces(gzip.decompress(RECORDED.read_bytes())).parts
    path = tmp_path / "traces.db"
    for _ in range(2):
        with Ingest(path, Settings(db=path)) as ingest:
            receipt = ingest.write(Batch("test", came))
    assert (receipt.stored, receipt.duplicate) == (0, len(came))
    with open_reader(path) as reader:
        tools = [row for row in reader.spans(limit=200) if row.kind == "tool"]
        assert {row.name for row in tools} == {"Read", "Bash", "Agent"} == {row.tool_name for row in tools}
        assert {row.name for row in reader.spans(parse("name:Bash", T0), limit=200)} == {"Bash"}
        left = {part.span_id: part for part in otlp.decode_traces(otlp.encode_traces(reader.parts()), otlp.JSON).parts}
    assert left == {part.span_id: part for part in came}
