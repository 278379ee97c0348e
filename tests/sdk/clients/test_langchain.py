from __future__ import annotations

import asyncio
import operator
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, TypedDict

import pytest

pytest.importorskip("langgraph")
pytest.importorskip("langchain_openai")

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from collector import current_span, observe, span
from collector.langchain import CallbackHandler
from collector.sdk.clients.langchain import RUNS, Runs
from tests.sdk.clients.said_by_openai import chunks, completion
from tests.sdk.clients.server import Reply


@pytest.fixture
def config():
    before = dict(RUNS.open)
    yield {"callbacks": [CallbackHandler()]}
    assert dict(RUNS.open) == before
    assert current_span() is None


@pytest.fixture
def model(server, recorded):
    return ChatOpenAI(model="gpt-4o-mini", base_url=f"{server.url}/v1", api_key="none", max_retries=0)


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    if city == "Atlantis":
        raise ValueError("no such city")
    return inside(f"rain in {city}")


@observe
def inside(said):
    return said


class Shelf(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [Document("Ships leave at nine.", id="d1", metadata={"source": "harbour", "score": 0.9})]


def shape(trace, parent=None):
    """The trace as nested names."""
    below = [(row.name, shape(trace, row.span_id)) for row in trace.spans if row.parent_id == parent]
    return dict(below)


def texts(content):
    return [part.get("text") for message in content.messages for part in message.parts]


def test_a_chain_is_a_tree_with_what_went_in_and_came_out(recorded, config):
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])
    chain = prompt | FakeListChatModel(responses=["At nine."])
    chain.with_config(run_name="ask").invoke(
        {"question": "When?"}, {**config, "tags": ["t1"], "metadata": {"tier": "pro"}}
    )
    trace = recorded.trace()
    assert shape(trace) == {"ask": {"ChatPromptTemplate": {}, "FakeListChatModel": {}}}
    model = recorded.span("FakeListChatModel")
    assert (model.row.kind, texts(model.input), texts(model.output)) == ("llm", ["When?"], ["At nine."])
    assert model.system[0].parts[0]["text"] == "Be brief."
    root = recorded.span("ask")
    assert (root.input.value, texts(root.output)) == ({"question": "When?"}, ["At nine."])
    assert (trace.row.tags, trace.row.metadata) == (("t1",), {"tier": "pro"})


def test_tools_say_what_they_were_given_and_what_they_said(recorded, config):
    call = {"type": "tool_call", "id": "call_1", "name": "get_weather", "args": {"city": "大阪"}}
    get_weather.invoke(call, config)
    found = recorded.span("get_weather")
    assert (found.row.kind, found.row.tool_name) == ("tool", "get_weather")
    assert (found.tool.arguments, found.tool.result, found.tool.call_id) == ({"city": "大阪"}, "rain in 大阪", "call_1")
    assert recorded.span("inside").row.parent_id == found.row.span_id


def test_errors_are_recorded_wherever_they_pass(recorded, config):
    with pytest.raises(ValueError, match="no such city"):
        RunnableLambda(lambda city: get_weather.invoke({"city": city})).with_config(run_name="ask").invoke(
            "Atlantis", config
        )
    for name in ("ask", "get_weather"):
        row = recorded.span(name).row
        assert (row.status, row.error_type, row.status_message) == ("error", "ValueError", "no such city")


def test_retrievers_say_their_documents(recorded, config):
    Shelf().invoke("ships", config)
    found = recorded.span("Shelf")
    (one,) = found.documents
    assert (found.row.kind, found.input.value) == ("retriever", "ships")
    assert (one.id, one.content, one.score, one.metadata["source"]) == ("d1", "Ships leave at nine.", 0.9, "harbour")


def test_parallel_steps_hang_under_their_own_parent(recorded, config):
    steps = {name: RunnableLambda(lambda said, name=name: inside(name)).with_config(run_name=name) for name in "abc"}
    RunnableParallel(steps).with_config(run_name="all").invoke(1, config)
    assert shape(recorded.trace()) == {"all": {name: {"inside": {}} for name in "abc"}}


def test_several_prompts_of_one_model_are_siblings(recorded, config):
    FakeListChatModel(responses=["x"]).generate(
        [[HumanMessage("a")], [HumanMessage("b")]], callbacks=config["callbacks"]
    )
    assert [row.parent_id for row in recorded.file.spans()] == [None, None]


class State(TypedDict):
    topic: str
    notes: Annotated[list[str], operator.add]


def graph(checkpointer=None):
    def look(state: State) -> dict[str, Any]:
        return {"notes": [get_weather.invoke({"city": state["topic"]})]}

    def write(state: State) -> dict[str, Any]:
        return {"notes": [inside("done")]}

    made = StateGraph(State)
    made.add_node("look", look)
    made.add_node("write", write)
    made.add_edge(START, "look")
    made.add_conditional_edges("look", lambda state: "write" if state["notes"] else END)
    made.add_edge("write", END)
    return made.compile(checkpointer=checkpointer)


def test_a_graph_shows_its_nodes_with_the_state_before_and_what_they_changed(recorded, config):
    asked = {**config, "configurable": {"thread_id": "thread-42"}, "metadata": {"user_id": "u7"}}
    graph(InMemorySaver()).invoke({"topic": "Oslo", "notes": []}, asked)
    trace = recorded.trace()
    (root,) = shape(trace).values()
    assert root["look"]["get_weather"] == {"inside": {}}
    assert root["write"] == {"inside": {}}
    write = recorded.span("write")
    assert write.input.value == {"topic": "Oslo", "notes": ["rain in Oslo"]}
    assert write.output.value == {"notes": ["done"]}
    assert (write.attributes["langgraph.node"], write.attributes["langgraph.step"]) == ("write", 2)
    assert (trace.row.session_id, trace.row.user_id, trace.row.tags) == ("thread-42", "u7", ())
    assert trace.row.metadata == {}
    assert recorded.span("LangGraph").output.value["notes"] == ["rain in Oslo", "done"]


async def test_graphs_at_once_in_one_loop_keep_apart(recorded, config):
    async def slow(state: State) -> dict[str, Any]:
        await asyncio.sleep(0)
        async with span(f"within {state['topic']}"):
            await asyncio.sleep(0)
        return {"notes": ["x"]}

    made = StateGraph(State)
    made.add_node("slow", slow)
    made.add_edge(START, "slow")
    made.add_edge("slow", END)
    compiled = made.compile()
    await asyncio.gather(*(compiled.ainvoke({"topic": str(n), "notes": []}, config) for n in range(5)))
    shapes = [shape(recorded.trace(row.trace_id)) for row in recorded.traces()]
    assert sorted(map(str, shapes)) == sorted(str({"LangGraph": {"slow": {f"within {n}": {}}}}) for n in range(5))


def test_a_graph_that_waits_for_a_person_has_not_failed(recorded, config):
    def ask(state: State) -> dict[str, Any]:
        return {"notes": [interrupt("sure?")]}

    made = StateGraph(State)
    made.add_node("ask", ask)
    made.add_edge(START, "ask")
    compiled = made.compile(checkpointer=InMemorySaver())
    asked = {**config, "configurable": {"thread_id": "t"}}
    compiled.invoke({"topic": "x", "notes": []}, asked)
    first = recorded.span("ask").row
    assert (first.status, first.status_message) == ("ok", "interrupted")
    compiled.invoke(Command(resume="yes"), asked)
    assert [row.status for row in recorded.traces()] == ["ok", "ok"]
    assert [row.session_id for row in recorded.traces()] == ["t", "t"]


def test_a_graph_left_while_it_streams_is_ended(recorded, config):
    for _ in graph().stream({"topic": "Oslo", "notes": []}, config, stream_mode="updates"):
        break
    assert {row.status for row in recorded.trace().spans} <= {"ok", "error"}
    assert all(row.end_ns for row in recorded.trace().spans)


def test_a_chat_model_says_model_tokens_and_response(server, recorded, config, model):
    server.says(Reply(completion()))
    model.bind(temperature=0.5).invoke([SystemMessage("Be brief."), HumanMessage("Hello")], config)
    found = recorded.span("ChatOpenAI")
    assert (found.row.provider, found.request_model, found.row.model) == (
        "openai",
        "gpt-4o-mini",
        "gpt-4o-mini-2024-07-18",
    )
    assert (found.response_id, found.finish_reasons, found.params["temperature"]) == ("chatcmpl-1", ("stop",), 0.5)
    usage = found.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.reasoning_tokens) == (
        100,
        20,
        40,
        8,
    )


def test_a_streaming_chat_model_says_when_its_first_token_came(server, recorded, config, model):
    server.says(Reply(events=chunks("Hi", " there")))
    stream = model.stream("Hello", config, stream_usage=True)
    assert next(stream).content == ""
    assert next(stream).content == "Hi"
    assert current_span() is None
    list(stream)
    found = recorded.span("ChatOpenAI")
    assert (texts(found.output), found.usage.input_tokens) == (["Hi there"], 100)
    assert found.row.ttft_ns


async def test_an_agent_loop_is_one_trace(server, recorded, config, model):
    calls = [{"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}]
    server.says(
        Reply(completion("", reason="tool_calls", tool_calls=calls)), Reply(completion("Rain.", id="chatcmpl-2"))
    )
    bound = model.bind_tools([get_weather])

    async def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await bound.ainvoke(state["messages"])]}

    async def act(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await get_weather.ainvoke(call) for call in state["messages"][-1].tool_calls]}

    made = StateGraph(MessagesState)
    made.add_node("think", think)
    made.add_node("act", act)
    made.add_edge(START, "think")
    made.add_conditional_edges("think", lambda state: "act" if state["messages"][-1].tool_calls else END)
    made.add_edge("act", "think")
    await made.compile().with_config(run_name="weather_agent").ainvoke({"messages": [HumanMessage("Weather?")]}, config)
    trace = recorded.trace()
    assert (trace.row.llm_calls, trace.row.tool_calls, trace.row.usage.input_tokens) == (2, 1, 200)
    root = recorded.span("weather_agent")
    assert (root.row.kind, texts(root.input), texts(root.output)[-1]) == ("agent", ["Weather?"], "Rain.")
    first, last = (found for found in trace.details() if found.row.kind == "llm")
    assert first.output.messages[0].parts[0]["name"] == "get_weather"
    history = [message.parts for message in (*first.input.messages, *first.output.messages)]
    assert [message.parts for message in last.input.messages[:2]] == history
    assert first.tool_definitions[0]["function"]["name"] == "get_weather"


def begun_on():
    """The parent of a run that begins here."""
    handler, run = CallbackHandler(), uuid.uuid4()
    handler.on_chain_start(None, {}, run_id=run, name="later")
    handler.on_chain_end({}, run_id=run)
    return current_span()


def test_runs_told_on_other_threads_hang_under_their_parents(recorded):
    handler, root, child = CallbackHandler(), uuid.uuid4(), uuid.uuid4()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(handler.on_chain_start, None, {"a": 1}, run_id=root, name="root").result()
        other.submit(handler.on_tool_start, {"name": "t"}, "x", run_id=child, parent_run_id=root).result()
        one.submit(handler.on_tool_end, "y", run_id=child).result()
        other.submit(handler.on_chain_end, {"b": 2}, run_id=root).result()
        assert one.submit(begun_on).result() is None
    assert [shape(recorded.trace(row.trace_id)) for row in recorded.traces()] == [{"root": {"t": {}}}, {"later": {}}]


def test_two_handlers_make_no_span_twice(recorded):
    RunnableLambda(inside).with_config(run_name="once").invoke(1, {"callbacks": [CallbackHandler(), CallbackHandler()]})
    assert shape(recorded.trace()) == {"once": {"inside": {}}}


def test_runs_whose_end_is_never_told_are_ended_and_forgotten(recorded, monkeypatch):
    runs = Runs(most=3)
    monkeypatch.setattr("collector.sdk.clients.langchain.RUNS", runs)
    handler = CallbackHandler()

    def begin(n):
        handler.on_chain_start(None, {}, run_id=uuid.uuid4(), name=f"run {n}")

    for n in range(5):
        thread = threading.Thread(target=begin, args=(n,))
        thread.start()
        thread.join()
    assert len(runs.open) == 3
    first = recorded.span("run 0").row
    assert (first.status_message, bool(first.end_ns)) == ("no end of this run was reported", True)
    assert recorded.span("run 4").row.status == "running"


def test_what_cannot_be_read_harms_no_run(recorded, config):
    class Odd:
        def __getattr__(self, name):
            raise RuntimeError(name)

        def __repr__(self):
            raise RuntimeError

    assert RunnableLambda(lambda _: 1).with_config(run_name="odd").invoke(Odd(), config) == 1
    assert recorded.span("odd").row.status == "ok"
