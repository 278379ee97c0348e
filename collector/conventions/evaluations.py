"""Judgements that came as telemetry: as scores of ours, of the span that they are about.

- OpenTelemetry's event `gen_ai.evaluation.result`, of a span or as a log record; also as a span of its own
  (some bridges know no events), which judges its parent. opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/
- Pydantic Evals' cases: `scores`, `assertions` and `labels` as JSON by name.
- Arize's `eval.NAME.score`, `.label` and `.explanation`; Braintrust's `braintrust.scores` by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from collector.conventions.values import mapping, number, text
from collector.model import Score, SpanPart, Value

RESULT = "gen_ai.evaluation.result"
SOURCE = "otel"
_NAME = "gen_ai.evaluation.name"
_BRAINTRUST = "braintrust.scores"
_CASES = ("scores", "assertions", "labels")


def evaluations(part: SpanPart) -> list[Score]:
    """Scores that a part says. The same part gives the same ids, so that a repetition adds none. Pure."""
    out: list[Score] = []
    for event in part.events:
        if event.name == RESULT:
            out += _result(part, part.span_id, event.time_ns, event.attributes)
    for log in part.logs:
        if log.event_name == RESULT:
            body = log.body if isinstance(log.body, dict) else {}
            out += _result(part, part.span_id, log.time_ns, {**body, **log.attributes})
    attributes = part.attributes
    if _NAME in attributes:
        of_parent = part.name == RESULT and part.parent_id is not None
        about = part.parent_id if of_parent and part.parent_id else part.span_id
        out += _result(part, about, part.at_ns, attributes)
    if part.scope is not None and part.scope.name == "pydantic-evals":
        out += _cases(part)
    if _BRAINTRUST in attributes:
        for name, value in (mapping(attributes[_BRAINTRUST]) or {}).items():
            out += _score(part, part.span_id, name, part.at_ns, value, None, None)
    if "eval." in "\n".join(attributes):  # one look at all keys: this is asked of every span
        out += _arize(part)
    return out


def _result(part: SpanPart, span_id: str, at_ns: int, said: Mapping[str, Value]) -> Iterator[Score]:
    name = text(said.get(_NAME))
    if name is not None:
        yield from _score(
            part, span_id, name, at_ns, said.get("gen_ai.evaluation.score.value"),
            text(said.get("gen_ai.evaluation.score.label")), text(said.get("gen_ai.evaluation.explanation")),
        )  # fmt: skip


def _cases(part: SpanPart) -> Iterator[Score]:
    for group in _CASES:
        for name, said in (mapping(part.attributes.get(group)) or {}).items():
            judged = said if isinstance(said, dict) else {"value": said}
            value, label = judged.get("value"), None
            if isinstance(value, str):
                value, label = None, value
            yield from _score(part, part.span_id, name, part.at_ns, value, label, text(judged.get("reason")))


def _arize(part: SpanPart) -> Iterator[Score]:
    judged: dict[str, dict[str, Value]] = {}
    for key, value in part.attributes.items():
        name, _, leaf = key.removeprefix("eval.").rpartition(".")
        if key.startswith("eval.") and name and leaf in ("score", "label", "explanation"):
            judged.setdefault(name, {})[leaf] = value
    for name, said in judged.items():
        yield from _score(
            part, part.span_id, name, part.at_ns, said.get("score"), text(said.get("label")),
            text(said.get("explanation")),
        )  # fmt: skip


def _score(
    part: SpanPart, span_id: str, name: str, at_ns: int, value: Any, label: str | None, comment: str | None
) -> Iterator[Score]:
    """One score, where there is a number or a label. Of both, the number counts and the label stands beside it."""
    judged = float(value) if isinstance(value, bool) else number(value)
    if judged is None and label is None:
        return
    kind = "boolean" if isinstance(value, bool) else "numeric" if judged is not None else "categorical"
    beside: dict[str, Value] | None = {"label": label} if judged is not None and label is not None else None
    said = f"{part.trace_id} {span_id} {name} {at_ns}"
    yield Score(
        hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:32], name, at_ns, part.trace_id, span_id,
        value=judged, label=label if judged is None else None, data_type=kind, comment=comment, source=SOURCE,
        metadata=beside,
    )  # fmt: skip
