"""LangSmith's own Python SDK against our door: it starts, sends, and reads back what it sent."""

from __future__ import annotations

import asyncio
import uuid
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langsmith")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langsmith
    from langsmith import Client, traceable, tracing_context
    from langsmith.evaluation import evaluate
    from langsmith.run_trees import RunTree
    from langsmith.schemas import LangSmithInfo
    from langsmith.utils import LangSmithConflictError, LangSmithNotFoundError

from collector.store import open_reader
from collector.store.reader import Reader
from tests.receiver.langsmith.client import made
from tests.receiver.running import Running

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated.*"),
]


def reader(door: Running) -> Any:
    return open_reader(Path(door.status.file or ""))


def shown(door: Running) -> dict[str, Any]:
    with reader(door) as file:
        assert isinstance(file, Reader)
        rows = file.traces()
        return {
            span.name: file.span(row.trace_id, span.span_id) for row in rows for span in file.tree_spans(row.trace_id)
        }


def weather(client: Client, project: str = "weather") -> str:
    """A traced call with a model and a tool in it; returns its run's id."""

    @traceable(run_type="llm", name="model", metadata={"ls_provider": "openai", "ls_model_name": "gpt-4o-mini"})
    def model(messages: list[dict[str, str]]) -> dict[str, Any]:
        return {
            "choices": [{"message": {"role": "assistant", "content": "sunny"}, "finish_reason": "stop"}],
            "model": "gpt-4o-mini-2024-07-18", "id": f"chatcmpl-{uuid.uuid4()}",
            "usage_metadata": {"input_tokens": 11, "output_tokens": 3, "total_tokens": 14,
                               "input_token_details": {"cache_read": 4}},
        }  # fmt: skip

    @traceable(run_type="tool")
    def get_weather(city: str) -> dict[str, Any]:
        if city == "nowhere":
            raise ValueError("no such place")
        return {"city": city, "temp_c": 31}

    @traceable(name="agent", tags=["demo"], metadata={"thread_id": "thread-42", "user_id": "user-7", "plan": "pro"})
    def agent(question: str) -> str:
        model([{"role": "system", "content": "be brief"}, {"role": "user", "content": question}])
        get_weather("Patiala")
        with pytest.raises(ValueError, match="no such place"):
            get_weather("nowhere")
        return "sunny"

    run_id = str(uuid.uuid4())
    with tracing_context(enabled=True, client=client, project_name=project):
        agent("how is it?", langsmith_extra={"run_id": uuid.UUID(run_id)})
    client.flush(timeout=10)
    return run_id


def test_a_traced_run_reads_like_one_of_our_own(door: Running, client: Client) -> None:
    weather(client)
    spans = shown(door)
    agent, model, tool = spans["agent"], spans["model"], spans["get_weather"]
    assert (agent.row.kind, agent.row.session_id, agent.row.user_id) == ("chain", "thread-42", "user-7")
    assert (agent.project, agent.tags, agent.metadata) == ("weather", ("demo",), {"plan": "pro"})
    assert agent.output.value == "sunny"
    assert model.row.parent_id == agent.row.span_id
    assert (model.row.model, model.request_model, model.row.provider) == (
        "gpt-4o-mini-2024-07-18", "gpt-4o-mini", "openai",
    )  # fmt: skip
    assert (model.usage.input_tokens, model.usage.cache_read_tokens, model.usage.output_tokens) == (11, 4, 3)
    assert model.system[0].parts[0]["text"] == "be brief"
    assert model.output.messages[0].parts[0]["text"] == "sunny"
    assert tool.row.status == "error"
    assert (tool.row.error_type, tool.row.status_message) == ("ValueError", "ValueError('no such place')")


def test_runs_are_read_back_by_id_and_by_query(door: Running, client: Client) -> None:
    run_id = weather(client)
    run = client.read_run(run_id, load_child_runs=True)
    assert (str(run.id), run.name, run.run_type, run.status) == (run_id, "agent", "chain", "success")
    assert (run.inputs, run.outputs) == ({"question": "how is it?"}, {"output": "sunny"})
    assert run.metadata["plan"] == "pro"
    assert [child.name for child in run.child_runs or ()] == ["model", "get_weather", "get_weather"]
    assert all(child.parent_run_id == run.id for child in run.child_runs or ())

    def names(**asked: Any) -> list[str]:
        return sorted(one.name for one in client.list_runs(project_name="weather", **asked))

    assert names() == ["agent", "get_weather", "get_weather", "model"]
    assert names(is_root=True) == ["agent"]
    assert names(run_type="llm") == names(filter='and(gt(total_tokens, 10), neq(run_type, "chain"))') == ["model"]
    assert names(error=True) == names(filter="neq(error, null)") == ["get_weather"]
    assert names(filter='and(eq(metadata_key, "plan"), eq(metadata_value, "pro"), eq(is_root, true))') == ["agent"]
    assert names(trace_filter='has(tags, "demo")', run_type="tool") == ["get_weather", "get_weather"]
    assert names(tree_filter='eq(name, "model")', is_root=True) == ["agent"]
    assert names(query="no such place") == ["get_weather"]
    assert names(run_ids=[run_id]) == ["agent"]
    assert names(parent_run_id=run_id) == ["get_weather", "get_weather", "model"]
    assert names(trace_id=run_id, limit=2) != []
    assert names(start_time=datetime(2100, 1, 1, tzinfo=UTC)) == []
    assert [one.name for one in client.read_thread(thread_id="thread-42", project_name="weather")] == ["agent"]
    assert {str(one) for one in run.child_run_ids or ()} == {str(child.id) for child in run.child_runs or ()}
    model = next(client.list_runs(project_name="weather", run_type="llm"))
    assert (model.prompt_tokens, model.completion_tokens, model.total_tokens) == (11, 3, 14)
    with pytest.raises(LangSmithNotFoundError):
        client.read_run(uuid.uuid4())
    with pytest.raises(Exception, match="cannot ask for"):
        list(client.list_runs(project_name="weather", filter='eq(colour, "red")'))


async def test_the_newer_queries_find_the_same(client: Client) -> None:
    run_id = await asyncio.to_thread(weather, client)
    project = str((await asyncio.to_thread(client.read_project, project_name="weather")).id)
    asked = client.runs.query(project_ids=[project], selects=["ID", "NAME", "STATUS", "INPUTS"], run_type="TOOL")
    found = [(run.name, run.status) async for run in asked]
    assert sorted(found) == [("get_weather", "ERROR"), ("get_weather", "SUCCESS")]
    one = await client.runs.retrieve(run_id, project_id=project, selects=["NAME", "METADATA"])
    assert (one.name, one.metadata["plan"]) == ("agent", "pro")
    await client._get_langsmith_api().close()


@pytest.mark.parametrize("form", ["zstd", "plain", "batch"])
def test_every_way_of_sending_gives_the_same_run(door: Running, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if form == "plain":
        monkeypatch.setenv("LANGSMITH_DISABLE_RUN_COMPRESSION", "true")
    info = door.client.get("/info").json()
    if form == "batch":
        info["batch_ingest_config"]["use_multipart_endpoint"] = False
    with made(door, info=LangSmithInfo(**info)) as client:
        weather(client)
    model = shown(door)["model"]
    assert (model.usage.input_tokens, model.input.messages[0].parts[0]["text"]) == (11, "how is it?")


def test_runs_that_are_posted_one_by_one_and_patched_without_a_trace_are_whole(door: Running) -> None:
    with made(door, auto_batch_tracing=False) as client:
        parent, child = uuid.uuid4(), uuid.uuid4()
        start = datetime(2026, 11, 21, tzinfo=UTC)
        client.update_run(child, outputs={"late": 1}, end_time=start)  # its trace is not said, and it is not here yet
        client.create_run("outer", {"q": 1}, "chain", id=parent, start_time=start, project_name="p")
        client.create_run("inner", {"q": 2}, "tool", id=child, parent_run_id=parent, start_time=start, project_name="p")
        client.update_run(parent, outputs={"a": 1}, end_time=start)
        assert client.read_run(child).outputs == {"late": 1}
    inner, outer = shown(door)["inner"], shown(door)["outer"]
    assert inner.row.trace_id == outer.row.trace_id == parent.hex
    assert (inner.row.status, inner.tool.result, outer.row.status) == ("ok", {"late": 1}, "ok")


def test_long_lists_of_runs_come_page_by_page(door: Running, client: Client) -> None:
    now = datetime.now(UTC)
    ids = [uuid.uuid4() for _ in range(230)]
    for at, run_id in enumerate(ids):
        order = f"{now:%Y%m%dT%H%M%S%fZ}{run_id}"
        client.create_run(
            f"run {at}", {}, "chain", id=run_id, trace_id=run_id, start_time=now, end_time=now, dotted_order=order,
            project_name="many",
        )  # fmt: skip
    client.flush(timeout=10)
    assert sorted(one.id for one in client.list_runs(project_name="many")) == sorted(ids)
    assert sorted(one.id for one in client.list_runs(run_ids=ids)) == sorted(ids)
    assert len(list(client.list_runs(project_name="many", limit=130))) == 130


def test_attachments_come_back_as_they_were(client: Client) -> None:
    run_id = uuid.uuid4()
    now = datetime.now(UTC)
    order = f"{now:%Y%m%dT%H%M%S%fZ}{run_id}"
    client.create_run(
        "look", {"q": 1}, "chain", id=run_id, trace_id=run_id, start_time=now, end_time=now, project_name="p",
        dotted_order=order, attachments={"picture": ("image/png", b"\x89PNG\r\n\x00")},
    )  # fmt: skip
    client.flush(timeout=10)
    picture = client.read_run(run_id).attachments["picture"]
    assert (picture["reader"].read(), picture["mime_type"]) == (b"\x89PNG\r\n\x00", "image/png")
    client.update_run(run_id, trace_id=run_id, dotted_order=order, attachments={"note": ("text/plain", b"late")})
    client.flush(timeout=10)
    assert sorted(client.read_run(run_id).attachments) == ["note", "picture"]


def test_feedback_is_written_changed_listed_and_deleted(door: Running, client: Client) -> None:
    run_id = weather(client)
    client.create_feedback(run_id, "helpful", score=1, comment="thumbs up", trace_id=run_id)
    verdict = client.create_feedback(run_id, "verdict", value="good", source_info={"who": "me"})
    client.flush(timeout=10)
    found = {one.key: one for one in client.list_feedback(run_ids=[run_id])}
    assert (found["helpful"].score, found["helpful"].comment, str(found["helpful"].run_id)) == (1, "thumbs up", run_id)
    assert (found["verdict"].value, found["verdict"].feedback_source.metadata) == ("good", {"who": "me"})
    client.update_feedback(verdict.id, value="bad", comment="on second thought")
    assert client.read_feedback(verdict.id).value == "bad"
    assert [one.key for one in client.list_feedback(run_ids=[run_id], feedback_key=["helpful"])] == ["helpful"]
    assert {score.name: (score.value, score.label) for score in shown(door)["agent"].scores} == {
        "helpful": (1.0, None), "verdict": (None, "bad"),
    }  # fmt: skip
    rated = list(
        client.list_runs(project_name="weather", filter='and(eq(feedback_key, "helpful"), gte(feedback_score, 1))')
    )
    assert [(run.name, run.feedback_stats["helpful"]["avg"]) for run in rated] == [("agent", 1.0)]
    client.delete_feedback(verdict.id)
    assert [one.key for one in client.list_feedback(run_ids=[run_id])] == ["helpful"]


def test_feedback_on_a_child_that_comes_before_its_run_finds_it(door: Running, client: Client) -> None:
    root = RunTree(name="root", run_type="chain", inputs={}, client=client, project_name="p")
    child = root.create_child("child", run_type="tool", inputs={})
    client.create_feedback(child.id, "early", score=0.5)
    for run in (child, root):
        run.end(outputs={})
        run.post()
    client.flush(timeout=10)
    assert [score.name for score in shown(door)["child"].scores] == ["early"]
    assert [one.score for one in client.list_feedback(run_ids=[child.id])] == [0.5]


def test_datasets_and_examples_are_kept_changed_and_listed(client: Client) -> None:
    dataset = client.create_dataset("cities", description="where", metadata={"v": 1})
    assert client.has_dataset(dataset_name="cities")
    with pytest.raises(LangSmithConflictError):
        client.create_dataset("cities")
    made = client.create_examples(
        dataset_id=dataset.id,
        examples=[
            {
                "inputs": {"q": n},
                "outputs": {"a": n * n},
                "metadata": {"level": "easy"},
                "split": "train" if n else "test",
            }
            for n in range(3)
        ],
    )
    assert made["count"] == 3
    listed = list(client.list_examples(dataset_name="cities"))
    assert sorted((one.inputs["q"], one.outputs["a"]) for one in listed) == [(0, 0), (1, 1), (2, 4)]
    assert [one.inputs for one in client.list_examples(dataset_id=dataset.id, splits=["test"])] == [{"q": 0}]
    assert len(list(client.list_examples(dataset_id=dataset.id, metadata={"level": "easy"}))) == 3
    assert len(list(client.list_examples(dataset_id=dataset.id, filter='exists(metadata, "level")', limit=2))) == 2
    assert sorted(client.list_dataset_splits(dataset_id=dataset.id)) == ["test", "train"]
    one = client.create_example(
        inputs={"q": 9}, outputs={"a": 81}, dataset_id=dataset.id, attachments={"map": ("text/plain", b"N")}
    )
    client.update_example(one.id, outputs={"a": "81"})
    again = client.read_example(one.id)
    assert (again.inputs, again.outputs, again.attachments["map"]["reader"].read()) == ({"q": 9}, {"a": "81"}, b"N")
    client.delete_example(one.id)
    with pytest.raises(LangSmithNotFoundError):
        client.read_example(one.id)
    client.delete_examples([listed[0].id])
    read = client.read_dataset(dataset_name="cities")
    assert (read.example_count, read.description, read.metadata["v"]) == (2, "where", 1)
    assert [found.name for found in client.list_datasets(dataset_name_contains="CIT")] == ["cities"]
    client.delete_dataset(dataset_id=dataset.id)
    assert not client.has_dataset(dataset_name="cities")


def test_an_example_is_made_from_a_run(client: Client) -> None:
    run_id = weather(client)
    dataset = client.create_dataset("from runs")
    made = client.create_example_from_run(client.read_run(run_id), dataset_id=dataset.id)
    assert (made.inputs, made.outputs) == ({"question": "how is it?"}, {"output": "sunny"})


def test_evaluate_runs_over_a_dataset_and_is_found_again(door: Running, client: Client) -> None:
    dataset = client.create_dataset("sums")
    client.create_examples(
        dataset_id=dataset.id, examples=[{"inputs": {"n": n}, "outputs": {"a": n + 1}} for n in (1, 2)]
    )
    results = evaluate(
        lambda inputs: {"a": inputs["n"] + 1},
        data="sums",
        evaluators=[lambda outputs, reference_outputs: outputs == reference_outputs],
        experiment_prefix="plus one",
        client=client,
    )
    rows = list(results)
    client.flush(timeout=10)
    assert [row["evaluation_results"]["results"][0].score for row in rows] == [True, True]
    project = client.read_project(project_name=results.experiment_name)
    assert (str(project.reference_dataset_id), project.run_count) == (str(dataset.id), 2)
    runs = list(client.list_runs(project_name=results.experiment_name, is_root=True))
    assert {run.reference_example_id for run in runs} == {one.id for one in client.list_examples(dataset_id=dataset.id)}
    found = client.get_experiment_results(name=results.experiment_name)
    compared = [(one.inputs["n"], run.outputs["a"]) for one in found["examples_with_runs"] for run in one.runs]
    assert sorted(compared) == [(1, 2), (2, 3)]
    with reader(door) as file:
        from collector.store.library import Library

        (experiment,) = Library(file).experiments(dataset_id=str(dataset.id))
        assert (experiment.name, experiment.runs) == (results.experiment_name, 2)


def test_projects_are_made_listed_changed_and_deleted(client: Client) -> None:
    weather(client, "first")
    weather(client, "second")
    made = client.create_project("third", description="d", metadata={"k": 1})
    assert client.has_project("second")
    assert not client.has_project("fourth")
    assert {one.name for one in client.list_projects()} == {"first", "second", "third"}
    with pytest.raises(LangSmithConflictError):
        client.create_project("third")
    client.update_project(made.id, description="better")
    read = client.read_project(project_id=str(made.id))
    assert (read.name, read.description, read.metadata) == ("third", "better", {"k": 1})
    client.delete_project(project_name="third")
    assert not client.has_project("third")
    assert client.read_project(project_name="first").run_count == 1


def test_an_endpoint_with_the_apis_path_is_the_same(door: Running) -> None:
    client = Client(api_url=f"{door.status.url}/api/v1", api_key="any")
    run_id = weather(client)
    assert client.read_run(run_id).name == "agent"
    assert (
        client.create_examples(dataset_id=client.create_dataset("d").id, examples=[{"inputs": {"a": 1}}])["count"] == 1
    )
    client.cleanup(timeout=10)


def test_the_version_under_test_is_current() -> None:
    assert tuple(map(int, langsmith.__version__.split(".")[:2])) >= (0, 3)
