"""What `configure()` said, for the children that `multiprocessing` starts afresh (spawn, forkserver).

It travels in an environment variable, which only a child of the very process that set it reads: one whose
`multiprocessing.parent_process()` is that process. A forked child has the settings anyway. Neither a token nor a
function goes into the environment: a token has to be in TRACETUI_TOKEN, a function of a module is handed on by its
name, and where a function cannot be named the child keeps the contents of its spans to itself.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from collector.sdk.forks import CONFIGURED

VARIABLE = CONFIGURED
MOST_BYTES = 16_000
"""Longer settings are not handed on: an environment that is too long keeps every child from starting."""
SECRET = frozenset({"token"})


def hand_on(arguments: Mapping[str, Any], db: Path) -> str | None:
    """Say it to the children to come; `db` is where the file is, absolute. Why it cannot be said, None when it was."""
    os.environ.pop(VARIABLE, None)
    if not arguments:
        return None
    named = {name: _name(value) for name, value in arguments.items() if callable(value)}
    plain = {name: _plain(value) for name, value in arguments.items() if name not in SECRET and name not in named}
    if "db" in plain:
        plain["db"] = str(db)
    if "url" in plain:
        plain["url"] = _without_password(str(plain["url"]))
    if not all(named.values()):
        plain["capture_content"] = "metadata"
    functions = {name: where for name, where in named.items() if where}
    try:
        text = json.dumps({"pid": os.getpid(), "arguments": plain, "functions": functions})
    except (TypeError, ValueError) as e:
        return str(e)
    if len(text) > MOST_BYTES:
        return f"they are longer than {MOST_BYTES} bytes"
    os.environ[VARIABLE] = text
    return None


def inherited() -> dict[str, Any]:
    """What the process that started this one was configured with; {} where that is not known, or not asked for."""
    process = sys.modules.get("multiprocessing.process")
    parent = process.parent_process() if process is not None else None
    said = os.environ.get(VARIABLE)
    if parent is None or not said:
        return {}
    found = json.loads(said)
    if found.get("pid") != parent.pid:
        return {}
    os.environ[VARIABLE] = json.dumps({**found, "pid": os.getpid()})  # for the children of this one
    return {**found["arguments"], **{name: _function(where) for name, where in found["functions"].items()}}


def pass_to_fork() -> None:
    """In a forked child, whose own children are to read it as well."""
    said = os.environ.get(VARIABLE)
    if said:
        os.environ[VARIABLE] = json.dumps({**json.loads(said), "pid": os.getpid()})


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value


def _name(function: Callable[..., Any]) -> str:
    """Module and name, by which another process finds the function; "" of one that has none."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    return f"{module}:{name}" if module and _find(sys.modules.get(module), name) is function else ""


def _function(where: str) -> Any:
    from importlib import import_module

    module, _, name = where.partition(":")
    return _find(import_module(module), name)


def _find(module: Any, name: str) -> Any:
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _without_password(url: str) -> str:
    scheme, slashes, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"
