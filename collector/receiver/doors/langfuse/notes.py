"""What people say beside the traces: comments, and what scores of a name may say.

A comment is kept as a score called "comment" whose label is its text: so it stands with what it is about, wherever
scores stand. Lists of scores leave it out.
"""

from __future__ import annotations

import time as clock
from typing import Any
from uuid import uuid4

from starlette.responses import Response

from collector import ids
from collector.errors import DecodeError, NotFound
from collector.library import ScoreConfig
from collector.model import Batch, Score, Value
from collector.protocols.langfuse import OWN, SOURCE
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langfuse import asking
from collector.receiver.doors.langfuse.shapes import PROJECT, time
from collector.store import lookup
from collector.store.library import Library, ScoreConfigRow
from collector.store.lookup import SCORES, Is

COMMENT = "comment"
OBJECTS = {"TRACE": "trace_id", "OBSERVATION": "span_id", "SESSION": "session_id", "PROMPT": ""}
LONGEST = 5000  # characters of a comment, as in Langfuse
DATA_TYPES = ("NUMERIC", "BOOLEAN", "CATEGORICAL")
BOOLEAN = [{"label": "True", "value": 1}, {"label": "False", "value": 0}]


# -- comments ---------------------------------------------------------------------------------------------


async def comment(call: Call) -> Response:
    said = await call.document()
    kind, name, content = (asking.text_of(said, key) for key in ("objectType", "objectId", "content"))
    kind = kind.upper()
    if kind not in OBJECTS:
        raise DecodeError(f"objectType is {kind[:40]!r}; comments are about {', '.join(OBJECTS)}")
    if len(content) > LONGEST:
        raise DecodeError(f"a comment of {len(content):,} characters is over the limit of {LONGEST:,}")
    at: dict[str, str | None] = {"trace_id": None, "span_id": None, "session_id": None}
    if kind == "OBSERVATION":
        at["trace_id"], at["span_id"] = await _span(call, name)
    elif kind == "TRACE":
        at["trace_id"] = ids.trace_id(name)
    elif kind == "SESSION":
        at["session_id"] = name
    own: dict[str, Value] = {OWN + "objectType": kind, OWN + "objectId": name}
    if said.get("authorUserId"):
        own[OWN + "authorUserId"] = asking.text_of(said, "authorUserId")
    made = Score(
        str(uuid4()), COMMENT, clock.time_ns(), at["trace_id"], at["span_id"], at["session_id"], label=content,
        data_type="categorical", source=SOURCE, metadata=own,
    )  # fmt: skip
    await call.write(Batch(SOURCE, scores=(made,)))
    return json_response({"id": made.score_id})


async def _span(call: Call, name: str) -> tuple[str, str]:
    wanted = [Is("span", "=", (ids.span_id(name),))]
    found = await call.ask(lambda reader: lookup.find(reader, lookup.SPANS, wanted, limit=1))
    if not found:
        raise NotFound(f"there is no observation {name!r}")
    return str(found[0][0]), str(found[0][1])


async def comments(call: Call) -> Response:
    asking.only(call, "objectType objectId authorUserId")
    query, limit, offset = call.query, asking.limit_of(call), asking.offset_of(call)
    wanted = [Is("about", "set")]
    if query.get("objectType"):
        wanted.append(Is("about", "=", (query["objectType"].upper(),)))
    elif query.get("objectId"):
        raise DecodeError("objectId needs an objectType")
    for name, column in (("objectId", "object"), ("authorUserId", "author")):
        if query.get(name):
            wanted.append(Is(column, "=", (query[name],)))

    def ask(reader: Any) -> tuple[list[Score], int]:
        found = lookup.scores(reader, wanted, limit=limit, offset=offset)
        return found, lookup.count(reader, SCORES, wanted)

    found, total = await call.ask(ask)
    return json_response({"data": [_comment(one) for one in found], "meta": asking.meta(call, total)})


async def comment_by_id(call: Call) -> Response:
    wanted = [Is("score", "=", (call.path["id"],)), Is("about", "set")]
    found = await call.ask(lambda reader: lookup.scores(reader, wanted, limit=1))
    if not found:
        raise NotFound(f"there is no comment {call.path['id']!r}")
    return json_response(_comment(found[0]))


def _comment(one: Score) -> dict[str, Any]:
    own = one.metadata or {}
    return {
        "id": one.score_id, "projectId": PROJECT["id"], "createdAt": time(one.time_ns), "updatedAt": time(one.time_ns),
        "objectType": own.get(OWN + "objectType"), "objectId": own.get(OWN + "objectId"), "content": one.label or "",
        "authorUserId": own.get(OWN + "authorUserId"),
    }  # fmt: skip


def is_comment(one: Score) -> bool:
    return one.metadata is not None and OWN + "objectType" in one.metadata


# -- score configs ----------------------------------------------------------------------------------------


async def create_config(call: Call) -> Response:
    said = await call.document()
    kind = asking.text_of(said, "dataType")
    if kind not in DATA_TYPES:
        raise DecodeError(f"dataType is {kind[:40]!r}; it is one of {', '.join(DATA_TYPES)}")
    if kind == "CATEGORICAL" and not said.get("categories"):
        raise DecodeError("a categorical config needs categories")
    made = _config(said, str(uuid4()), asking.text_of(said, "name"), kind, None)
    await call.write(Batch(SOURCE, library=(made,)))
    return json_response(_shape(await _known(call, made.config_id)))


async def update_config(call: Call) -> Response:
    said, row = await call.document(), await _known(call, call.path["id"])
    archived = said.get("isArchived")
    if archived is not None and not isinstance(archived, bool):
        raise DecodeError("isArchived is true or false")
    name = row.name if said.get("name") is None else asking.text_of(said, "name")
    await call.write(Batch(SOURCE, library=(_config(said, row.config_id, name, row.data_type.upper(), archived),)))
    return json_response(_shape(await _known(call, row.config_id)))


async def configs(call: Call) -> Response:
    asking.only(call, "")
    found = await call.ask(lambda reader: Library(reader).score_configs(limit=100_000))
    first = asking.offset_of(call)
    some = found[::-1][first : first + asking.limit_of(call)]
    return json_response({"data": [_shape(one) for one in some], "meta": asking.meta(call, len(found))})


async def config_by_id(call: Call) -> Response:
    return json_response(_shape(await _known(call, call.path["id"])))


async def _known(call: Call, name: str) -> ScoreConfigRow:
    found = await call.ask(lambda reader: Library(reader).score_configs(config_id=name, limit=1))
    if not found:
        raise NotFound(f"there is no score config {name!r}")
    return found[0]


def _config(said: dict[str, Any], config_id: str, name: str, kind: str, archived: bool | None) -> ScoreConfig:
    low, high = (_figure(said, key) for key in ("minValue", "maxValue"))
    if low is not None and high is not None and low >= high:
        raise DecodeError(f"minValue {low} is not below maxValue {high}")
    categories = BOOLEAN if kind == "BOOLEAN" else said.get("categories")
    if categories is not None and not _are_categories(categories):
        raise DecodeError('categories is a list of {"label": text, "value": number}')
    description = said.get("description")
    return ScoreConfig(
        config_id, name, kind.lower(), description if isinstance(description, str) else None, low, high, categories,
        archived, SOURCE,
    )  # fmt: skip


def _are_categories(given: Any) -> bool:
    return isinstance(given, list) and all(
        isinstance(one, dict) and isinstance(one.get("label"), str) and type(one.get("value")) in (int, float)
        for one in given
    )


def _figure(said: dict[str, Any], key: str) -> float | None:
    given = said.get(key)
    if given is not None and (isinstance(given, bool) or not isinstance(given, int | float) or abs(given) > 1e300):
        raise DecodeError(f"{key} is a number")
    return None if given is None else float(given)


def _shape(row: ScoreConfigRow) -> dict[str, Any]:
    return {
        "id": row.config_id, "name": row.name, "createdAt": time(row.created_ns), "updatedAt": time(row.updated_ns),
        "projectId": PROJECT["id"], "dataType": row.data_type.upper(), "isArchived": row.archived,
        "minValue": row.min_value, "maxValue": row.max_value, "categories": row.categories,
        "description": row.description,
    }  # fmt: skip
