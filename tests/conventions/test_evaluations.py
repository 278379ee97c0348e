"""Judgements that came as telemetry are scores of the span that they are about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector.conventions import evaluations
from collector.ingest import Ingest
from collector.model import Batch, Event, LogRecord, Scope, SpanPart
from collector.settings import Settings
from collector.store import open_reader

TRACE, SPAN, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
RESULT = "gen_ai.evaluation.result"
SAID: dict[str, Any] = {
    "gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.9,
    "gen_ai.evaluation.score.label": "relevant", "gen_ai.evaluation.explanation": "it answers",
}  # fmt: skip


def part(**fields: Any) -> SpanPart:
    return SpanPart(TRACE, SPAN, **{"name": "chat", "start_ns": 1, "end_ns": 9, "at_ns": 9, **fields})


@pytest.mark.parametrize(("given", "about"), [
    (part(events=(Event(5, RESULT, SAID),)), SPAN),
    (part(logs=(LogRecord(5, RESULT, None, SAID),)), SPAN),
    (part(logs=(LogRecord(5, RESULT, SAID, {}),)), SPAN),
    (part(name=RESULT, parent_id=PARENT, attributes=SAID), PARENT),
    (part(name="judge", parent_id=PARENT, attributes=SAID), SPAN),
])  # fmt: skip
def test_an_evaluation_is_a_score_wherever_it_was_put(given: SpanPart, about: str) -> None:
    (score,) = evaluations(given)
    assert (score.trace_id, score.span_id, score.name, score.value) == (TRACE, about, "relevance", 0.9)
    assert (score.data_type, score.label, score.comment) == ("numeric", None, "it answers")
    assert (score.metadata, score.source) == ({"label": "relevant"}, "otel")


def test_a_label_alone_is_a_category_and_nothing_is_no_score() -> None:
    label = {"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.label": "kind"}
    (score,) = evaluations(part(attributes=label))
    assert (score.label, score.value, score.data_type) == ("kind", None, "categorical")
    assert evaluations(part(attributes={"gen_ai.evaluation.name": "tone"})) == []
    assert evaluations(part(events=(Event(5, RESULT, {"gen_ai.evaluation.score.value": 1}),))) == []


def test_the_cases_of_pydantic_evals_are_judged_by_name() -> None:
    given = part(scope=Scope("pydantic-evals"), attributes={
        "scores": json.dumps({"accuracy": {"name": "accuracy", "value": 0.5, "reason": "half"}}),
        "assertions": json.dumps({"polite": {"name": "polite", "value": True, "reason": None}}),
        "labels": json.dumps({"tone": {"name": "tone", "value": "kind"}}),
    })  # fmt: skip
    found = {score.name: (score.value, score.label, score.data_type, score.comment) for score in evaluations(given)}
    assert found == {
        "accuracy": (0.5, None, "numeric", "half"), "polite": (1.0, None, "boolean", None),
        "tone": (None, "kind", "categorical", None),
    }  # fmt: skip


def test_arizes_evaluations_are_read_from_their_flat_names() -> None:
    given = part(
        attributes={"eval.toxic.score": 0, "eval.toxic.label": "no", "eval.toxic.explanation": "nice", "eval.": 1}
    )
    (score,) = evaluations(given)
    assert (score.name, score.value, score.comment, score.metadata) == ("toxic", 0.0, "nice", {"label": "no"})


def test_a_span_of_anything_else_says_no_score() -> None:
    assert evaluations(part(attributes={"scores": '{"a": 1}', "color": "red"}, events=(Event(5, "x"),))) == []


def test_an_evaluation_sent_twice_is_one_score_in_the_file(tmp_path: Path) -> None:
    db = tmp_path / "traces.db"
    with Ingest(db, Settings(db=db)) as ingest:
        for _ in range(2):
            ingest.write(Batch("otlp-http", (part(events=(Event(5, RESULT, SAID),)),)))
    with open_reader(db) as reader:
        assert [(score.name, score.value, score.span_id) for score in reader.scores(TRACE)] == [
            ("relevance", 0.9, SPAN)
        ]
