"""Any order, split and repetition of the same parts gives the same store, and its sums equal a recount."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from collector.ingest import Ingest
from collector.model import Batch, LogRecord, Message, Rank, Reading, Scope, SpanPart, Usage
from collector.settings import Settings
from tests.builders import MS, T0, assistant, conversation, span_id, trace_id, user
from tests.store.audit import audit, picture

named = st.sampled_from(
    [
        {},
        {},
        {"gen_ai.request.stream": True, "input.value": '{"stream":true}'},
        {"claude_code.request_id": "q1"},
        {"claude_code.request_id": "q2"},
        {"langsmith.run.id": "x"},
    ]
)
scopes = st.sampled_from(
    [None, None, Scope("com.anthropic.sdk.typescript"), Scope("@arizeai/openinference-instrumentation-anthropic")]
)
values = st.sampled_from([1, 1.0, "x" * 70, b"\0", None, [True]])
ASKED = conversation(
    user("hi"),
    Message("assistant", ({"type": "tool_call", "id": None, "name": "get", "arguments": {"a": 1}},)),
    Message("tool", ({"type": "tool_result", "id": None, "result": "one"},)),
)
readings = st.builds(
    Reading,
    kind=st.sampled_from(["llm", "tool", "agent", None]),
    model=st.sampled_from([None, "gpt-4o-mini", "gpt-4o-mini", "made-up"]),
    provider=st.sampled_from([None, "openai"]),
    request_model=st.sampled_from([None, None, "openai/gpt-4o-mini", "made-up"]),
    response_id=st.sampled_from([None, None, "r1", "r2"]),
    project=st.sampled_from([None, None, "weather"]),
    usage=st.none() | st.builds(Usage, input_tokens=st.integers(0, 9), output_tokens=st.none() | st.integers(0, 9)),
    cost_nanousd=st.sampled_from([None, None, 5]),
    session_id=st.sampled_from([None, "s1", "s2"]),
    user_id=st.sampled_from([None, "u1"]),
    tags=st.sampled_from([(), ("a",), ("b", "a")]),
    metadata=st.sampled_from([None, {"tier": "pro"}, {"tier": "free", "n": 1}]),
    input=st.sampled_from(
        [None, conversation(user("hi " * 40)), conversation(user("hi " * 40), assistant("yes"), user("so")), ASKED]
    ),
    output=st.sampled_from([None, None, conversation(ASKED.messages[1])]),
    service=st.sampled_from([None, "api"]),
    ttft_ns=st.sampled_from([None, 7]),
    trace_name=st.sampled_from([None, None, "asked", "answered"]),
    trace_input=st.sampled_from([None, None, "of the trace", "also"]),
)


@st.composite
def parts(draw: st.DrawFn) -> SpanPart:
    n = draw(st.integers(1, 5))
    rank = draw(st.sampled_from([Rank.STARTED, Rank.UPDATE, Rank.FINISHED, Rank.FINISHED]))
    start = T0 + draw(st.integers(0, 3)) * 1000 * MS
    return SpanPart(
        trace_id(draw(st.integers(1, 2))), span_id(n), rank=rank, at_ns=T0 + draw(st.integers(0, 2)),
        parent_id=draw(st.sampled_from([None, span_id(1), span_id(2), span_id(9)])),
        name=draw(st.sampled_from([None, "plan", "call"])),
        start_ns=None if rank == Rank.UPDATE else start,
        end_ns=start + draw(st.integers(0, 2)) * MS if rank == Rank.FINISHED else None,
        status=draw(st.sampled_from([None, "error"])),
        attributes=draw(st.dictionaries(st.sampled_from("ab"), values)) | draw(named),
        scope=draw(scopes),
        source_id=draw(st.sampled_from([None, None, "s"])),
        logs=draw(st.sampled_from([(), (LogRecord(T0, "note", {"n": n}),)])),
        reading=draw(readings),
    )  # fmt: skip


def stored(deliveries: list[list[SpanPart]]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traces.db"
        with Ingest(path, Settings(db=path, redact="off")) as ingest:
            for delivery in deliveries:
                ingest.write(Batch("test", tuple(delivery)))
        audit(path)
        return picture(path)


@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.lists(parts(), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_order_split_and_repetition_gives_the_same_store(said: list[SpanPart], random: Random) -> None:
    one_by_one = stored([[part] for part in said])
    shuffled = [*said, *random.sample(said, len(said) // 2)]
    random.shuffle(shuffled)
    cut = random.randint(0, len(shuffled))
    assert stored([shuffled[:cut], shuffled[cut:]]) == one_by_one
    assert stored([said]) == one_by_one


def test_parts_that_arrive_twice_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    part = SpanPart(
        trace_id(1), span_id(1), at_ns=T0, start_ns=T0, end_ns=T0 + MS, name="x", reading=Reading(kind="llm")
    )
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        assert ingest.write(Batch("test", (part,))).stored == 1
        again = ingest.write(Batch("test", (part, replace(part))))
    assert (again.stored, again.duplicate) == (0, 2)
