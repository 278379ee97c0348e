"""LangSmith's and Langfuse's own SDKs against one file of prompts; and what else LangSmith's client asks for."""

from __future__ import annotations

import io
import uuid
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("langsmith")
pytest.importorskip("langchain_core")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.load import dumpd
    from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
    from langsmith import Client
    from langsmith.utils import LangSmithConflictError, LangSmithError, LangSmithNotFoundError

from collector.protocols.langchain_prompts import body_of, manifest_of
from tests.receiver.running import Running

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated.*"),
    pytest.mark.filterwarnings("ignore:.*beta.*"),
]
CHAT = ChatPromptTemplate.from_messages(
    [("system", "be {how}, as in {{braces}}"), MessagesPlaceholder("before"), ("human", "{question}")]
)


@pytest.fixture
def client(door: Running) -> Iterator[Client]:
    client = Client(api_url=door.status.url, api_key="any", disable_prompt_cache=True)
    yield client
    client.cleanup(timeout=10)


def test_a_prompt_is_pushed_pulled_tagged_listed_and_deleted(client: Client) -> None:
    assert client.get_prompt("weather") is None
    client.push_prompt("weather", object=CHAT, description="asks", tags=["demo"], commit_tags=["production"])
    newer = ChatPromptTemplate.from_messages([("human", "again: {question}")])
    client.push_prompt("weather", object=newer, readme="# how", commit_description="shorter")
    assert client.pull_prompt("weather").messages == newer.messages
    assert client.pull_prompt("weather:production").messages == CHAT.messages
    shorter, first = client.list_prompt_commits("weather")
    assert (shorter.description, shorter.parent_commit_hash) == ("shorter", first.commit_hash)
    assert client.pull_prompt(f"weather:{(first.commit_hash or '')[:8]}").messages == CHAT.messages
    repo = client.get_prompt("weather")
    assert repo is not None
    assert (repo.description, repo.readme, repo.tags, repo.num_commits) == ("asks", "# how", ["demo"], 2)
    with pytest.raises(LangSmithConflictError, match="Nothing to commit"):
        client.push_prompt("weather", object=newer)
    with pytest.raises(LangSmithNotFoundError, match="has no commit"):
        client.pull_prompt("weather:staging")
    client.create_prompt("empty", description="nothing yet")
    assert [one.repo_handle for one in client.list_prompts().repos] == ["empty", "weather"]
    assert [one.num_commits for one in client.list_prompts(query="EMP").repos] == [0]
    client.update_prompt("empty", is_archived=True)
    assert [one.repo_handle for one in client.list_prompts().repos] == ["weather"]
    client.delete_prompt("weather")
    assert client.get_prompt("weather") is None


def test_both_products_read_the_prompts_of_either(door: Running, client: Client) -> None:
    client.push_prompt("hub", object=CHAT, commit_tags=["production"])
    told = door.client.get("/api/public/v2/prompts/hub").json()
    assert told["prompt"] == [
        {"role": "system", "content": "be {{how}}, as in {braces}"},
        {"type": "placeholder", "name": "before"},
        {"role": "user", "content": "{{question}}"},
    ]
    said = {"name": "other", "type": "chat", "prompt": [{"role": "user", "content": "where is {{ place }}?"}]}
    assert door.client.post("/api/public/v2/prompts", json=said).status_code == 201
    pulled = client.pull_prompt("other")
    assert pulled.invoke({"place": "Patiala"}).messages[0].content == "where is Patiala?"


@pytest.mark.parametrize("prompt", [CHAT, PromptTemplate.from_template("a {{x}}", template_format="mustache")])
def test_a_prompt_that_is_read_from_langchain_is_read_the_same_again(prompt: object) -> None:
    body = body_of(dumpd(prompt))
    assert body_of(manifest_of(body)) == body


def test_run_stats_add_up_what_the_query_finds(client: Client) -> None:
    start = datetime(2026, 11, 21, tzinfo=UTC)
    for number, seconds in enumerate((1, 2, 9)):
        run_id = uuid.uuid4()
        client.create_run(
            "call", {}, "llm", id=run_id, trace_id=run_id, project_name="p", start_time=start,
            dotted_order=f"{start:%Y%m%dT%H%M%S%fZ}{run_id}", end_time=start + timedelta(seconds=seconds),
            outputs={"usage_metadata": {"input_tokens": 10, "output_tokens": number, "total_tokens": 10 + number}},
            error="ValueError()" if number == 2 else None,
        )  # fmt: skip
        client.create_feedback(run_id, "good", score=number, trace_id=run_id)
    client.flush(timeout=10)
    stats = client.get_run_stats(project_names=["p"])
    assert (stats["run_count"], stats["latency_p50"], stats["latency_p99"]) == (3, 2.0, 9.0)
    assert (stats["prompt_tokens"], stats["completion_tokens"], stats["total_tokens"]) == (30, 3, 33)
    assert (stats["error_rate"], stats["feedback_stats"]) == (pytest.approx(1 / 3), {"good": {"n": 3, "avg": 1.0}})
    assert client.get_run_stats(project_names=["p"], error=True)["run_count"] == 1
    assert client.get_run_stats(project_names=["p"], run_type="tool")["latency_p50"] is None


def test_a_table_becomes_a_dataset(client: Client) -> None:
    table = b'\xef\xbb\xbfq,a,note\r\n"one, two",3,x\r\ncaf\xc3\xa9,4,y\r\n'
    made = client.upload_csv(("sums.csv", io.BytesIO(table)), ["q"], ["a"], name="sums", description="of numbers")
    assert (made.name, made.description) == ("sums", "of numbers")
    found = [(one.inputs, one.outputs) for one in client.list_examples(dataset_id=made.id)]
    assert sorted(found, key=str) == [({"q": "café"}, {"a": "4"}), ({"q": "one, two"}, {"a": "3"})]
    with pytest.raises(LangSmithConflictError):
        client.upload_csv(("sums.csv", io.BytesIO(table)), ["q"], ["a"], name="sums")
    with pytest.raises(LangSmithError, match="has no column"):
        client.upload_csv(("t.csv", io.BytesIO(table)), ["q"], ["b"])
    assert client.upload_csv(("t.csv", io.BytesIO(table)), ["q", "note"], ["a"]).name == "t.csv"


def test_what_cannot_be_shared_says_so(client: Client) -> None:
    dataset = client.create_dataset("d")
    for asked in (
        lambda: client.share_run(uuid.uuid4()), lambda: client.share_dataset(dataset.id),
        lambda: client.unshare_dataset(dataset.id), lambda: list(client.list_shared_examples(str(uuid.uuid4()))),
    ):  # fmt: skip
        with pytest.raises(Exception, match="shares nothing"):
            asked()
    with pytest.raises(Exception, match="no annotation queues"):
        client.create_annotation_queue(name="q")
