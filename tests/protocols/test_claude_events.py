"""Claude Code's log events, which name no span, become a trace a prompt."""

from __future__ import annotations

import gzip
import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from collector.ingest import Ingest
from collector.protocols import otlp
from collector.settings import Settings
from collector.store import open_reader
from collector.store.rows import SpanDetail

SECOND = 10**9


def event(name: str, at_s: float, sequence: int, **more: Any) -> dict[str, Any]:
    said = {"event.name": name, "event.sequence": sequence, "session.id": "s-1", "user.id": "u-1", "prompt.id": "p-1"}
    attributes = [
        {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}
        for key, value in (said | more).items()
    ]
    return {
        "timeUnixNano": str(int(at_s * SECOND)), "body": {"stringValue": f"claude_code.{name}"},
        "attributes": attributes,
    }  # fmt: skip


PROMPT = event("user_prompt", 100, 1, prompt="fix the test", prompt_length="12")
CALL = event(
    "api_request", 103, 2, model="claude-sonnet-4-5", input_tokens="76", output_tokens="15", cache_read_tokens="100",
    cache_creation_tokens="12", cost_usd="0.0015", duration_ms="2500",
)  # fmt: skip
TOOL = event("tool_result", 105, 3, tool_name="Bash", tool_use_id="t1", success="false", duration_ms="1000",
             tool_parameters='{"command": "pytest"}')  # fmt: skip
FAILED = event("api_error", 106, 4, model="claude-sonnet-4-5", error="overloaded", status_code="529", duration_ms="500")
DECISION = event("tool_decision", 104, 5, tool_name="Bash", decision="accept")
ANSWER = event("assistant_response", 107, 6, response="done")
EVENTS = [PROMPT, CALL, TOOL, FAILED, DECISION, ANSWER]


def body(*records: dict[str, Any], scope: str = "com.anthropic.claude_code.events") -> bytes:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]}
    scoped = {"scope": {"name": scope}, "logRecords": list(records)}
    return json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [scoped]}]}).encode()


def stored(tmp_path: Path, *bodies: bytes, kind: str = otlp.JSON) -> dict[str, SpanDetail]:
    """The spans of the one trace that bodies make, by name."""
    db = tmp_path / "traces.db"
    with Ingest(db, Settings(db=db)) as ingest:
        for one in bodies:
            ingest.write(otlp.decode_logs(one, kind))
    with open_reader(db) as reader:
        (trace,) = reader.traces()
        assert (trace.session_id, trace.user_id, trace.service) == ("s-1", "u-1", "claude-code")
        return {row.name: reader.span(trace.trace_id, row.span_id) for row in reader.tree_spans(trace.trace_id)}


def test_a_prompt_is_a_trace_and_what_followed_its_spans(tmp_path: Path) -> None:
    spans = stored(tmp_path, body(*EVENTS))
    root = spans["claude_code.interaction"]
    assert (root.row.kind, root.row.parent_id, root.row.status) == ("agent", None, "ok")
    assert (root.row.start_ns, root.row.end_ns) == (100 * SECOND, 107 * SECOND)
    assert root.input is not None
    assert root.output is not None
    assert [root.input.messages[0].parts[0]["text"], root.output.messages[0].parts[0]["text"]] == [
        "fix the test",
        "done",
    ]
    assert [log.attributes["decision"] for log in root.logs] == ["accept"]
    call = spans["claude_code.api_request"]
    assert (call.row.kind, call.row.model, call.row.parent_id) == ("llm", "claude-sonnet-4-5", root.row.span_id)
    assert (call.row.start_ns, call.row.end_ns) == (100_500_000_000, 103 * SECOND)
    assert (call.usage.input_tokens, call.usage.cache_read_tokens, call.row.cost_nanousd) == (188, 100, 1_500_000)
    tool = spans["Bash"]
    assert (tool.row.kind, tool.row.status, tool.tool and tool.tool.name) == ("tool", "error", "Bash")
    assert (tool.tool and tool.tool.call_id, tool.tool and tool.tool.arguments) == ("t1", {"command": "pytest"})
    failed = spans["claude_code.api_error"].row
    assert (failed.kind, failed.status, failed.status_message) == ("llm", "error", "overloaded")


@pytest.mark.parametrize("order", [EVENTS[::-1], *list(permutations(EVENTS))[100:700:300]])
def test_events_in_any_order_one_by_one_and_again_make_the_same_trace(tmp_path: Path, order: Any) -> None:
    def picture(spans: dict[str, SpanDetail]) -> Any:
        return sorted(
            (n, s.row.start_ns, s.row.end_ns, s.row.status, str(sorted(s.attributes.items()))) for n, s in spans.items()
        )

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = stored(tmp_path / "a", body(*EVENTS))
    pieces = stored(tmp_path / "b", *(body(one) for one in order), body(PROMPT, CALL))
    assert picture(pieces) == picture(whole)


def test_protobuf_says_the_same(tmp_path: Path) -> None:
    request = json_format.Parse(body(*EVENTS), ExportLogsServiceRequest())
    assert len(stored(tmp_path, request.SerializeToString(), kind=otlp.PROTOBUF)) == 4


def test_records_of_others_that_name_no_span_are_still_refused() -> None:
    batch = otlp.decode_logs(body(PROMPT, scope="app"), otlp.JSON)
    assert (batch.parts, [refusal.reason for refusal in batch.refused]) == ((), ["log record names no span"])


def test_an_event_within_a_span_stays_that_spans_log_record() -> None:
    within = {**PROMPT, "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331"}
    (part,) = otlp.decode_logs(body(within), otlp.JSON).parts
    assert (part.span_id, len(part.logs)) == ("b7ad6b7169203331", 1)


RECORDED = Path(__file__).parent / "claude-code-events.pb.gz"
"""What Claude Code 2.1.330 sent without tracing, all OTEL_LOG_* set: three calls of its own and two of a sub-agent."""


def test_events_that_claude_code_itself_sent(tmp_path: Path) -> None:
    batch = otlp.decode_logs(gzip.decompress(RECORDED.read_bytes()), otlp.PROTOBUF)
    assert {(refusal.reason, refusal.count) for refusal in batch.refused} == {
        ("an event of Claude Code outside of any prompt", 4)
    }
    db = tmp_path / "traces.db"
    with Ingest(db, Settings(db=db)) as ingest:
        ingest.write(batch)
    with open_reader(db) as reader:
        (trace,) = reader.traces()
        rows = reader.tree_spans(trace.trace_id)
        details = [reader.span(trace.trace_id, row.span_id) for row in rows]
    names = {row.span_id: row.name for row in rows}
    assert sorted((str(names.get(row.parent_id)), row.name) for row in rows) == [
        ("None", "claude_code.interaction"),
        ("claude_code.interaction", "Agent"), ("claude_code.interaction", "Bash"), ("claude_code.interaction", "Read"),
        ("claude_code.interaction", "claude_code.api_request"), ("claude_code.interaction", "claude_code.api_request"),
        ("claude_code.interaction", "claude_code.api_request"), ("claude_code.interaction", "claude_code.subagent"),
        ("claude_code.subagent", "Bash"), ("claude_code.subagent", "claude_code.api_request"),
        ("claude_code.subagent", "claude_code.api_request"),
    ]  # fmt: skip
    said = [one.output.messages[0].parts[0]["text"] for one in details if one.row.kind == "llm" and one.output]
    assert sorted(said) == ["Helped.", "I read.", "recovered"]
    (root,) = [one for one in details if one.row.parent_id is None]
    assert root.output is not None
    assert (root.output.messages[0].parts[0]["text"], trace.llm_calls) == ("recovered", 5)
    (bash,) = [one for one in details if one.row.name == "Bash" and one.row.status == "error"]
    assert (bash.tool and bash.tool.arguments, bash.row.status_message) == (
        {"command": "exit 3", "description": "fail"}, "Shell command failed",
    )  # fmt: skip
