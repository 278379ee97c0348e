"""What LangSmith's SDK sends more than once (as runs and as OTLP, to several projects) counts once, in any order."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langsmith")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langsmith import Client, traceable, tracing_context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from collector.ingest import Ingest
from collector.model import Batch, SpanPart
from collector.settings import Settings
from collector.store import open_reader
from tests.receiver.running import Running
from tests.store.audit import sums

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SAID = {"role": "assistant", "content": "sunny", "usage_metadata": {"input_tokens": 11, "output_tokens": 4}}


def ask(client: Client, **context: Any) -> None:
    """Two calls of one name below a root, and one that is a root itself; no answer has an id."""

    @traceable(run_type="llm", name="model", client=client, metadata={"ls_model_name": "small"})
    def model(question: str) -> dict[str, Any]:
        return SAID

    @traceable(client=client)
    def both(question: str) -> None:
        model(question)
        model(question)

    with tracing_context(enabled=True, **context):
        both("weather")
        model("root")


def parts_of(door: Running) -> list[SpanPart]:
    with open_reader(Path(door.status.file or "")) as reader:
        return list(reader.parts())


def assert_in_any_order(tmp_path: Path, parts: Sequence[SpanPart], expected: tuple[int, int, int, int]) -> None:
    for number, arriving in enumerate((parts, parts[::-1], sorted(parts, key=lambda part: part.span_id))):
        path = tmp_path / f"{number}.db"
        with Ingest(path, Settings(db=path)) as ingest:
            for part in arriving:
                ingest.write(Batch("test", (part,)))
        assert sums(path) == expected


def test_runs_sent_as_otlp_too_count_once(door: Running, tmp_path: Path) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{door.status.url}/v1/traces")))
    client = Client(api_url=door.status.url, api_key="any", tracing_mode="hybrid", otel_tracer_provider=provider)
    ask(client)
    client.flush(timeout=10)
    client.cleanup(timeout=10)
    provider.shutdown()
    assert sums(Path(door.status.file or "")) == (6, 3, 33, 12)
    assert_in_any_order(tmp_path, parts_of(door), (6, 3, 33, 12))


def test_runs_sent_to_two_projects_count_once(door: Running, tmp_path: Path) -> None:
    replicas = [{"api_url": door.status.url, "api_key": "any", "project_name": name} for name in ("one", "two")]
    client = Client(api_url=door.status.url, api_key="any")
    ask(client, replicas=replicas)
    client.flush(timeout=10)
    client.cleanup(timeout=10)
    assert sums(Path(door.status.file or "")) == (6, 3, 33, 12)
    assert_in_any_order(tmp_path, parts_of(door), (6, 3, 33, 12))
