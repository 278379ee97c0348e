"""Runs of LangSmith's API resend a history with every turn, and repeat the answer: each text is kept once."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector.ingest import Ingest
from collector.protocols import langsmith
from collector.settings import Settings
from collector.store import contributors, open_reader
from collector.store.content import Encoder
from tests.builders import make_part
from tests.store.audit import rows

ROOT = str(uuid.UUID(int=1))


def said(turn: int, who: str) -> str:
    return f"{who} of turn {turn} says " + " ".join(f"word{turn * 7 + n}" for n in range(100))


def in_openai(turn: int) -> tuple[dict[str, Any], dict[str, Any]]:
    history = [{"role": who, "content": said(t, who)} for t in range(turn + 1) for who in ("user", "assistant")][:-1]
    answer = {"role": "assistant", "content": said(turn, "assistant")}
    return {"messages": history, "model": "m"}, {"choices": [{"message": answer, "finish_reason": "stop"}]}


def in_langchain(turn: int) -> tuple[dict[str, Any], dict[str, Any]]:
    def message(kind: str, text: str) -> dict[str, Any]:
        path = ["langchain", "schema", "messages", "HumanMessage" if kind == "human" else "AIMessage"]
        return {"lc": 1, "type": "constructor", "id": path, "kwargs": {"content": text, "type": kind}}

    history = [message(k, said(t, w)) for t in range(turn + 1) for k, w in (("human", "user"), ("ai", "assistant"))]
    answer = said(turn, "assistant")
    return {"messages": [history[:-1]]}, {"generations": [[{"text": answer, "message": message("ai", answer)}]]}


@pytest.mark.parametrize("spelt", [in_openai, in_langchain])
def test_every_text_of_a_long_conversation_is_kept_once(spelt: Any, tmp_path: Path) -> None:
    path, turns = tmp_path / "t.db", 12
    sent = {}
    with Ingest(path, Settings(db=path)) as ingest:
        for turn in range(turns):
            inputs, outputs = spelt(turn)
            run_id = str(uuid.UUID(int=100 + turn))
            run = {"id": run_id, "trace_id": ROOT, "parent_run_id": ROOT, "run_type": "llm", "name": "model"}
            started = {**run, "start_time": f"2026-11-21T02:00:{turn:02d}Z", "inputs": inputs}
            ended = {**run, "end_time": f"2026-11-21T02:01:{turn:02d}Z", "outputs": outputs}
            ingest.write(langsmith.decode_batch(json.dumps({"post": [started]}).encode()))
            ingest.write(langsmith.decode_batch(json.dumps({"patch": [ended]}).encode()))
            sent[run_id] = (inputs, outputs)
    long = [row["text"] for row in rows(path, "select text from texts") if len(row["text"]) > 500]
    assert sorted(long) == sorted(said(turn, who) for turn in range(turns) for who in ("user", "assistant"))
    with open_reader(path) as reader:
        for part in reader.parts():
            found = tuple(json.loads(str(part.attributes[f"langsmith.run.{side}"])) for side in ("inputs", "outputs"))
            assert found == sent[part.source_id or ""]


def test_a_part_keeps_only_what_it_says_otherwise_than_the_span(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    inputs, outputs = in_openai(3)
    run = {"id": ROOT, "trace_id": ROOT, "run_type": "llm", "name": "model"}
    posted = {**run, "start_time": "2026-11-21T02:00:00Z", "inputs": inputs, "tags": ["early"]}
    patched = {**run, "inputs": inputs, "outputs": outputs, "tags": ["late"], "end_time": "2026-11-21T02:00:09Z"}
    with Ingest(path, Settings(db=path)) as ingest:
        for kind, body in (("post", posted), ("patch", patched)):
            ingest.write(langsmith.decode_batch(json.dumps({kind: [body]}).encode()))
        (kept,) = (json.loads(row["parts"]) for row in rows(path, "select parts from bodies"))
        assert all("langsmith.run.inputs" not in part.get("attributes", {}) for part in kept)
        again = ingest.write(langsmith.decode_batch(json.dumps({"patch": [patched], "post": [posted]}).encode()))
    assert again.stored == 0
    with open_reader(path) as reader:
        (part,) = reader.parts()
        assert json.loads(str(part.attributes["langsmith.run.inputs"])) == inputs
        assert reader.span(part.trace_id, part.span_id).tags == ("late",)


def test_parts_of_files_that_name_what_is_the_same_are_read_as_before() -> None:
    whole = make_part(1, parent=2, source_id="s", attributes={"b": "text", "a": "other", "c": "third"})
    part = replace(whole, name="early", attributes={"c": "third", "b": "text", "a": "mine"})
    now = contributors.kept(part, whole, Encoder())
    named = [["trace_id", "span_id", "parent_id", "source_id"], ["b", "c"]]
    assert now["same"] == [23, [1, 2]]
    for same in (now["same"], named):
        assert contributors.told({**now, "same": same}, whole) == part
