"""LangSmith's prompts: a "repo" is a name of our library, a commit is a version of it, a commit's tag is a label.

GET POST         /repos/                        GET PATCH DELETE  /repos/{owner}/{name}
GET POST         /commits/{owner}/{name}/       GET               /commits/{owner}/{name}/{commit}
POST             /repos/{owner}/{name}/tags

A repo that has no commit yet is version 0 of its name, with nothing in it; the first commit takes its place. What
only LangSmith asks for (the manifest, description and readme) lies in a version's `config` under "langsmith". A commit
is named by its hash (or the beginning of it), a tag, "latest", or the number of the version.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable

from starlette.responses import Response

from collector.errors import DecodeError, NotFound
from collector.library import Gone, Item, Prompt, PromptLabels
from collector.model import Batch
from collector.protocols.langchain_prompts import body_of, manifest_of
from collector.protocols.langsmith import SOURCE
from collector.protocols.times import iso
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith.reads import slice_of
from collector.receiver.doors.langsmith.views import TENANT, Run
from collector.store.library import Library, PromptName, PromptRow
from collector.store.reader import Reader

Answer = Callable[[Call], Awaitable[Response]]
OWNER = "local"
LATEST = "latest"
EVERY = 100_000
_OWN = "langsmith"
_SAID = ("description", "readme", "is_archived")


def commit_hash(row: PromptRow) -> str:
    return hashlib.sha256(row.prompt_id.encode()).hexdigest()


def _own(row: PromptRow) -> Run:
    """What LangSmith alone asks for; nothing where the prompt was made otherwise."""
    own = row.config.get(_OWN) if isinstance(row.config, dict) else None
    return own if isinstance(own, dict) else {}


def _handle(call: Call) -> str:
    """The prompt's name. Another owner than we is a part of it: Langfuse's names have folders."""
    owner, name = str(call.path["owner"]), str(call.path["name"])
    return name if owner in ("-", OWNER) else f"{owner}/{name}"


def _named(reader: Reader, name: str) -> PromptName:
    found = Library(reader).prompt_names(name=name, limit=1)
    if not found:
        raise NotFound(f"no prompt {name!r} is here")
    return found[0]


def _newest(reader: Reader, name: str) -> PromptRow:
    row = Library(reader).prompt(name, version=_named(reader, name).versions[-1])
    if row is None:
        raise NotFound(f"no prompt {name!r} is here")
    return row


def _commits(reader: Reader, name: str) -> list[PromptRow]:
    """The newest first."""
    library, numbers = Library(reader), _named(reader, name).versions
    rows = (library.prompt(name, version=number) for number in reversed(numbers) if number > 0)
    return [row for row in rows if row is not None]


def _repo(reader: Reader, one: PromptName) -> Run:
    row = _newest(reader, one.name)
    own, commits = _own(row), sum(number > 0 for number in one.versions)
    return {
        "repo_handle": one.name, "full_name": f"{OWNER}/{one.name}", "owner": OWNER,
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"prompt {one.name}")), "tenant_id": TENANT,
        "description": own.get("description"), "readme": own.get("readme"), "tags": list(one.tags),
        "is_public": False, "is_archived": bool(own.get("is_archived")), "created_at": iso(row.created_ns),
        "updated_at": iso(one.updated_ns), "num_likes": 0, "num_downloads": 0, "num_views": 0,
        "num_commits": commits, "last_commit_hash": commit_hash(row) if commits else None,
    }  # fmt: skip


async def list_repos(call: Call) -> Response:
    """GET /repos/: by name, or those whose name holds `query`."""
    limit, offset = slice_of(call.query)
    part, archived = call.query.get("query", "").lower(), call.query.get("is_archived", "false") == "true"

    def answer(reader: Reader) -> list[Run]:
        names = [one for one in Library(reader).prompt_names(limit=EVERY) if part in one.name.lower()]
        return [repo for one in names if (repo := _repo(reader, one))["is_archived"] == archived]

    found = await call.ask(answer)
    if (field := call.query.get("sort_field", "updated_at")) in ("updated_at", "created_at"):
        found.sort(key=lambda repo: str(repo[field]), reverse=call.query.get("sort_direction") != "asc")
    return json_response({"repos": found[offset : offset + limit], "total": len(found)})


async def make_repo(call: Call) -> Response:
    """POST /repos/."""
    said = await call.document()
    name = said.get("repo_handle")
    if not isinstance(name, str) or not name:
        raise DecodeError("a prompt needs a name (repo_handle), as text")
    if await call.ask(lambda reader: Library(reader).prompt_names(name=name, limit=1)):
        return json_response({"detail": f"Prompt {name!r} already exists"}, 409)
    own = {key: said[key] for key in _SAID if said.get(key)}
    await _write(call, Prompt(str(uuid.uuid4()), name, "", 0, {_OWN: own}, tags=_tags(said), source=SOURCE))
    return json_response({"repo": await call.ask(lambda reader: _repo(reader, _named(reader, name)))}, 201)


async def one_repo(call: Call) -> Response:
    """GET /repos/{owner}/{name}."""
    name = _handle(call)
    return json_response({"repo": await call.ask(lambda reader: _repo(reader, _named(reader, name)))})


async def change_repo(call: Call) -> Response:
    """PATCH /repos/{owner}/{name}: its description, readme, tags, and whether it is archived."""
    said, name = await call.document(), _handle(call)
    row = await call.ask(lambda reader: _newest(reader, name))
    own = {**_own(row), **{key: said[key] for key in _SAID if said.get(key) is not None}}
    await _write(call, _again(row, own, _tags(said)))
    return json_response({"repo": await call.ask(lambda reader: _repo(reader, _named(reader, name)))})


def _again(row: PromptRow, own: Run, tags: tuple[str, ...] | None) -> Prompt:
    config = {**(row.config if isinstance(row.config, dict) else {}), _OWN: own}
    return Prompt(str(uuid.uuid4()), row.name, row.body, row.version, config, (), tags, source=row.source)


async def delete_repo(call: Call) -> Response:
    """DELETE /repos/{owner}/{name}: with all its commits."""
    name = _handle(call)
    await call.ask(lambda reader: _named(reader, name))
    await _write(call, Gone("prompt", name))
    return json_response({"message": "deleted"})


async def list_commits(call: Call) -> Response:
    """GET /commits/{owner}/{name}/."""
    name, (limit, offset) = _handle(call), slice_of(call.query)
    rows = await call.ask(lambda reader: _commits(reader, name))
    told: list[Run] = [_commit(row, rows[at + 1] if at + 1 < len(rows) else None) for at, row in enumerate(rows)]
    return json_response({"commits": told[offset : offset + limit], "total": len(told)})


def _commit(row: PromptRow, parent: PromptRow | None) -> Run:
    return {
        "id": _id(row), "owner": OWNER, "repo": row.name, "commit_hash": commit_hash(row),
        "parent_id": _id(parent) if parent else None, "parent_commit_hash": commit_hash(parent) if parent else None,
        "repo_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"prompt {row.name}")), "manifest": _manifest(row),
        "created_at": iso(row.created_ns), "updated_at": iso(row.created_ns), "description": row.message,
        "num_downloads": 0, "num_views": 0, "example_run_ids": [],
    }  # fmt: skip


def _id(row: PromptRow) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"commit {row.prompt_id}"))


def _manifest(row: PromptRow) -> Run:
    manifest = _own(row).get("manifest")
    return manifest if isinstance(manifest, dict) else manifest_of(row.body)


async def one_commit(call: Call) -> Response:
    """GET /commits/{owner}/{name}/{commit}."""
    name, wanted = _handle(call), str(call.path["commit"])
    row = await call.ask(lambda reader: _wanted(_commits(reader, name), name, wanted))
    told: Run = {
        "commit_hash": commit_hash(row),
        "manifest": _manifest(row),
        "examples": [],
        "description": row.message,
    }
    return json_response(told)


def _wanted(rows: list[PromptRow], name: str, wanted: str) -> PromptRow:
    for row in rows:
        if wanted == LATEST or wanted in row.labels or wanted in (str(row.version), _id(row)):
            return row
    if len(wanted) >= 6:
        for row in rows:
            if commit_hash(row).startswith(wanted):
                return row
    labels = sorted({label for row in rows for label in row.labels})
    raise NotFound(f"prompt {name!r} has no commit {wanted!r}; it has {len(rows)} versions, and the tags {labels}")


async def make_commit(call: Call) -> Response:
    """POST /commits/{owner}/{name}: the next version, or 409 where nothing is new."""
    said, name = await call.document(), _handle(call)
    manifest = said.get("manifest")
    if not isinstance(manifest, dict):
        raise DecodeError("a commit needs a manifest: the prompt as LangChain serialises it")
    rows, newest = await call.ask(lambda reader: (_commits(reader, name), _newest(reader, name)))
    if said.get("parent_commit"):
        _wanted(rows, name, str(said["parent_commit"]))
    if rows and _manifest(rows[0]) == manifest:
        return json_response({"detail": "Nothing to commit: prompt has not changed since latest commit"}, 409)
    description = said.get("description")
    own = {**{key: value for key, value in _own(newest).items() if key in _SAID}, "manifest": manifest}
    prompt = Prompt(
        str(uuid.uuid4()), name, body_of(manifest), None, {_OWN: own},
        message=description if isinstance(description, str) else None, source=SOURCE,
    )  # fmt: skip
    await _write(call, prompt, *([Gone("prompt", name, 0)] if newest.version == 0 else []))
    made = await call.ask(lambda reader: _newest(reader, name))
    return json_response({"commit": _commit(made, rows[0] if rows else None)}, 201)


async def tag_commit(call: Call) -> Response:
    """POST /repos/{owner}/{name}/tags: the tag moves to this commit."""
    said, name = await call.document(), _handle(call)
    tag, wanted = said.get("tag_name"), said.get("commit_id")
    if not isinstance(tag, str) or not tag or tag == LATEST:
        raise DecodeError('a tag needs a name (tag_name) other than "latest", which is the newest commit')
    row = await call.ask(lambda reader: _wanted(_commits(reader, name), name, str(wanted)))
    await _write(call, PromptLabels(name, row.version, (tag,)))
    return json_response({"tag_name": tag, "commit_id": wanted, "commit_hash": commit_hash(row)}, 201)


def _tags(said: Run) -> tuple[str, ...] | None:
    tags = said.get("tags")
    return tuple(map(str, tags)) if isinstance(tags, list) else None


async def _write(call: Call, *items: Item) -> None:
    await call.write(Batch(SOURCE, library=items))


WAYS: tuple[tuple[str, str, Answer], ...] = (
    *((method, path, answer) for path in ("/repos", "/repos/")
      for method, answer in (("GET", list_repos), ("POST", make_repo))),
    ("GET", "/repos/{owner}/{name}", one_repo),
    ("PATCH", "/repos/{owner}/{name}", change_repo),
    ("DELETE", "/repos/{owner}/{name}", delete_repo),
    ("POST", "/repos/{owner}/{name}/tags", tag_commit),
    *((method, path, answer) for path in ("/commits/{owner}/{name}", "/commits/{owner}/{name}/")
      for method, answer in (("GET", list_commits), ("POST", make_commit))),
    ("GET", "/commits/{owner}/{name}/{commit}", one_commit),
)  # fmt: skip
