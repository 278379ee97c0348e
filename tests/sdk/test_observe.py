"""What a decorated function leaves behind."""

from __future__ import annotations

import asyncio
import threading
import types
from functools import partial

import pytest

from collector.model import Content, Message
from collector.sdk.live import CURRENT


def test_a_call_becomes_a_span_with_named_arguments_and_result(bench):
    @bench.observe()
    def add(a, b=2, *rest, c=None, **more):
        return a + b

    assert add(1, 2, 3, 4, c=5, d=6) == 3
    part = bench.finished()["add"]
    assert part.reading.input == Content(value={"a": 1, "b": 2, "rest": [3, 4], "c": 5, "d": 6})
    assert part.reading.output == Content(value=3)
    assert part.parent_id is None
    assert part.status is None
    assert part.start_ns <= part.end_ns
    assert part.attributes == {}


def test_defaults_that_say_something_are_arguments_too(bench):
    @bench.observe()
    def ask(question, /, model="small", *, turns=3, seen=None, seeds=()):
        return question

    ask("why?", turns=4)
    assert bench.finished()["ask"].reading.input == Content(value={"question": "why?", "turns": 4, "model": "small"})


def test_calls_nest_and_threads_do_not(bench):
    @bench.observe()
    def inner():
        return None

    @bench.observe()
    def outer():
        inner()
        thread = threading.Thread(target=bench.observe(name="aside")(lambda: None))
        thread.start()
        thread.join()

    outer()
    found = bench.finished()
    assert found["inner"].parent_id == found["outer"].span_id
    assert found["inner"].trace_id == found["outer"].trace_id
    assert found["aside"].parent_id is None
    assert found["aside"].trace_id != found["outer"].trace_id
    assert CURRENT.get() is None


async def test_tasks_nest_under_the_coroutine_that_started_them(bench):
    @bench.observe()
    async def leaf(n):
        await asyncio.sleep(0)
        return n

    @bench.observe()
    async def branch(n):
        return await leaf(n)

    @bench.observe()
    async def root():
        return await asyncio.gather(*(branch(n) for n in range(5)))

    assert await root() == [0, 1, 2, 3, 4]
    assert bench.queue.flush()
    parts = bench.sink.parts
    by_id = {part.span_id: part for part in parts}
    assert len(by_id) == 11
    assert {by_id[p.parent_id].name for p in by_id.values() if p.name == "leaf"} == {"branch"}
    assert len({p.parent_id for p in by_id.values() if p.name == "leaf"}) == 5


def test_an_exception_is_recorded_and_passed_on_untouched(bench):
    class OddError(Exception):
        pass

    error = OddError("no such user")

    @bench.observe()
    def load():
        raise error

    with pytest.raises(OddError) as caught:
        load()
    assert caught.value is error
    part = bench.finished()["load"]
    assert (part.status, part.status_message, part.otel_status) == ("error", "no such user", 2)
    assert part.reading.error_type.endswith("OddError")
    (event,) = part.events
    assert event.name == "exception"
    assert event.attributes["exception.message"] == "no such user"
    assert "in load" in event.attributes["exception.stacktrace"]


def test_leaving_by_exit_zero_is_no_error(bench):
    @bench.observe()
    def leave():
        raise SystemExit(0)

    with pytest.raises(SystemExit):
        leave()
    assert bench.finished()["leave"].status is None


def test_arguments_are_recorded_as_they_were_at_the_call(bench):
    @bench.observe()
    def grow(items):
        items.append("later")
        return items

    grow(["first"])
    reading = bench.finished()["grow"].reading
    assert reading.input == Content(value={"items": ["first"]})
    assert reading.output == Content(value=["first", "later"])


def test_objects_that_fight_back_are_described(bench):
    class Hostile:
        def __repr__(self):
            raise RuntimeError("no")

    @bench.observe()
    def take(thing, loop):
        return thing

    loop = []
    loop.append(loop)
    take(Hostile(), loop)
    reading = bench.finished()["take"].reading
    assert set(reading.output.value) == {"type"}
    assert reading.output.value["type"].endswith("Hostile")


def test_self_is_not_an_argument_and_methods_stay_methods(bench):
    class Bot:
        @bench.observe(kind="agent")
        def say(self, word):
            return word

        @bench.observe()
        @classmethod
        def make(cls, n):
            return cls()

    assert Bot().say("hi") == "hi"
    assert isinstance(Bot.make(1), Bot)
    found = bench.finished()
    assert found["say"].reading.input == Content(value={"word": "hi"})
    assert found["say"].reading.kind == "agent"
    assert found["make"].reading.input == Content(value={"n": 1})


def test_a_property_stays_a_property_and_self_may_be_any_later_argument(bench):
    class Bot:
        @bench.observe(name="mood")
        @property
        def mood(self):
            """How it feels."""
            return "fine"

    assert Bot().mood == "fine"
    assert Bot.mood.__doc__ == "How it feels."
    bench.observe(name="compare")(lambda other, self: other)(1, 2)
    found = bench.finished()
    assert found["mood"].reading.output == Content(value="fine")
    assert found["mood"].reading.input is None
    assert found["compare"].reading.input == Content(value={"other": 1, "self": 2})


def test_partials_bound_methods_and_callable_objects_are_what_they_call(bench):
    class Agent:
        def ask(self, question, key=""):
            return question

        async def __call__(self, city):
            await asyncio.sleep(0)
            return CURRENT.get().plan.name

    def words(sep, text):
        yield from text.split(sep)

    async def twice(number):
        return 2 * number

    agent = Agent()
    assert bench.observe(exclude=("key",))(agent.ask)("why?", "sk-1") == "why?"
    assert list(bench.observe()(partial(words, " "))("a b")) == ["a", "b"]
    assert asyncio.run(bench.observe()(partial(twice))(4)) == 8
    assert asyncio.run(bench.observe()(agent)("Oslo")) == "Agent"
    found = {name: part.reading for name, part in bench.finished().items()}
    assert found["ask"].input == Content(value={"question": "why?", "key": "[excluded]"})
    assert (found["words"].input, found["words"].output) == (Content(value={"text": "a b"}), Content(value=["a", "b"]))
    assert (found["twice"].input, found["twice"].output) == (Content(value={"number": 4}), Content(value=8))
    assert (found["Agent"].input, found["Agent"].output) == (Content(value={"city": "Oslo"}), Content(value="Agent"))


def test_a_generator_that_is_a_coroutine_can_still_be_awaited(bench):
    @bench.observe()
    @types.coroutine
    def old():
        yield
        return 7

    async def main():
        return await old()

    assert asyncio.run(main()) == 7
    assert bench.finished()["old"].reading.output == Content(value=7)


def test_a_generator_is_current_only_within_its_steps(bench):
    seen = []

    @bench.observe()
    def leaf(n):
        return n

    @bench.observe(kind="llm")
    def stream():
        with bench.span("block"):
            yield leaf("a")
            yield leaf("b")
        return "end"

    for piece in stream():
        seen.append((piece, CURRENT.get()))
    assert seen == [("a", None), ("b", None)]
    assert bench.queue.flush()
    parts = {part.span_id: part for part in bench.sink.parts}
    names = {part.name: part for part in parts.values()}
    assert {parts[p.parent_id].name for p in parts.values() if p.name == "leaf"} == {"block"}
    assert names["block"].parent_id == names["stream"].span_id
    assert names["stream"].reading.ttft_ns is not None


def test_a_generator_that_is_dropped_ends_without_error(bench):
    @bench.observe()
    def count():
        yield 1
        yield 2

    steps = count()
    next(steps)
    steps.close()
    part = bench.finished()["count"]
    assert part.status is None
    assert part.status_message == "cancelled"
    assert part.attributes == {"tracetui.cancelled": "GeneratorExit"}
    assert part.reading.output == Content(value=[1])


async def test_an_async_generator_is_one_span(bench):
    @bench.observe()
    async def ticks():
        for n in range(3):
            await asyncio.sleep(0)
            yield n

    assert [n async for n in ticks()] == [0, 1, 2]
    assert CURRENT.get() is None
    assert bench.finished()["ticks"].reading.output == Content(value=[0, 1, 2])


def test_what_is_said_of_a_span_reaches_its_reading(bench):
    with bench.span("chat", kind="llm", session="s-1", user="u-1") as call:
        call.update(
            input=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi 👋"}],
            output="Hello", model="gpt-4o", provider="openai", tags=["a"], metadata={"tier": "gold"},
            usage={"prompt_tokens": 10, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8}},
        )  # fmt: skip
        call.update(tags=["b"], metadata={"n": 1}, attributes={"custom.key": True})
        call.first_token()
        with bench.span("inside"):
            pass
    found = bench.finished()
    reading = found["chat"].reading
    assert reading.system == (Message("system", ({"type": "text", "text": "Be brief."},)),)
    assert reading.input.messages == (Message("user", ({"type": "text", "text": "Hi 👋"},)),)
    assert reading.output.messages[0].role == "assistant"
    assert (reading.usage.input_tokens, reading.usage.output_tokens, reading.usage.cache_read_tokens) == (10, 4, 8)
    assert (reading.tags, reading.metadata) == (("a", "b"), {"tier": "gold", "n": 1})
    assert found["chat"].attributes == {"custom.key": True}
    inside = found["inside"].reading
    assert (inside.session_id, inside.user_id) == ("s-1", "u-1")


def test_updates_with_nonsense_never_raise(bench):
    class Bad:
        def __getattr__(self, name):
            raise RuntimeError("no")

    with bench.span("odd") as s:
        s.update(usage=Bad(), metadata=5, tags=7)  # type: ignore[arg-type]
        s.update(output={1: {2, 3}})
    assert bench.finished()["odd"].reading.output == Content(value={"1": [2, 3]})


def test_capture_can_be_switched_off(bench):
    @bench.observe(capture_input=False, capture_output=False)
    def secret(password):
        return password

    secret("hunter2")
    reading = bench.finished()["secret"].reading
    assert (reading.input, reading.output) == (None, None)


def test_a_tool_carries_its_arguments_and_result(bench):
    @bench.observe(kind="tool")
    def get_weather(city):
        return {"celsius": 18}

    get_weather("Oslo")
    tool = bench.finished()["get_weather"].reading.tool
    assert (tool.name, tool.arguments, tool.result) == ("get_weather", {"city": "Oslo"}, {"celsius": 18})
