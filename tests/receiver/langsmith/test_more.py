"""What LangSmith's client does beside tracing: comparisons, evaluations done again, addresses for feedback."""

from __future__ import annotations

import asyncio
import uuid
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langsmith")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langsmith import Client
    from langsmith.evaluation import evaluate
    from langsmith.utils import LangSmithError, LangSmithNotFoundError

from collector.store import open_reader
from tests.receiver.langsmith.test_sdk import weather
from tests.receiver.running import Running

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated.*"),
    pytest.mark.filterwarnings("ignore:.*beta.*"),
]


def exact(run: Any, example: Any) -> dict[str, Any]:
    return {"key": "exact", "score": run.outputs == example.outputs}


def reached(runs: Any, examples: Any) -> dict[str, Any]:
    return {"key": "reached", "score": len(runs) / len(examples)}


def liked(runs: Any, example: Any) -> dict[str, Any]:
    return {"key": "liked", "scores": {run.id: float(at == 0) for at, run in enumerate(runs)}}


def experiments(client: Client) -> tuple[str, str, Any]:
    """Two experiments over one dataset: their names, and the dataset."""
    dataset = client.create_dataset("sums")
    client.create_examples(
        dataset_id=dataset.id, examples=[{"inputs": {"n": n}, "outputs": {"a": n + 1}} for n in (1, 2)]
    )
    names = []
    for more in (1, 2):
        results = evaluate(
            lambda inputs, more=more: {"a": inputs["n"] + more}, data="sums", evaluators=[exact],
            summary_evaluators=[reached], client=client,
        )  # fmt: skip
        assert len(list(results)) == 2
        names.append(results.experiment_name)
    client.flush(timeout=10)
    return names[0], names[1], dataset


def test_experiments_are_compared_and_judged_again(door: Running, client: Client) -> None:
    first, second, dataset = experiments(client)
    project = client.read_project(project_name=first, include_stats=True)
    assert (project.run_count, project.feedback_stats["exact"]["avg"]) == (2, 1.0)
    assert project.session_feedback_stats["reached"]["n"] == 1
    assert project.latency_p50 is not None

    evaluate((first, second), evaluators=[liked], client=client)
    client.flush(timeout=10)
    given = list(client.list_feedback(feedback_key=["liked"]))
    assert sorted(one.score for one in given) == [0, 0, 1, 1]
    (comparison,) = door.client.get(f"/datasets/{dataset.id}/comparative").json()
    assert {str(one.comparative_experiment_id) for one in given} == {comparison["id"]}
    assert {one["name"] for one in comparison["experiments_info"]} == {first, second}
    assert comparison["feedback_stats"]["liked"] == {"n": 4, "avg": 0.5, "values": {}}
    assert {one.name for one in client.list_projects(reference_dataset_id=dataset.id)} == {first, second}

    client.create_example(inputs={"n": 9}, outputs={"a": 10}, dataset_id=dataset.id)
    assert len(list(evaluate(first, evaluators=[exact], client=client))) == 2  # not the one that was added since
    found = client.get_experiment_results(name=first, filters={project.id: ['eq(name, "nothing")']})
    assert [len(one.runs) for one in found["examples_with_runs"]] == [0, 0, 0]


def test_a_dataset_is_read_as_it_was(client: Client) -> None:
    dataset = client.create_dataset("d")
    client.create_examples(dataset_id=dataset.id, examples=[{"inputs": {"n": n}} for n in range(3)])
    (version,) = client.list_dataset_versions(dataset_id=dataset.id)
    assert (version.tags, client.read_dataset_version(dataset_id=dataset.id, tag="latest")) == (["latest"], version)
    client.update_dataset_tag(dataset_id=dataset.id, as_of=version.as_of, tag="prod")

    def asked(as_of: Any) -> list[Any]:
        return [(one.inputs["n"], one.outputs) for one in client.list_examples(dataset_id=dataset.id, as_of=as_of)]

    first, second, _ = client.list_examples(dataset_id=dataset.id)
    client.update_example(first.id, outputs={"a": 1}, split="gold")
    client.delete_example(second.id)
    client.create_example(inputs={"n": 9}, dataset_id=dataset.id)
    assert sorted(asked("latest"), key=str) == [(0, {"a": 1}), (2, None), (9, None)]
    assert asked("prod") == asked(version.as_of) == [(0, None), (1, None), (2, None)]
    assert asked(version.as_of - timedelta(days=1)) == []
    assert client.read_example(second.id, as_of=version.as_of).inputs == {"n": 1}
    assert client.list_dataset_splits(dataset_id=dataset.id, as_of=version.as_of) == ["base"]
    listed = list(client.list_dataset_versions(dataset_id=dataset.id))
    assert [one.tags for one in listed] == [["latest"], [], [], ["prod"]]
    assert client.read_dataset_version(dataset_id=dataset.id, as_of=listed[1].as_of) == listed[1]
    changed = client.diff_dataset_versions(dataset_id=dataset.id, from_version="prod", to_version="latest")
    assert (changed.examples_modified, changed.examples_removed, len(changed.examples_added)) == (
        [first.id], [second.id], 1,
    )  # fmt: skip
    for missing in (lambda: asked("staging"), lambda: client.read_example(uuid.uuid4(), as_of=version.as_of)):
        with pytest.raises(LangSmithNotFoundError):
            missing()
    with pytest.raises(LangSmithNotFoundError, match="its first is of"):
        client.read_dataset_version(dataset_id=dataset.id, as_of=version.as_of - timedelta(days=1))
    with pytest.raises(LangSmithError, match="tagged by its time"):
        client.update_dataset_tag(dataset_id=dataset.id, as_of=version.as_of, tag="latest")
    assert client.read_dataset(dataset_id=dataset.id).name == "d"


def test_an_address_for_feedback_is_good_for_one_key_of_one_run(door: Running, client: Client) -> None:
    run_id = weather(client)
    token = client.create_presigned_feedback_token(run_id, "thumbs", expiration=timedelta(minutes=5))
    assert token.url.startswith(f"{door.status.url}/feedback/tokens/")
    assert token.expires_at > datetime.now(UTC)
    client.create_feedback_from_token(token.url, score=1, comment="good", metadata={"who": "me"})
    assert door.client.get(token.url, params={"score": "0.5"}).status_code == 200
    given = list(client.list_feedback(run_ids=[run_id], feedback_key=["thumbs"]))
    assert sorted((one.score, one.comment or "") for one in given) == [(0.5, ""), (1.0, "good")]
    several = client.create_presigned_feedback_tokens(run_id, ["a", "b"])
    listed = {one.id for one in client.list_presigned_feedback_tokens(run_id)}
    assert listed == {token.id, *(one.id for one in several)}
    past = client.create_presigned_feedback_token(run_id, "late", expiration=datetime(2020, 1, 1, tzinfo=UTC))
    assert door.client.post(past.url, json={"score": 1}).status_code == 404
    assert door.client.post(f"/feedback/tokens/{uuid.uuid4()}", json={"score": 1}).status_code == 404
    assert door.client.get(token.url, params={"score": "much"}).status_code == 400


def test_runs_come_in_either_order_and_projects_by_metadata(client: Client) -> None:
    weather(client)
    newest = [one.id for one in client.list_runs(project_name="weather")]
    assert [one.id for one in client.list_runs(project_name="weather", order="asc")] == newest[::-1]
    assert len(list(client.list_runs(project_name="weather", filter='lt(latency, "1h")'))) == len(newest)
    assert not list(client.list_runs(project_name="weather", filter='gt(latency, "1.5h")'))
    with pytest.raises(LangSmithError, match="duration"):
        list(client.list_runs(project_name="weather", filter='gt(latency, "long")'))
    with pytest.raises(LangSmithError, match="a time such as"):
        list(client.list_runs(project_name="weather", filter='gt(start_time, "yesterday")'))
    client.create_project("kept", metadata={"team": "a"})
    assert [one.name for one in client.list_projects(metadata={"team": "a"})] == ["kept"]
    client.create_dataset("mine", metadata={"team": "a"})
    client.create_dataset("other")
    assert [one.name for one in client.list_datasets(metadata={"team": "a"})] == ["mine"]


def test_splits_change_by_the_newer_call_too(door: Running, client: Client) -> None:
    dataset = client.create_dataset("d")
    client.create_examples(dataset_id=dataset.id, examples=[{"inputs": {"n": n}, "split": "train"} for n in range(2)])
    one, other = client.list_examples(dataset_id=dataset.id)
    client.update_dataset_splits(dataset_id=dataset.id, split_name="gold", example_ids=[one.id])
    assert [each.id for each in client.list_examples(dataset_id=dataset.id, splits=["gold"])] == [one.id]
    client.update_dataset_splits(dataset_id=dataset.id, split_name="train", example_ids=[other.id], remove=True)
    assert [each.id for each in client.list_examples(dataset_id=dataset.id, splits=["train"])] == [one.id]
    path, missing = f"/api/v1/platform/datasets/{dataset.id}/examples/metadata", str(uuid.uuid4())
    said = {"example_ids": [str(one.id), missing], "operations": [{"key": "k", "operation": "SET", "value": 3}]}
    statuses = door.client.patch(path, json=said).json()["statuses"]
    assert [(each["id"], each["status"]) for each in statuses] == [(str(one.id), "UPDATED"), (missing, "NOT_FOUND")]
    assert client.read_example(one.id).metadata == {"dataset_split": ["train", "gold"], "k": 3}
    said["operations"] = [{"key": "k", "operation": "ADD"}]
    assert door.client.patch(path, json=said).status_code == 400


def test_what_is_not_here_says_so_and_is_never_a_bare_404(door: Running, client: Client) -> None:
    dataset, project = client.create_dataset("d"), client.create_project("p")
    config: Any = {"type": "continuous"}
    asked: dict[str, Any] = {
        "no rules for feedback": lambda: client.create_feedback_config("k", feedback_config=config),
        "no secrets": lambda: client.generate_insights(chat_histories=[[{"role": "user", "content": "a"}]]),
        "no insights": lambda: client.get_insights_report(id=uuid.uuid4(), project_id=project.id),
        "finds no issues": lambda: client.list_project_issues("p"),
        "neither agents nor skills": lambda: client.pull_skill("x"),
        "fine-tuning": lambda: client.read_dataset_openai_finetuning(dataset.id),
    }
    for says, ask in asked.items():
        with pytest.raises(LangSmithError, match=says):
            ask()
    run_id = weather(client)
    assert not client.run_is_shared(run_id)
    assert door.client.get("/api/v2/sessions").headers["x-should-retry"] == "false"
    for path in ("/api/v1/platform/evaluators", "/api/v1/runs/rules", "/api/v2/sql/query", "/api/v2/sandboxes/boxes"):
        answer = door.client.get(path)
        assert (answer.status_code, answer.json()["detail"][:8]) == (
            501,
            "tracetui" if "sql" not in path else "LangSmit",
        )


def test_a_parameter_that_is_not_looked_at_is_refused(door: Running) -> None:
    for path in ("/feedback?has_comment=true", "/sessions?filter=x", "/examples?full_text_contains=x"):
        answer = door.client.get(path)
        assert (answer.status_code, "leave it out" in answer.json()["detail"]) == (501, True)


def test_a_comparison_needs_experiments_that_are_here(door: Running, client: Client) -> None:
    dataset = client.create_dataset("d")
    said = {"experiment_ids": [str(uuid.uuid4())], "reference_dataset_id": str(dataset.id), "name": "c"}
    assert door.client.post("/datasets/comparative", json=said).status_code == 400
    said["experiment_ids"] = [str(uuid.uuid4()), str(uuid.uuid4())]
    assert door.client.post("/datasets/comparative", json=said).status_code == 404
    assert door.client.delete(f"/datasets/comparative/{uuid.uuid4()}").status_code == 404


def test_step_tags_come_back_as_they_were_sent(door: Running, client: Client) -> None:
    run_id, now = uuid.uuid4(), datetime.now(UTC)
    client.create_run(
        "node", {}, "chain", id=run_id, trace_id=run_id, start_time=now, end_time=now, tags=["graph:step:1", "prod"],
        dotted_order=f"{now:%Y%m%dT%H%M%S%fZ}{run_id}", project_name="p",
    )  # fmt: skip
    client.flush(timeout=10)
    assert client.read_run(run_id).tags == ["graph:step:1", "prod"]
    with open_reader(Path(door.status.file or "")) as file:
        assert [row.tags for row in file.traces()] == [("prod",)]


async def test_threads_and_traces_answer_the_newer_calls(client: Client) -> None:
    first = await asyncio.to_thread(weather, client)
    last = await asyncio.to_thread(weather, client)
    project = str((await asyncio.to_thread(client.read_project, project_name="weather")).id)
    (thread,) = [one async for one in client.threads.query(project_id=project)]
    assert (thread.thread_id, thread.count, thread.num_errored_turns) == ("thread-42", 2, 0)
    assert (thread.first_trace_id, thread.last_trace_id, thread.total_tokens) == (first, last, 28)
    assert [one async for one in client.threads.query(project_id=project, filter='eq(name, "none")')] == []
    turns = client.threads.list_traces("thread-42", project_id=project, selects=["NAME", "TOTAL_TOKENS", "LATENCY"])
    told = [(one.trace_id, one.turn_number, one.name, one.total_tokens) async for one in turns]
    assert told == [(last, 2, "agent", 14), (first, 1, "agent", 14)]
    stats = await client.threads.stats("thread-42", session_id=project, selects=["TURNS", "TOTAL_TOKENS"])
    assert (stats.turns, stats.total_tokens, stats.last_end_time) == (2, 28, None)
    found = [one async for one in client.traces.query(project_id=project, page_size=1, selects=["ID", "NAME"])]
    assert [(one.root_run.id, one.trace_aggregates.total_tokens) for one in found] == [(last, 14), (first, 14)]
    inner = await client.traces.list_runs(first, project_id=project, selects=["ID", "NAME"])
    assert [one.name for one in inner.items] == ["agent", "model", "get_weather", "get_weather"]
    with pytest.raises(Exception, match="asks no model"):
        _ = [one async for one in client.traces.query(project_id=project, ai_search="slow ones")]
    await client._get_langsmith_api().close()


def test_a_root_has_the_tokens_of_its_trace(client: Client) -> None:
    run_id = weather(client)
    root = client.read_run(run_id)
    assert (root.prompt_tokens, root.completion_tokens, root.total_tokens) == (11, 3, 14)
    for asked in ({}, {"is_root": True}):
        assert client.get_run_stats(project_names=["weather"], **asked)["total_tokens"] == 14
