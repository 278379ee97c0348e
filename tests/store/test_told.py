"""What a span says of its trace as a whole: its name, its input, its output."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from collector.model import Reading, SpanPart
from collector.store import open_reader
from tests.builders import MS, T0, make_part, span_id
from tests.store.audit import audit
from tests.store.older import take_back
from tests.store_read.files import write

ROOT = make_part(1, name="root", attributes={"input.value": "of the root", "output.value": "root out"})


def child(n: int, **said: str) -> SpanPart:
    return make_part(n, parent=1, name=f"child {n}", start_ns=T0 + n * MS, reading=Reading(kind="chain", **said))


def listed(path: Path) -> tuple[str | None, str | None, str | None]:
    audit(path)
    with open_reader(path) as reader:
        (row,) = reader.traces()
    return row.name, row.input_preview, row.output_preview


def test_a_trace_is_called_as_one_of_its_spans_says(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", child(2))
    assert listed(path)[0] == "child 2"
    write(path, child(3, trace_name="asked", trace_input="of the trace"))
    write(path, ROOT)
    assert listed(path) == ("asked", "of the trace", "root out")
    write(path, child(2, trace_name="earlier", trace_output="all of it"))
    assert listed(path) == ("earlier", "of the trace", "all of it")


def test_who_reads_a_file_of_before_sees_the_name_of_its_root_and_who_writes_adds_to_it(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", ROOT, child(2))
    with closing(sqlite3.connect(path)) as connection:
        take_back(connection, 5)
    with open_reader(path) as reader:
        assert reader.state.schema_version == 5
        assert [row.name for row in reader.traces()] == ["root"]
        assert reader.span(ROOT.trace_id, span_id(2)).row.name == "child 2"
        assert {part.name for part in reader.parts()} == {"root", "child 2"}
    write(path, child(3, trace_name="asked"))
    assert listed(path)[0] == "asked"


def test_langfuse_says_it_in_attributes(tmp_path: Path) -> None:
    said = {
        "langfuse.observation.input": "its own", "langfuse.trace.name": "my trace", "langfuse.trace.output": "done",
        "langfuse.trace.input": '[{"role": "system", "content": "be kind"}, {"role": "user", "content": "how much?"}]',
    }  # fmt: skip
    path = write(tmp_path / "t.db", ROOT, make_part(2, parent=1, name="ask", attributes=said))
    assert listed(path) == ("my trace", "how much?", "done")
    with open_reader(path) as reader:
        span = reader.span(ROOT.trace_id, span_id(2))
    assert (span.input and span.input.value, span.output and span.output.value) == ("its own", "done")
