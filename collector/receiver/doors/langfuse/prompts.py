"""Prompts: versions under a name, labels that move between them.

GET    /api/public/v2/prompts[?name=&label=&tag=]        POST  the next version
GET    /api/public/v2/prompts/{name}[?version=|label=]   by default the one labelled "production"
PATCH  /api/public/v2/prompts/{name}/versions/{version}  {"newLabels": […]}
DELETE /api/public/v2/prompts/{name}[?version=|label=]
"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import orjson
from starlette.responses import Response

from collector.errors import DecodeError, NotFound
from collector.library import Gone, Prompt, PromptLabels
from collector.model import Batch
from collector.protocols.langfuse import SOURCE
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langfuse import asking
from collector.receiver.doors.langfuse.shapes import PROJECT, time
from collector.store.library import Library, PromptName, PromptRow

TAG = re.compile(
    r"@@@langfusePrompt:name=(?P<name>[^|@]+)\|(?:version=(?P<version>\d{1,9})|label=(?P<label>[^|@]+))@@@"
)
"""Where another prompt's text belongs."""
DEEPEST = 5
LONGEST = 10_000_000
PRODUCTION = "production"
LATEST = "latest"


async def create(call: Call) -> Response:
    said = await call.json()
    name, body = (said.get(key) for key in ("name", "prompt")) if isinstance(said, dict) else (None, None)
    if not isinstance(name, str) or not name or not isinstance(body, str | list):
        raise DecodeError("a prompt needs a name, and under 'prompt' a text or a list of messages")
    labels = tuple(label for label in _texts(said, "labels") if label != LATEST)
    if said.get("isActive") is True and PRODUCTION not in labels:
        labels = (*labels, PRODUCTION)
    message = said.get("commitMessage")
    prompt = Prompt(
        str(uuid4()), name, body, None, said.get("config"), labels,
        _texts(said, "tags") if said.get("tags") is not None else None, message if isinstance(message, str) else None,
        SOURCE,
    )  # fmt: skip
    await call.write(Batch(SOURCE, library=(prompt,)))
    made = await call.ask(lambda reader: Library(reader).prompt_by_id(prompt.prompt_id))
    if made is None:
        raise NotFound(f"prompt {name!r} was deleted while it was made")
    return json_response(shape(made), 201)


async def get(call: Call) -> Response:
    """With the prompts that it is made of put in their places, unless `resolve` is false."""
    row = await _wanted(call, call.path["name"])
    if call.query.get("resolve", "true").lower() == "false" or TAG.search(orjson.dumps(row.body).decode()) is None:
        return json_response(shape(row))
    body, graph = await call.ask(lambda reader: resolved(Library(reader), row))
    return json_response({**shape(row), "prompt": body, "resolutionGraph": graph})


def resolved(shelf: Library, row: PromptRow) -> tuple[Any, dict[str, Any]]:
    """A prompt's body with the texts of those that it names, and which names which. DecodeError for one that is not
    there, that is no text, or for circles."""
    graph: dict[str, Any] = {"root": _node(row), "dependencies": {}}

    def put(text: str, of: PromptRow, above: tuple[str, ...]) -> str:
        def found(tag: re.Match[str]) -> str:
            name, version, label = tag["name"], tag["version"], tag["label"]
            which = f"version {version}" if version else f"label {label!r}"
            part = shelf.prompt(name, version=int(version) if version else None, label=label)
            if part is None or not isinstance(part.body, str):
                what = "there is no" if part is None else "a list of messages is"
                raise DecodeError(f"prompt {row.name!r} is made of {name!r} with {which}, and {what} such text")
            if part.prompt_id in above or len(above) >= DEEPEST:
                raise DecodeError(f"prompt {row.name!r} is made of itself, or of more than {DEEPEST} layers")
            below = graph["dependencies"].setdefault(of.prompt_id, [])
            if _node(part) not in below:
                below.append(_node(part))
            return put(part.body, part, (*above, part.prompt_id))

        text = TAG.sub(found, text)
        if len(text) > LONGEST:
            raise DecodeError(f"prompt {row.name!r} with all that it is made of is over {LONGEST:,} characters")
        return text

    if isinstance(row.body, str):
        return put(row.body, row, (row.prompt_id,)), graph
    body = [
        {**one, "content": put(one["content"], row, (row.prompt_id,))}
        if isinstance(one, dict) and isinstance(one.get("content"), str) else one
        for one in row.body
    ]  # fmt: skip
    return body, graph


def _node(row: PromptRow) -> dict[str, Any]:
    return {"id": row.prompt_id, "name": row.name, "version": row.version}


async def get_v1(call: Call) -> Response:
    """`GET /api/public/prompts?name=…`: what version 1 of the SDK asked."""
    return json_response(shape(await _wanted(call, call.query.get("name", ""))))


async def _wanted(call: Call, name: str) -> PromptRow:
    version, label = _version(call), call.query.get("label")
    if version is None and label is None:
        label = PRODUCTION
    row = await call.ask(lambda reader: Library(reader).prompt(name, version=version, label=label))
    if row is None:
        which = f"version {version}" if version is not None else f"label {label!r}"
        known = await call.ask(lambda reader: Library(reader).prompt_names(name=name))
        rest = f"; it has versions {known[0].versions} and labels {known[0].labels}" if known else ""
        raise NotFound(f"there is no prompt {name!r} with {which}{rest}")
    return row


async def listed(call: Call) -> Response:
    asking.unfiltered(call)
    asking.only(call, "name label tag fromUpdatedAt toUpdatedAt filter")
    name, label, tag = (call.query.get(key) for key in ("name", "label", "tag"))
    low, high = (call.query.get(key) for key in ("fromUpdatedAt", "toUpdatedAt"))
    found = await call.ask(lambda reader: Library(reader).prompt_names(name=name, label=label, tag=tag, limit=100_000))
    found = [
        one
        for one in found
        if (not low or one.updated_ns >= asking.moment(low)) and (not high or one.updated_ns < asking.moment(high))
    ]
    first = asking.offset_of(call)
    some = found[first : first + asking.limit_of(call)]
    return json_response({"data": [_meta(one) for one in some], "meta": asking.meta(call, len(found))})


async def label(call: Call) -> Response:
    """New labels for a version; they leave the others."""
    said = await call.json()
    labels = tuple(one for one in _texts(said if isinstance(said, dict) else {}, "newLabels") if one != LATEST)
    name, version = call.path["name"], int(call.path["version"])
    if await call.ask(lambda reader: Library(reader).prompt(name, version=version)) is None:
        raise NotFound(f"there is no version {version} of prompt {name!r}")
    await call.write(Batch(SOURCE, library=(PromptLabels(name, version, labels),)))
    row = await call.ask(lambda reader: Library(reader).prompt(name, version=version))
    if row is None:
        raise NotFound(f"version {version} of prompt {name!r} was deleted meanwhile")
    return json_response(shape(row))


async def delete(call: Call) -> Response:
    name, version = call.path["name"], _version(call)
    if call.query.get("label"):
        version = (await _wanted(call, name)).version
    await call.write(Batch(SOURCE, library=(Gone("prompt", name, version),)))
    return Response(status_code=204)


def shape(row: PromptRow) -> dict[str, Any]:
    chat = not isinstance(row.body, str)
    return {
        "id": row.prompt_id,
        "projectId": PROJECT["id"],
        "name": row.name,
        "version": row.version,
        "type": "chat" if chat else "text",
        "prompt": row.body,
        "config": row.config if row.config is not None else {},
        "labels": list(row.labels),
        "tags": list(row.tags),
        "isActive": PRODUCTION in row.labels,
        "commitMessage": row.message,
        "resolutionGraph": None,
        "createdBy": "API",
        "createdAt": time(row.created_ns),
        "updatedAt": time(row.created_ns),
    }


def _meta(one: PromptName) -> dict[str, Any]:
    return {
        "name": one.name,
        "type": "chat" if one.chat else "text",
        "versions": list(one.versions),
        "labels": list(one.labels),
        "tags": list(one.tags),
        "lastUpdatedAt": time(one.updated_ns),
        "lastConfig": one.config if one.config is not None else {},
    }


def _version(call: Call) -> int | None:
    given = call.query.get("version")
    if given is None:
        return None
    if not given.isascii() or not given.isdigit():
        raise DecodeError(f"version is {given[:40]!r}; it takes a whole number from 1")
    return int(given)


def _texts(said: dict[str, Any], key: str) -> tuple[str, ...]:
    given = said.get(key) or []
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise DecodeError(f"{key} is a list of texts")
    return tuple(dict.fromkeys(given))
