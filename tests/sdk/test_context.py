"""Whose child is whose: threads, tasks, generators, and OpenTelemetry in the same process."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest
from opentelemetry import trace as otel_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import collector
from collector import testing
from collector.otel import SpanProcessor
from collector.sdk.live import CURRENT

WORD: ContextVar[str] = ContextVar("word", default="outside")


@pytest.fixture
def recorded():
    with testing.recording() as made:
        yield made


def rows(recorded):
    recorded.traces()
    return {row.name: row for row in recorded.file.spans()}


def test_a_pool_thread_gets_the_context_that_is_carried_to_it(recorded):
    work = collector.observe(name="work")(lambda n: n)
    with ThreadPoolExecutor(2) as pool, collector.session("s1"), collector.span("outer"):
        list(pool.map(collector.carry_context(work), range(4)))
        pool.submit(collector.observe(name="alone")(lambda: None)).result()
    found = list(recorded.traces() and recorded.file.spans())
    (outer,) = [row for row in found if row.name == "outer"]
    assert [row.parent_id for row in found if row.name == "work"] == [outer.span_id] * 4
    assert {row.session_id for row in found if row.name == "work"} == {"s1"}
    assert [row.parent_id for row in found if row.name == "alone"] == [None]


async def test_gathered_tasks_do_not_see_each_other(recorded):
    @collector.observe
    async def leaf(n):
        await asyncio.sleep(0.001)
        return n

    @collector.observe
    async def branch(n):
        await leaf(n)
        return collector.current_span().plan.name

    async with collector.span("outer"):
        assert await asyncio.gather(*(branch(n) for n in range(5))) == ["branch"] * 5
    found = list(recorded.traces() and recorded.file.spans())
    by_id = {row.span_id: row for row in found}
    leaves = [row for row in found if row.name == "leaf"]
    assert len({row.parent_id for row in leaves}) == 5
    assert {by_id[by_id[row.parent_id].parent_id].name for row in leaves} == {"outer"}


def test_nothing_a_generator_sets_leaks_into_its_caller(recorded):
    @collector.observe
    def steps():
        WORD.set("inside")
        with collector.session("inner"), collector.span("block"):
            yield WORD.get()
            yield WORD.get()

    with collector.span("outer"):
        for value in steps():
            assert value == "inside"
            assert WORD.get() == "outside"
            with collector.span("between"):
                pass
        with collector.span("after"):
            pass
    found = rows(recorded)
    assert found["between"].parent_id == found["after"].parent_id == found["outer"].span_id
    assert found["between"].session_id is None
    assert found["block"].parent_id == found["steps"].span_id
    assert found["block"].session_id == "inner"


async def test_nothing_an_async_generator_sets_leaks_into_its_caller(recorded):
    @collector.observe
    async def steps():
        WORD.set("inside")
        with collector.span("block"):
            await asyncio.sleep(0.001)
            yield WORD.get()
            got = yield WORD.get()
            yield got

    async with collector.span("outer"):
        made = steps()
        assert await anext(made) == "inside"
        assert WORD.get() == "outside"
        with collector.span("between"):
            pass
        await anext(made)
        assert await made.asend("sent") == "sent"
        with pytest.raises(StopAsyncIteration):
            await anext(made)
    found = rows(recorded)
    assert found["between"].parent_id == found["steps"].parent_id == found["outer"].span_id
    assert found["block"].parent_id == found["steps"].span_id
    assert recorded.span("steps").output.value == ["inside", "inside", "sent"]


async def test_an_async_generator_can_be_thrown_into_and_timed_out(recorded):
    @collector.observe
    async def catches():
        try:
            yield 1
        except ValueError:
            yield 2

    @collector.observe
    async def slow():
        await asyncio.sleep(60)
        yield 1

    made = catches()
    await anext(made)
    assert await made.athrow(ValueError("no")) == 2
    await made.aclose()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(slow()), 0.01)
    found = rows(recorded)
    assert (found["slow"].status, found["slow"].status_message) == ("ok", "cancelled")


def test_a_generator_that_nobody_closes_ends_as_cancelled(recorded):
    @collector.observe
    def endless():
        while True:
            yield 1

    made = endless()
    next(made)
    del made
    gc.collect()
    assert rows(recorded)["endless"].status_message == "cancelled"


def test_an_async_generator_without_its_loop_ends_as_cancelled(recorded):
    @collector.observe
    async def endless():
        while True:
            yield 1

    made = endless()
    step = made.__anext__()  # as a loop would that went away: no hooks, no close
    with pytest.raises(StopIteration):
        step.send(None)
    del made, step
    gc.collect()
    assert rows(recorded)["endless"].status_message == "cancelled"


def test_a_generator_that_raises_is_an_error_and_one_that_returns_is_done(recorded):
    @collector.observe
    def fails():
        yield 1
        raise LookupError("no more")

    @collector.observe
    def returns():
        got = yield 1
        return got

    with pytest.raises(LookupError):
        list(fails())
    made = returns()
    next(made)
    with pytest.raises(StopIteration) as end:
        made.send("sent")
    assert end.value.value == "sent"
    found = rows(recorded)
    assert (found["fails"].status, found["returns"].status) == ("error", "ok")
    assert CURRENT.get() is None


# --- OpenTelemetry beside us


@pytest.fixture
def tracer(recorded):
    provider = TracerProvider(resource=Resource.create({"service.name": "theirs"}), shutdown_on_exit=False)
    provider.add_span_processor(SpanProcessor())
    return provider.get_tracer("their.library", "1.0")


def test_spans_of_both_nest_in_each_other(recorded, tracer):
    @collector.observe
    def ours():
        with tracer.start_as_current_span("theirs again"), collector.span("ours again"):
            return

    with tracer.start_as_current_span("theirs"):
        ours()
        with tracer.start_as_current_span("sibling"):
            pass
    with collector.span("apart"):
        pass
    found = rows(recorded)
    assert found["ours"].parent_id == found["theirs"].span_id
    assert found["theirs again"].parent_id == found["ours"].span_id
    assert found["ours again"].parent_id == found["theirs again"].span_id
    assert found["sibling"].parent_id == found["theirs"].span_id
    assert found["apart"].parent_id is None
    assert len({row.trace_id for row in found.values()}) == 2
    assert CURRENT.get() is None
    assert not otel_trace.get_current_span().get_span_context().is_valid


async def test_they_nest_in_coroutines_and_generators_too(recorded, tracer):
    @collector.observe
    async def ours():
        with tracer.start_as_current_span("theirs"):
            await asyncio.sleep(0.001)

    @collector.observe
    def steps():
        with tracer.start_as_current_span("within a step"):
            yield 1

    async with collector.span("outer"):
        await asyncio.gather(ours())
        list(steps())
    found = rows(recorded)
    assert found["theirs"].parent_id == found["ours"].span_id
    assert found["ours"].parent_id == found["outer"].span_id
    assert found["within a step"].parent_id == found["steps"].span_id


def test_a_span_of_theirs_that_is_not_sampled_is_nobodys_parent(recorded):
    silent = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False).get_tracer("silent")
    with silent.start_as_current_span("never seen"), collector.span("ours"):
        pass
    assert rows(recorded)["ours"].parent_id is None


def test_their_spans_are_stored_with_all_they_hold(recorded, tracer):
    link = otel_trace.Link(otel_trace.SpanContext(1, 2, is_remote=True), {"why": "because"})
    with tracer.start_as_current_span("chat", kind=otel_trace.SpanKind.CLIENT, links=[link]) as span:
        span.set_attribute("gen_ai.operation.name", "chat")
        span.set_attribute("gen_ai.request.model", "gpt-4o-mini")
        span.set_attribute("gen_ai.usage.input_tokens", 7)
        span.set_attribute("gen_ai.response.finish_reasons", ["stop"])
        span.add_event("happened", {"n": 1})
        span.set_status(otel_trace.StatusCode.ERROR, "it failed")
    found = recorded.span("chat")
    assert (found.row.kind, found.row.model, found.row.input_tokens, found.row.service) == (
        "llm", "gpt-4o-mini", 7, "theirs",
    )  # fmt: skip
    assert (found.row.status, found.row.status_message) == ("error", "it failed")
    assert found.events[0].attributes == {"n": 1}
    assert found.links[0].attributes == {"why": "because"}
    assert (found.scope.name, found.scope.version) == ("their.library", "1.0")
    assert found.finish_reasons == ("stop",)


def test_a_span_of_theirs_shows_while_it_runs(recorded, tracer):
    with tracer.start_as_current_span("long", attributes={"step": "first"}):
        assert collector.flush()
        assert rows(recorded)["long"].status == "running"
    assert rows(recorded)["long"].status == "ok"


def test_their_threads_and_many_spans_are_all_there(recorded, tracer):
    def work():
        for _ in range(200):
            with tracer.start_as_current_span("many"):
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorded.traces()
    assert sum(1 for _ in recorded.file.spans("name:many")) == 800
