"""What a query call asks for: its parameters as criteria of the store, pages and cursors.

Parameters and columns: https://api.reference.langfuse.com; langfuse.api in the Python SDK.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import ceil
from typing import Any

import orjson
from starlette.responses import Response

from collector import ids
from collector.conventions.langfuse import KINDS, moment_ns
from collector.conventions.values import number
from collector.errors import DecodeError, FilterError
from collector.receiver.call import Call
from collector.store.lookup import Is

MOST = 1000
TYPES = {ours: theirs.upper() for theirs, ours in KINDS.items()}
"""Our kinds as Langfuse's types of observations; every other is a SPAN."""


def limit_of(call: Call, default: int = 50) -> int:
    """`limit`, held to what one answer should carry."""
    return min(_whole(call, "limit", default), MOST)


def text_of(said: Mapping[str, Any], key: str) -> str:
    """What a body must say under `key`. DecodeError where it is missing, empty or no text."""
    value = said.get(key)
    if not isinstance(value, str) or not value:
        raise DecodeError(f"{key} is missing, or no text")
    return value


def page_of(call: Call) -> int:
    """`page`, from 1."""
    return _whole(call, "page", 1)


def _whole(call: Call, name: str, default: int) -> int:
    given = call.query.get(name) or str(default)
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) < 2**31:
        raise DecodeError(f"{name} is {given[:40]!r}; it takes a whole number from 1")
    return int(given)


def meta(call: Call, total: int, default: int = 50) -> dict[str, int]:
    """What a list by pages says of itself."""
    limit = limit_of(call, default)
    return {"page": page_of(call), "limit": limit, "totalItems": total, "totalPages": ceil(total / limit)}


def offset_of(call: Call, default: int = 50) -> int:
    return (page_of(call) - 1) * limit_of(call, default)


def cursor_of(last: Sequence[Any] | None) -> str | None:
    """A cursor after a row: its two columns of order."""
    return None if last is None else urlsafe_b64encode(orjson.dumps(list(last[-2:]))).decode()


def after(call: Call) -> tuple[int, str | int] | None:
    """Where a cursor says that the last page ended; None on the first."""
    given = call.query.get("cursor")
    if not given:
        return None
    try:
        at, tie = orjson.loads(urlsafe_b64decode(given))
    except ValueError as e:
        raise DecodeError("the cursor is none of ours; leave it out to begin with the first page") from e
    if not isinstance(at, int) or not isinstance(tie, str | int):
        raise DecodeError("the cursor is none of ours; leave it out to begin with the first page")
    return at, tie


def moment(given: str) -> int:
    """A time in a parameter as Unix nanoseconds."""
    found = moment_ns(given)
    if found is None:
        raise DecodeError(f"{given[:40]!r} is no time; write it like 2026-11-21T14:00:00Z")
    return found


def trace(given: str) -> str:
    return ids.trace_id(given)


def span(given: str) -> str:
    return ids.span_id(given)


Answer = Callable[[Call], Awaitable[Response]]
Column = tuple[str, Callable[[str], Any]]
SPAN_PARAMETERS: dict[str, Column] = {
    "name": ("name", str), "userId": ("user", str), "sessionId": ("session", str), "traceId": ("trace", trace),
    "level": ("level", str.lower), "version": ("version", str),
}  # fmt: skip
TRACE_PARAMETERS: dict[str, Column] = {
    "name": ("name", str), "userId": ("user", str), "sessionId": ("session", str), "version": ("version", str),
    "release": ("release", str),
}  # fmt: skip
SCORE_PARAMETERS: dict[str, Column] = {
    "name": ("name", str), "userId": ("user", str), "dataType": ("data_type", str.lower), "configId": ("config", str),
    "traceId": ("trace", trace), "observationId": ("span", span), "sessionId": ("session", str), "id": ("score", str),
    "datasetRunId": ("experiment", str), "experimentId": ("experiment", str), "queueId": ("queue", str),
}  # fmt: skip


def plain(call: Call, columns: dict[str, Column], start: str, *, many: bool = False) -> list[Is]:
    """The parameters of `columns`, `environment` and `tags`, and the times from{start} to{start}. `many`: a
    parameter may list several, with commas."""
    query = call.request.query_params
    wanted: list[Is] = []
    for name, (column, read) in columns.items():
        given = query.get(name)
        if not given:
            continue
        values = given.split(",") if many else [given]
        wanted.append(Is(column, "in", tuple(read(one) for one in values)))
    for name, op in (("environment", "in"), ("tags", "all of"), ("traceTags", "all of")):
        if given_all := query.getlist(name):
            column = "environment" if name == "environment" else "tags"
            wanted.append(Is(column, op, tuple(given_all)))
    for bound, op in (("from", ">="), ("to", "<")):
        if given := query.get(f"{bound}{start}"):
            wanted.append(Is("start", op, (moment(given),)))
    return wanted


def of_types(names: Sequence[str], op: str = "in") -> Is:
    """Observations of Langfuse's types: those of our kinds that answer as such."""
    kinds: set[str] = set()
    for name in names:
        known = KINDS.get(name.lower())
        kinds |= {known} if known else {"span", "http", "db", "prompt", "reranker"} if name.upper() == "SPAN" else set()
    return Is("kind", op, tuple(sorted(kinds)))


def observations(call: Call) -> list[Is]:
    """What `GET …/observations` asks for."""
    only(
        call, "fields expandMetadata cursor parseIoAsJson name userId sessionId type traceId level parentObservationId "
        "isRootObservation environment fromStartTime toStartTime version filter",
    )  # fmt: skip
    query = call.request.query_params
    wanted = plain(call, SPAN_PARAMETERS, "StartTime")
    if kind := query.get("type"):
        wanted.append(of_types([kind]))
    if "parentObservationId" in query:
        parent = query["parentObservationId"]
        wanted.append(Is("parent", "=", (span(parent),)) if parent else Is("root", "=", (1,)))
    if (root := query.get("isRootObservation")) is not None:
        wanted.append(Is("root", "=", (int(root == "true"),)))
    return _beside(wanted, structured(query.get("filter") or "[]"))


def _beside(parameters: list[Is], filtered: list[Is]) -> list[Is]:
    """`filter` takes the place of the parameters about the same columns, and of no others, as it does there."""
    columns = {one.column for one in filtered}
    return [*filtered, *(one for one in parameters if one.column not in columns)]


def _seconds(value: Any) -> int:
    return int((number(value) or 0) * 1e9)


OF_SPANS: dict[str, Column] = {
    "id": ("span", span), "traceId": ("trace", trace), "name": ("name", str), "traceName": ("trace_name", str),
    "startTime": ("start", moment), "endTime": ("end", moment), "level": ("level", lambda v: str(v).lower()),
    "statusMessage": ("message", str), "version": ("version", str), "userId": ("user", str),
    "sessionId": ("session", str), "environment": ("environment", str), "tags": ("tags", str),
    "traceTags": ("tags", str), "parentObservationId": ("parent", span), "latency": ("duration", _seconds),
    "totalCost": ("cost", _seconds), "inputTokens": ("input_tokens", lambda v: int(number(v) or 0)),
    "outputTokens": ("output_tokens", lambda v: int(number(v) or 0)), "providedModelName": ("model", str),
    "promptName": ("prompt", str), "metadata": ("metadata", str),
}  # fmt: skip
OF_TRACES: dict[str, Column] = {
    "id": ("trace", trace), "name": ("name", str), "timestamp": ("start", moment), "userId": ("user", str),
    "sessionId": ("session", str), "environment": ("environment", str), "version": ("version", str),
    "release": ("release", str), "tags": ("tags", str), "totalCost": ("cost", _seconds),
    "errorCount": ("errors", lambda v: int(number(v) or 0)), "latency": ("duration", _seconds),
    "inputTokens": ("input_tokens", lambda v: int(number(v) or 0)), "metadata": ("metadata", str),
    "outputTokens": ("output_tokens", lambda v: int(number(v) or 0)), "scores_avg": ("score", lambda v: number(v) or 0),
    "totalTokens": ("tokens", lambda v: int(number(v) or 0)),
}  # fmt: skip
OF_SCORES: dict[str, Column] = {
    "name": ("name", str), "timestamp": ("start", moment), "value": ("value", lambda v: number(v) or 0),
    "stringValue": ("label", str), "booleanValue": ("value", lambda v: number(int(v)) or 0),
    "dataType": ("data_type", lambda v: str(v).lower()), "environment": ("environment", str),
    "configId": ("config", str),
    "traceId": ("trace", trace), "observationId": ("span", span), "userId": ("user", str),
    "sessionId": ("of_session", str), "tags": ("tags", str), "traceName": ("trace_name", str),
    "observationName": ("span_name", str), "observationModelName": ("span_model", str),
    "observationPromptName": ("span_prompt", str),
}  # fmt: skip
ORDERS = {
    "timestamp": None, "name": "name", "id": "trace", "userid": "user", "sessionid": "session", "release": "release",
    "version": "version", "totalcost": "cost", "latency": "duration",
}  # fmt: skip
"""What a list of traces can be ordered by; None is its own order."""
_OPS = {"any of": "in", "none of": "not in", "is null": "null", "is not null": "set", "matches": "contains"}


def structured(text: str, columns: Mapping[str, Column] | None = None) -> list[Is]:
    """The `filter` parameter: a JSON list of {"type", "column", "operator", "value"}, and "key" for one of metadata.
    FilterError names what it cannot do (input and output are not compared here)."""
    columns = OF_SPANS if columns is None else columns
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as e:
        raise FilterError(f"filter is not JSON: {e}") from e
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise FilterError('filter is a JSON list of {"type", "column", "operator", "value"}')
    return [_criterion(one, columns) for one in said]


def order(call: Call) -> tuple[str | None, bool]:
    """`orderBy`: the column (None for the time), and whether the smallest comes first."""
    given = call.query.get("orderBy") or "timestamp.desc"
    name, _, direction = given.lower().partition(".")
    if name not in ORDERS or direction not in ("asc", "desc"):
        raise DecodeError(
            f"orderBy is {given[:40]!r}; traces come by timestamp, name, id, userId, sessionId, release, version, "
            "totalCost or latency, each with .asc or .desc"
        )
    return ORDERS[name], direction == "asc"


def only(call: Call, names: str) -> None:
    """FilterError for a parameter of a list that is not among `names`: left aside it would answer with too much."""
    _refuse_others(call, f"page limit {names}")


def knowing(names: str, answer: Answer) -> Answer:
    """`answer`, for what is asked by its id or name: it takes the parameters `names`, and refuses all others."""

    async def checked(call: Call) -> Response:
        _refuse_others(call, names)
        return await answer(call)

    return checked


def _refuse_others(call: Call, names: str) -> None:
    known = names.split()
    if unknown := sorted(call.query.keys() - set(known)):
        said = f"only {', '.join(known)}" if known else "it takes no parameters"
        raise FilterError(f"{call.request.url.path} knows no {', '.join(unknown)[:80]} here; {said}")


def of_traces(call: Call) -> list[Is]:
    """What `GET …/traces` asks for."""
    only(call, "userId name sessionId fromTimestamp toTimestamp orderBy tags version release environment fields filter")
    wanted = plain(call, TRACE_PARAMETERS, "Timestamp")
    return _beside(wanted, structured(call.query.get("filter") or "[]", OF_TRACES))


def unfiltered(call: Call) -> None:
    """FilterError where a list is asked to filter and cannot: an answer with too much would be taken for right."""
    if (call.query.get("filter") or "[]").strip() != "[]":
        raise FilterError(f"{call.request.url.path} takes no filter here; it takes the other parameters")


def _criterion(one: dict[str, Any], columns: Mapping[str, Column]) -> Is:
    name, op, value = str(one.get("column")), str(one.get("operator")), one.get("value")
    values = value if isinstance(value, list) else [] if value is None else [value]
    if name == "type" and columns is OF_SPANS:
        return of_types([str(v) for v in values], "not in" if op in ("none of", "<>") else "in")
    if name == "isRootObservation" and columns is OF_SPANS:
        return Is("root", "=", (int((value is True) == (op == "=")),))
    if name not in columns:
        raise FilterError(f"cannot filter by {name[:80]!r} here; by {', '.join(columns)}")
    column, read = columns[name]
    key = one.get("key")
    if column in ("metadata", "score") and not isinstance(key, str):
        raise FilterError(f"a filter by {name} needs a key: which one of them")
    if one.get("type") != "arrayOptions":
        op = _OPS.get(op, op)
    try:
        return Is(column, op, () if op in ("null", "set") else tuple(read(v) for v in values), str(key or ""))
    except (TypeError, ValueError, AttributeError, OverflowError) as e:
        raise FilterError(f"{str(value)[:80]!r} is no value for {name}") from e
