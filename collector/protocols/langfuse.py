"""Langfuse's own ingestion: batches of events, and scores. What its SDKs from version 3 on send as OTLP is not here.

    {"batch": [{"id", "type": "generation-create", "timestamp", "body": {…}}, …], "metadata": {…}}

An event says something about a trace or an observation; a later one may say more, or something else. Each becomes a
part, in the attributes that Langfuse itself uses on OTLP spans (`langfuse.observation.input`), so that one convention
reads both, and an event's fields that nobody knows are kept under those names too.

A trace of Langfuse has a name, an input and an output of its own. It becomes the root span of its observations.
Types: langfuse.api.ingestion in the Python SDK; https://api.reference.langfuse.com (ingestion, scores)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from collector import ids
from collector.conventions.langfuse import moment_ns
from collector.conventions.values import decoded, number
from collector.errors import DecodeError, TooLarge
from collector.library import Experiment, ExperimentRun, Item
from collector.model import Batch, Rank, Score, SpanPart, Value
from collector.protocols import jsonbody
from collector.protocols.limits import LIMITS, Limits, Refusals

SOURCE = "langfuse"
TRACE = "trace"
"""`langfuse.observation.type` of the span that stands for a trace: no observation of the sender's."""
OWN = "langfuse."
"""Prefix of what a score says beside what our scores hold, in its metadata."""

_EVENTS = {
    "span-create": "span", "span-update": "span", "generation-create": "generation", "generation-update": "generation",
    "event-create": "event", "observation-create": None, "observation-update": None,
    **{f"{kind}-create": kind for kind in
       ("agent", "tool", "chain", "retriever", "evaluator", "embedding", "guardrail")},
}  # fmt: skip
_OBSERVATION = {
    "input": "langfuse.observation.input", "output": "langfuse.observation.output",
    "model": "langfuse.observation.model.name", "modelParameters": "langfuse.observation.model.parameters",
    "level": "langfuse.observation.level", "statusMessage": "langfuse.observation.status_message",
    "completionStartTime": "langfuse.observation.completion_start_time",
    "promptName": "langfuse.observation.prompt.name", "promptVersion": "langfuse.observation.prompt.version",
    "version": "langfuse.version", "environment": "langfuse.environment",
}  # fmt: skip
_TRACE = {
    "userId": "user.id", "sessionId": "session.id", "tags": "langfuse.trace.tags", "input": "langfuse.trace.input",
    "output": "langfuse.trace.output", "release": "langfuse.release", "version": "langfuse.version",
    "environment": "langfuse.environment", "public": "langfuse.trace.public",
}  # fmt: skip
_SAID = frozenset({"id", "traceId", "parentObservationId", "name", "startTime", "endTime", "type", "usage",
                   "usageDetails", "costDetails", "metadata", "trace"})  # fmt: skip
_OF_TRACE = frozenset({"id", "name", "timestamp", "metadata", "start_time", "end_time", "startTime", "endTime"})
_COSTS = {"inputCost": "input", "outputCost": "output", "totalCost": "total"}
_SCORE = frozenset({"id", "traceId", "observationId", "sessionId", "name", "value", "stringValue", "dataType",
                    "comment", "timestamp", "metadata"})  # fmt: skip
_LATEST = 2**62
_EXPERIMENT = "langfuse.experiment."
_DATA_TYPES = {"NUMERIC": "numeric", "BOOLEAN": "boolean", "CATEGORICAL": "categorical"}


@dataclass(slots=True)
class Ingestion:
    """A batch of events, decoded: what to write, and what to tell the sender of each, in the answer's own shape.
    An event with an error is in `batch.refused`, unless it only needs no storing."""

    batch: Batch
    successes: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)


def decode_ingestion(body: bytes, now_ns: int, limits: Limits = LIMITS) -> Ingestion:
    """DecodeError where it is no batch, TooLarge where it holds too many events; one wrong event costs itself."""
    said = jsonbody.load(body, "a Langfuse batch", depth=None)  # an event that is nested too deeply costs itself
    events = said.get("batch") if isinstance(said, dict) else None
    if not isinstance(events, list):
        raise DecodeError(f"a body of {len(body):,} bytes is no Langfuse batch: it needs a list under 'batch'")
    if len(events) > limits.spans:
        raise TooLarge(
            f"{len(events):,} events in one body are over the limit of {limits.spans:,}; send smaller batches"
        )
    return _Events(now_ns).decode(events)


def decode_scores(body: bytes, now_ns: int, limits: Limits = LIMITS) -> tuple[list[Score], list[dict[str, Any]]]:
    """A score or a list of them (`POST /api/public/scores`): the scores, and of each that is wrong
    {"index", "id", "error"}. DecodeError where it is neither."""
    said = jsonbody.load(body, "a list of scores")
    many = said if isinstance(said, list) else [said]
    if len(many) > limits.spans:
        raise TooLarge(f"{len(many):,} scores in one body are over the limit of {limits.spans:,}; send fewer")
    scores: list[Score] = []
    errors: list[dict[str, Any]] = []
    for index, one in enumerate(many):
        try:
            scores.append(score(one, None, now_ns))
        except DecodeError as e:
            given = one.get("id") if isinstance(one, dict) else None
            errors.append({"index": index, "id": given if isinstance(given, str) else None, "error": str(e)})
    return scores, errors


def experiments(parts: Iterable[SpanPart]) -> tuple[Item, ...]:
    """The experiments that spans name themselves, and which trace an item led to (the SDKs from version 4 on)."""
    found: dict[str, Item] = {}
    for part in parts:
        said = part.attributes
        name, item = _text(said.get(_EXPERIMENT + "id")), _text(said.get(_EXPERIMENT + "item.id"))
        if name is None:
            continue
        known = found.get(name)
        description, metadata = said.get(_EXPERIMENT + "description"), said.get(_EXPERIMENT + "metadata")
        if not isinstance(known, Experiment) or description or metadata:
            called, dataset = (_text(said.get(_EXPERIMENT + key)) for key in ("name", "dataset.id"))
            start = min(part.start_ns or part.at_ns, known.created_ns if isinstance(known, Experiment) else _LATEST)
            found[name] = Experiment(
                name, called or name, dataset, _text(description), decoded(metadata) if metadata else None,
                source=SOURCE, created_ns=start,
            )  # fmt: skip
        if item is not None:
            root = _text(said.get(_EXPERIMENT + "item.root_observation_id"))
            run = run_id(name, item, part.trace_id)
            span = ids.span_id(root) if root else None
            found[run] = ExperimentRun(run, name, item, part.trace_id, span, created_ns=part.start_ns or part.at_ns)
    return tuple(found.values())


def run_id(experiment_id: str, item_id: str, trace_id: str) -> str:
    """One name for what an item led to, whether a request says it or the spans do."""
    return f"{experiment_id}:{item_id}:{trace_id}"


class _Events:
    """One batch on its way."""

    def __init__(self, now_ns: int) -> None:
        self._now = now_ns
        self._parts: list[SpanPart] = []
        self._scores: list[Score] = []
        self._refused = Refusals()
        self._times: dict[tuple[str, str], int] = {}
        self._spread: dict[str, tuple[str, int | None, int | None]] = {}

    def decode(self, events: list[Any]) -> Ingestion:
        out = Ingestion(Batch(SOURCE))
        for event in events:
            given = event.get("id") if isinstance(event, dict) else None
            name = given if isinstance(given, str) else ""
            try:
                self._event(event)
            except (DecodeError, TypeError) as e:  # orjson: nested too deep, or a number that no JSON holds
                out.errors.append({"id": name, "status": 400, "message": str(e), "error": "InvalidRequestError"})
                self._refused.add(_reason(event), f"{e}: {_sample(event)}")
            else:
                out.successes.append({"id": name, "status": 201})
        self._parts += [
            part
            for trace, (source, first, last) in self._spread.items()
            for part in _extent(trace, source, first, last)
        ]
        out.batch = Batch(SOURCE, tuple(self._parts), tuple(self._scores), refused=self._refused.result())
        return out

    def _event(self, event: Any) -> None:
        if not isinstance(event, dict) or not isinstance(event.get("body"), dict):
            raise DecodeError("an event is an object with a type and a body")
        kind, body = event.get("type"), event["body"]
        at = moment_ns(event.get("timestamp")) or self._now
        if kind == "trace-create":
            self._parts.append(self._trace(body, at))
        elif kind == "score-create":
            self._scores.append(score(body, event.get("id"), at))
        elif kind == "sdk-log":
            self._refused.add("the SDK's own log is not stored", _sample(event))
        elif kind in _EVENTS:
            self._parts.append(self._observation(body, event, _EVENTS[kind], at))
        else:
            raise DecodeError(f"an event of type {str(kind)[:80]!r} is not known here")

    def _trace(self, body: dict[str, Any], at: int) -> SpanPart:
        given = _id(body.get("id"), "trace")
        trace = ids.trace_id(given)
        attributes: dict[str, Value] = {"langfuse.observation.type": TRACE}
        _put(attributes, body, _TRACE, _OF_TRACE, "langfuse.trace.")
        start, end = (_moment(body, name) for name in ("start", "end"))
        self._spread[trace] = _widened(self._spread.get(trace), given, moment_ns(body.get("timestamp")) or at, None)
        return SpanPart(
            trace, root_of(trace), Rank.FINISHED, self._moment(trace, "", at), None, _name(body),
            start, end, attributes=attributes,
            source_id=given, source_trace_id=given,
        )  # fmt: skip

    def _observation(self, body: dict[str, Any], event: dict[str, Any], kind: str | None, at: int) -> SpanPart:
        given = _id(body.get("id") or event.get("id"), "observation")
        of = _id(body.get("traceId") or given, "trace")
        trace, span = ids.trace_id(of), ids.span_id(given)
        parent = body.get("parentObservationId")
        start, end = moment_ns(body.get("startTime")), moment_ns(body.get("endTime"))
        if kind == "event":
            start = start or (at if str(event.get("type")).endswith("create") else None)
            end = end or start
        attributes: dict[str, Value] = {}
        said = kind or str(body.get("type") or "").lower()
        if said:
            attributes["langfuse.observation.type"] = said
        _put(attributes, body, _OBSERVATION, _SAID, "langfuse.observation.")
        _usage(attributes, body)
        self._spread[trace] = _widened(self._spread.get(trace), of, start, end or start)
        level = body.get("level")
        return SpanPart(
            trace, span, Rank.UPDATE, self._moment(trace, span, at),
            ids.span_id(parent) if isinstance(parent, str) and parent else root_of(trace) if start else None,
            _name(body), start, end, "error" if level == "ERROR" else "ok" if level else None,
            body["statusMessage"] if isinstance(body.get("statusMessage"), str) else None,
            attributes=attributes, source_id=given, source_trace_id=of,
        )  # fmt: skip

    def _moment(self, trace: str, span: str, at: int) -> int:
        """The event's time, later than the last one's of the same span: of two sent in the same millisecond the
        later in the batch is the later."""
        last = self._times.get((trace, span), 0)
        self._times[trace, span] = at = max(at, last + 1)
        return at


def root_of(trace_id: str) -> str:
    """The id of the span that stands for a trace."""
    return ids.span_id(f"langfuse trace {trace_id}")


def score(body: Any, event_id: Any, at_ns: int) -> Score:
    """A score of the API as ours. DecodeError says what it lacks."""
    if not isinstance(body, dict):
        raise DecodeError("a score is an object")
    name, value = body.get("name"), body.get("value")
    if not isinstance(name, str) or not name:
        raise DecodeError("a score needs a name")
    given = body.get("id") or event_id
    trace, span, session = (_text(body.get(key)) for key in ("traceId", "observationId", "sessionId"))
    if not (trace or session or body.get("datasetRunId")):
        raise DecodeError(f"score {name!r} names no trace, session or dataset run")
    figure, label, data_type = _judgement(name, value, body.get("dataType"))
    metadata: dict[str, Value] = dict(body["metadata"]) if isinstance(body.get("metadata"), dict) else {}
    if body.get("metadata") is not None and not isinstance(body["metadata"], dict):
        metadata[OWN + "metadata"] = body["metadata"]
    metadata.update({OWN + key: said for key, said in body.items() if key not in _SCORE and said is not None})
    if body.get("dataType") not in (None, *_DATA_TYPES):
        metadata[OWN + "dataType"] = body["dataType"]
    if trace and ids.trace_id(trace) != trace:
        metadata[OWN + "traceId"] = trace
    if span and ids.span_id(span) != span:
        metadata[OWN + "observationId"] = span
    comment = body.get("comment")
    return Score(
        given if isinstance(given, str) and given else _made_up(body), name,
        moment_ns(body.get("timestamp")) or at_ns, ids.trace_id(trace) if trace else None,
        ids.span_id(span) if span else None, session, figure, label, data_type,
        comment if isinstance(comment, str) else None, SOURCE, metadata or None,
    )  # fmt: skip


def _judgement(name: str, value: Any, data_type: Any) -> tuple[float | None, str | None, str]:
    if isinstance(value, bool):
        return float(value), None, "boolean"
    if isinstance(value, str) and _DATA_TYPES.get(str(data_type), "categorical") == "categorical":
        return None, value, "categorical"
    figure = number(value)
    if figure is None:
        raise DecodeError(f"score {name!r} has no value: a number, or a text where it is categorical")
    if data_type == "CATEGORICAL":
        return None, str(value), "categorical"
    return figure, None, _DATA_TYPES.get(str(data_type), "numeric")


def _made_up(body: dict[str, Any]) -> str:
    """An id for a score without one: the same score sent again is the same score."""
    return ids.trace_id(f"score {orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()}")


def _put(
    attributes: dict[str, Value], body: Mapping[str, Any], names: Mapping[str, str], said: frozenset[str], rest: str
) -> None:
    """A body's fields as attributes: known ones by their names, others under a prefix, metadata key by key."""
    for key, value in body.items():
        if value is None or key in said:
            continue
        name = names.get(key) or rest + key
        attributes[name] = value if isinstance(value, str) or key == "tags" else _plain(value)
    metadata = body.get("metadata")
    if isinstance(metadata, dict):
        attributes.update({f"{rest}metadata.{key}": _plain(value) for key, value in metadata.items()})
    elif metadata is not None:
        attributes[f"{rest}metadata"] = _plain(metadata)


def _plain(value: Any) -> Value:
    """Scalars as they are, the rest as JSON, as on OTLP spans: one text, kept once however often it is sent."""
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else value


def _usage(attributes: dict[str, Value], body: Mapping[str, Any]) -> None:
    usage, details, costs = (body.get(key) for key in ("usage", "usageDetails", "costDetails"))
    if isinstance(usage, dict):
        if not details:
            details = {key: value for key, value in usage.items() if key not in _COSTS and key != "unit"}
        if not costs:
            costs = {ours: usage[key] for key, ours in _COSTS.items() if usage.get(key) is not None}
        if unit := usage.get("unit"):
            attributes["langfuse.observation.usage_unit"] = str(unit)
    if isinstance(details, dict) and any(value is not None for value in details.values()):
        attributes["langfuse.observation.usage_details"] = _plain(details)
    if isinstance(costs, dict) and costs:
        attributes["langfuse.observation.cost_details"] = _plain(costs)


def _widened(
    so_far: tuple[str, int | None, int | None] | None, source: str, start: int | None, end: int | None
) -> tuple[str, int | None, int | None]:
    _, first, last = so_far or (source, None, None)
    begun = [at for at in (first, start) if at is not None]
    ended = [at for at in (last, end) if at is not None]
    return source, min(begun, default=None), max(ended, default=None)


def _extent(trace: str, source: str, first: int | None, last: int | None) -> list[SpanPart]:
    """From when to when a trace lasts, as far as its observations say: it has no end of its own, and no start either
    where nobody announced it. The latest end wins by its time; of the starts the earliest has the latest."""
    root, out = root_of(trace), []
    kind: dict[str, Value] = {"langfuse.observation.type": TRACE}
    if first is not None:
        out.append(SpanPart(trace, root, Rank.STARTED, _LATEST - first, start_ns=first, attributes=dict(kind)))
    if last is not None:
        out.append(SpanPart(trace, root, Rank.FINISHED, last, end_ns=last, attributes=dict(kind)))
    for part in out:
        part.source_id = part.source_trace_id = source
    return out


def _moment(body: Mapping[str, Any], name: str) -> int | None:
    """A trace's start or end, which the decorator of the Python SDK 2 sends in snake case."""
    return moment_ns(body.get(f"{name}_time")) or moment_ns(body.get(f"{name}Time"))


def _name(body: Mapping[str, Any]) -> str | None:
    name = body.get("name")
    return name if isinstance(name, str) else None


def _id(given: Any, what: str) -> str:
    if not isinstance(given, str) or not given:
        raise DecodeError(f"the id of {'an' if what[0] in 'aeio' else 'a'} {what} is missing")
    return given


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _reason(event: Any) -> str:
    kind = event.get("type") if isinstance(event, dict) else None
    return f"a Langfuse event that cannot be read ({str(kind)[:40]})"


def _sample(event: Any) -> str:
    try:
        return orjson.dumps(event).decode()[:2000]
    except TypeError:
        return ""
