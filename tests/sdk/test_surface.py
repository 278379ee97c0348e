"""The public door, as a program uses it, read back from the file."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from contextlib import closing
from contextvars import copy_context
from time import perf_counter_ns

import pytest

import collector
from collector import testing


@pytest.fixture
def recorded():
    with testing.recording() as made:
        yield made


def by_name(recorded):
    return {row.name: recorded.trace(row.trace_id).span(row.span_id) for row in recorded.file.spans()}


def test_every_kind_has_a_block_of_its_own(recorded):
    with collector.trace("run", session="s1", user="u1", tags=["a"]):
        with collector.agent("planner"):
            with collector.llm("chat", model="gpt-4o-mini", provider="openai", input="hi") as call:
                call.update(output="hello", usage={"input_tokens": 3, "output_tokens": 2})
            with collector.tool("look_up", input={"id": 7}) as found:
                found.update(output="found")
            with collector.retriever("retrieve", input="q", documents=[{"id": "d1", "content": "text", "score": 0.5}]):
                pass
            with collector.embedding("embed", model="text-embedding-3-small"):
                pass
        with collector.chain("steps"):
            collector.event("noted", n=1)
    spans = by_name(recorded)
    assert {name: span.row.kind for name, span in spans.items()} == {
        "run": "span", "planner": "agent", "chat": "llm", "look_up": "tool", "retrieve": "retriever",
        "embed": "embedding", "steps": "chain",
    }  # fmt: skip
    assert spans["planner"].agent_name == "planner"
    assert spans["look_up"].tool.arguments == {"id": 7}
    assert spans["look_up"].tool.result == "found"
    assert spans["retrieve"].documents[0].score == 0.5
    assert spans["steps"].events[0].name == "noted"
    assert spans["steps"].events[0].attributes == {"n": 1}
    (row,) = recorded.traces()
    assert (row.session_id, row.user_id, row.tags) == ("s1", "u1", ("a",))
    assert row.llm_calls == 1


def test_a_trace_within_a_span_is_a_trace_of_its_own(recorded):
    with collector.span("outer"), collector.trace("inner"):
        pass
    assert {row.name for row in recorded.traces()} == {"outer", "inner"}
    assert collector.current_span() is None


def test_a_span_that_no_block_wraps_is_ended_by_hand(recorded):
    with collector.span("outer"):
        call = collector.start_span("call", kind="llm", model="gpt-4o-mini", provider="openai")
        with collector.span("beside"):
            pass
    with call.activate(), collector.span("within"):
        pass
    call.update(input="hi")
    call.end("hello", usage={"input_tokens": 10, "output_tokens": 5}, cost=0.25)
    call.end("again", error="too late")
    failed = collector.start_span("failed", parent=call)
    failed.end(error=ValueError("no"))
    told = collector.start_span("told", parent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    told.end(error="it said no")
    spans = by_name(recorded)
    assert spans["call"].row.parent_id == spans["outer"].row.span_id
    assert spans["beside"].row.parent_id == spans["outer"].row.span_id
    assert spans["within"].row.parent_id == spans["failed"].row.parent_id == spans["call"].row.span_id
    assert spans["call"].row.cost_nanousd == 250_000_000
    assert spans["call"].cost_source == "reported"
    assert spans["call"].row.status == "ok"
    assert spans["call"].output.messages[0].parts == ({"type": "text", "text": "hello"},)
    assert (spans["failed"].row.status, spans["failed"].row.status_message) == ("error", "no")
    assert (spans["told"].row.status, spans["told"].row.status_message) == ("error", "it said no")
    assert (spans["told"].row.trace_id, spans["told"].row.parent_id) == ("a" * 32, "b" * 16)


def test_what_is_said_of_a_session_reaches_all_children(recorded):
    @collector.observe
    def leaf():
        return 1

    @collector.observe(session="own")
    def own():
        return leaf()

    said = {"tags": ["t1"], "metadata": {"tier": "pro"}, "environment": "staging", "release": "1.2"}
    with collector.session("s1", user="u1", **said):
        with collector.span("outer", tags=["t2"], metadata={"feature": "chat"}):
            leaf()
        with collector.session(tags=["t3"], metadata={"tier": "free"}), collector.span("nested"):
            pass
        own()
    leaf()
    spans = by_name(recorded)
    assert spans["outer"].row.session_id == spans["nested"].row.session_id == "s1"
    assert spans["outer"].row.user_id == "u1"
    assert spans["outer"].tags == ("t1", "t2")
    assert spans["outer"].metadata == {"tier": "pro", "feature": "chat"}
    assert spans["nested"].tags == ("t1", "t3")
    assert spans["nested"].metadata == {"tier": "free"}
    assert (spans["nested"].environment, spans["nested"].release) == ("staging", "1.2")
    assert spans["own"].row.session_id == "own"
    leaves = sorted(row.session_id or "" for row in recorded.file.spans() if row.name == "leaf")
    assert leaves == ["", "s1", "s1"]


def test_a_session_that_is_set_holds_from_there_on_and_for_the_current_span(recorded):
    def work():
        with collector.span("outer"):
            collector.set_session("late", user="u2")
            with collector.span("inner"):
                collector.update_current(metadata={"n": 1})

    copy_context().run(work)
    spans = by_name(recorded)
    assert spans["outer"].row.session_id == spans["inner"].row.session_id == "late"
    assert spans["inner"].metadata == {"n": 1}
    assert collector.sdk.ambient.AMBIENT.get() is None


def test_metadata_may_be_worked_out_from_the_call_and_arguments_left_out(recorded):
    @collector.observe(metadata=lambda question, key: {"length": len(question)}, exclude=["key"])
    def ask(question, key):
        return "answer"

    @collector.observe(exclude="door")
    def log_in(user, *, door):
        return None

    ask("why?", "sk-secret")
    log_in("me", door="left")
    spans = by_name(recorded)
    assert spans["ask"].metadata == {"length": 4}
    assert spans["ask"].input.value == {"question": "why?", "key": "[excluded]"}
    assert spans["log_in"].input.value == {"user": "me", "door": "[excluded]"}


def test_trouble_in_a_metadata_function_is_counted_and_harms_nothing():
    with testing.recording(raise_errors=False) as recorded:

        @collector.observe(metadata=lambda n: 1 / n)
        def half(n):
            return n

        assert half(0) == 0
        assert recorded.span("half").output.value == 0


@pytest.mark.parametrize(
    ("value", "stored"),
    [(0.5, (0.5, None, "numeric")), (True, (1.0, None, "boolean")), ("good", (None, "good", "categorical"))],
)
def test_a_score_is_a_number_a_category_or_yes_and_no(recorded, value, stored):
    with collector.span("judged"):
        collector.score("quality", value, "why")
    (score,) = recorded.span("judged").scores
    assert (score.value, score.label, score.data_type, score.comment) == (*stored, "why")


def test_scores_may_come_later_and_be_replaced(recorded):
    with collector.span("judged") as judged:
        pass
    collector.flush()
    collector.score("quality", 1, trace_id=judged.trace_id, span_id=judged.span_id, score_id="one")
    collector.score("quality", 2, trace_id=judged.trace_id, span_id=judged.span_id, score_id="one")
    collector.score("whole", 3, trace_id=judged.trace_id)
    collector.score("all of it", 4, session_id="s1")
    assert [score.value for score in recorded.span("judged").scores] == [2.0]
    assert recorded.file._reader.scores(judged.trace_id)[-1].value == 3.0


@pytest.mark.parametrize(
    ("value", "stored"),
    [(0.5, (0.5, None, "numeric")), (True, (1.0, None, "boolean")), ("good", (None, "good", "categorical"))],
)
@pytest.mark.parametrize("on", ["span", "trace", "session"])
@pytest.mark.parametrize("later", [False, True])
def test_any_score_goes_to_a_span_a_trace_or_a_session_now_or_later(recorded, value, stored, on, later):
    def give():
        span_id = judged.span_id if on == "span" else None
        where = {"session_id": "s1"} if on == "session" else {"trace_id": judged.trace_id, "span_id": span_id}
        collector.score("quality", value, "why", **where)

    with collector.span("judged", session="s1") as judged:
        if not later:
            give()
    if later:
        assert collector.flush()
        give()
    assert collector.flush()
    with closing(sqlite3.connect(recorded.path)) as file:
        (row,) = file.execute(
            "select trace_id, span_id, session_id, value, label, data_type, comment from scores"
        ).fetchall()
    trace_id = None if on == "session" else judged.trace_id
    assert row[:2] == (trace_id, judged.span_id if on == "span" else None)
    assert row[2] == ("s1" if on == "session" else None)
    assert row[3:] == (*stored, "why")


def test_static_and_class_methods_are_traced_as_what_they_are(recorded):
    class Bot:
        @collector.observe
        @staticmethod
        def add(a, b):
            return a + b

        @staticmethod
        @collector.observe
        def subtract(a, b):
            return a - b

        @classmethod
        @collector.observe
        def make(cls, n):
            return n

    assert (Bot.add(1, 2), Bot().add(1, 2), Bot.subtract(3, 1), Bot.make(4)) == (3, 3, 2, 4)
    spans = [recorded.trace(row.trace_id).span(row.span_id) for row in recorded.file.spans()]
    said = sorted((span.row.name.rpartition(".")[2], str(span.input.value), span.output.value) for span in spans)
    assert said == [
        ("add", "{'a': 1, 'b': 2}", 3), ("add", "{'a': 1, 'b': 2}", 3), ("make", "{'n': 4}", 4),
        ("subtract", "{'a': 3, 'b': 1}", 2),
    ]  # fmt: skip


def test_all_that_a_decorator_is_told_is_on_the_span_and_what_it_calls(recorded):
    @collector.observe
    def inner():
        return None

    @collector.observe(
        kind="agent", name="Named", tags=["a"], metadata={"tier": "pro"}, user="u1", session="s1", capture_output=False
    )
    def outer(question):
        inner()
        return "kept out"

    outer("why?")
    spans = by_name(recorded)
    found = spans["Named"]
    assert (found.row.kind, found.tags, found.metadata) == ("agent", ("a",), {"tier": "pro"})
    assert (found.row.user_id, found.row.session_id) == ("u1", "s1")
    assert (spans["inner"].row.user_id, spans["inner"].row.session_id) == ("u1", "s1")
    assert (found.input.value, found.output) == ({"question": "why?"}, None)


def test_a_call_names_the_prompt_it_was_made_from(recorded):
    with collector.llm("chat", prompt_name="support", prompt_version="3"):
        pass
    with collector.llm("later"):
        collector.update_current(prompt_name="support", prompt_version=4)
    spans = by_name(recorded)
    assert (spans["chat"].prompt_name, spans["chat"].prompt_version) == ("support", "3")
    assert (spans["later"].prompt_name, spans["later"].prompt_version) == ("support", "4")


def test_a_score_of_nothing_is_told(recorded):
    with pytest.raises(ValueError, match="no current span"):
        collector.score("quality", 1)
    with pytest.raises(ValueError, match="a number, a text or a bool"):
        collector.score("quality", [1], trace_id="a" * 32)


async def test_a_cancelled_task_is_told_apart_from_a_failed_one(recorded):
    @collector.observe
    async def waits():
        await asyncio.sleep(60)

    @collector.observe
    async def fails():
        raise KeyError("gone")

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(KeyError):
        await fails()
    waited, failed = recorded.span("waits"), recorded.span("fails")
    assert (waited.row.status, waited.row.status_message) == ("ok", "cancelled")
    assert waited.attributes == {"tracetui.cancelled": "asyncio.exceptions.CancelledError"}
    assert (failed.row.status, failed.row.error_type) == ("error", "KeyError")
    assert "fails" in failed.events[0].attributes["exception.stacktrace"]


def test_events_outside_of_any_span_are_traces_of_their_own(recorded):
    collector.event("deployed", version="1.2")
    (row,) = recorded.traces()
    assert row.name == "deployed"
    assert recorded.span("deployed").attributes == {"version": "1.2"}
    assert recorded.span("deployed").row.kind == "event"


async def test_blocks_work_in_coroutines_too(recorded):
    async with collector.session("s9"), collector.span("outer"):
        await asyncio.gather(*(asyncio.to_thread(collector.observe(lambda n: n), n) for n in range(3)))
    spans = list(recorded.file.spans())
    (outer,) = [row for row in spans if row.name == "outer"]
    assert {row.session_id for row in spans} == {"s9"}
    assert [row.parent_id for row in spans if row is not outer] == [outer.span_id] * 3


def test_fake_clocks_and_ids_make_a_run_the_same_every_time():
    found = []
    for _ in range(2):
        clock = testing.FakeClock()
        with testing.recording(clock=clock, seed=1) as recorded:
            with collector.span("work"):
                clock.advance(1.5)
            (row,) = recorded.traces()
        found.append((row.trace_id, row.start_ns, row.duration_ns))
    assert found[0] == found[1]
    assert found[0][1:] == (1_767_225_600_000_000_000, 1_500_000_000)
    assert collector.sdk.api.QUEUE.now is perf_counter_ns


def test_a_file_is_read_from_python_with_the_filter_language(recorded):
    for n in range(3):
        with collector.span(f"run {n}", session="s1", kind="agent" if n else "span"):
            if n == 2:
                collector.update_current(status="error", status_message="no")
    collector.flush()
    with collector.open(recorded.path) as file:
        assert [row.name for row in file.traces(limit=2)] == ["run 2", "run 1"]
        assert [row.name for row in file.traces("status:error")] == ["run 2"]
        assert [row.name for row in file.spans("kind:agent")] == ["run 2", "run 1"]
        assert [row.trace_count for row in file.sessions()] == [3]
        trace = file.trace(next(file.traces()).trace_id[:12])
        assert trace.root.name == "run 2"
        assert [span.row.name for span in trace.details()] == ["run 2"]


def test_a_filter_that_makes_no_sense_is_told_with_its_column(recorded):
    collector.event("x")
    collector.flush()
    with collector.open(recorded.path) as file, pytest.raises(collector.errors.FilterError, match="colour"):
        file.traces("colour:red")


def test_the_header_names_the_current_span(recorded):
    assert collector.traceparent() is None
    assert collector.trace_headers() == {}
    with collector.span("outer") as outer:
        assert collector.traceparent() == f"00-{outer.trace_id}-{outer.span_id}-01"
        assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", collector.traceparent())


def test_trace_session_user_and_tags_are_handed_on(recorded):
    with collector.session("thread 42, ü", user="u;7", tags=["a,b", "c"]), collector.span("caller") as caller:
        headers = collector.trace_headers()

    def serve():
        with collector.continue_trace(
            {"Traceparent": headers["traceparent"], "BAGGAGE": headers["baggage"] + ",x=y;p"}
        ):
            assert collector.current_span() is None
            assert collector.current_trace_id() == caller.trace_id
            with collector.span("served"):
                pass
        with collector.span("after"):
            pass

    server = threading.Thread(target=serve)
    server.start()
    server.join()
    spans = by_name(recorded)
    assert spans["served"].row.parent_id == caller.span_id
    assert spans["served"].row.trace_id == caller.trace_id
    assert (spans["served"].row.session_id, spans["served"].row.user_id) == ("thread 42, ü", "u;7")
    assert spans["served"].tags == ("a,b", "c")
    assert spans["after"].row.parent_id is None
    assert spans["after"].row.session_id is None


@pytest.mark.parametrize(
    "header", ["", "nonsense", "00-" + "0" * 32 + "-" + "b" * 16 + "-01", "ff-" + "a" * 32 + "-" + "b" * 16 + "-01",
               "00-" + "a" * 32 + "-" + "b" * 16 + "-01-more", "00-" + "a" * 31 + "-" + "b" * 16 + "-01"],
)  # fmt: skip
def test_a_header_that_names_nothing_begins_a_trace(recorded, header):
    with collector.continue_trace({"traceparent": header, "baggage": "=,;,%zz"}), collector.span("served"):
        pass
    assert recorded.span("served").row.parent_id is None


def test_a_later_version_of_the_header_is_read(recorded):
    with collector.continue_trace({"traceparent": "01-" + "a" * 32 + "-" + "b" * 16 + "-01-more"}):
        assert collector.current_trace_id() == "a" * 32
