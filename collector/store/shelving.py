"""Writing the library (prompts, datasets, experiments, media): few rows, so a plain transaction; still no loop of
Python over rows while it holds the lock, because a dataset may arrive a thousand examples at a time.

Rows of one kind go in with one statement over `json_each`. Prompts and files go one by one: a version is one more
than the last, and a file is no JSON.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import orjson

from collector.library import (
    Dataset,
    Example,
    Experiment,
    ExperimentRun,
    Gone,
    Item,
    Media,
    MediaUse,
    Prompt,
    PromptLabels,
    ScoreConfig,
)
from collector.store.content import hash_bytes

_JSON = frozenset(
    {"categories", "metadata", "input_schema", "output_schema", "extra", "input", "output", "config", "body", "tags"}
)
_TABLES: dict[type, tuple[str, str, tuple[str, ...]]] = {
    Dataset: ("datasets", "name", (
        "dataset_id", "name", "description", "metadata", "input_schema", "output_schema", "extra", "source",
        "created_ns",
    )),
    Example: ("examples", "example_id", (
        "example_id", "dataset_id", "input", "output", "metadata", "status", "split", "source_trace_id",
        "source_span_id", "extra", "created_ns",
    )),
    Experiment: ("experiments", "experiment_id", (
        "experiment_id", "name", "dataset_id", "description", "metadata", "extra", "source", "created_ns", "ended_ns",
    )),
    ExperimentRun: ("experiment_runs", "run_id", (
        "run_id", "experiment_id", "example_id", "trace_id", "span_id", "extra", "created_ns",
    )),
    ScoreConfig: ("score_configs", "config_id", (
        "config_id", "name", "data_type", "description", "min_value", "max_value", "categories", "archived", "source",
        "created_ns",
    )),
    Media: ("media", "media_id", ("media_id", "mime_type", "size", "sha256", "extra", "created_ns", "hash")),
}  # fmt: skip
_USES = "insert into media_uses select {} from json_each(:rows) j where true on conflict do nothing"

PROMPT = """
    insert into prompts(prompt_id, name, version, body, config, tags, message, source, created_ns)
    select :prompt_id, :name, ifnull(:version, 1 + ifnull((select max(version) from prompts where name = :name), 0)),
      :body, :config, ifnull(:tags, (select tags from prompts where name = :name order by version desc limit 1)),
      :message, :source, :created_ns
    where not exists (select 1 from prompts where prompt_id = :prompt_id)
    on conflict(name, version) do update set
      body = excluded.body, config = ifnull(excluded.config, config), message = ifnull(excluded.message, message)"""
LABELS = """
    insert into prompt_labels(name, label, version)
    select :name, j.value, ifnull(:version, (select version from prompts where prompt_id = :prompt_id))
    from json_each(:labels) j
    where true
    on conflict(name, label) do update set version = excluded.version"""
TAGS = "update prompts set tags = :tags where name = :name"
BLOB = "insert into blobs(hash, size, data) values (?, ?, ?) on conflict do nothing"
GONE: dict[str, tuple[str, ...]] = {
    "prompt": (
        "delete from prompts where name = :id and (:version is null or version = :version)",
        "delete from prompt_labels where name = :id and (:version is null or version = :version)",
    ),
    "dataset": (
        """delete from experiment_runs where experiment_id in
           (select experiment_id from experiments where dataset_id = :id)""",
        "delete from experiments where dataset_id = :id",
        "delete from examples where dataset_id = :id",
        "delete from example_versions where dataset_id = :id",
        "delete from datasets where dataset_id = :id",
    ),
    "example": (
        "delete from experiment_runs where example_id = :id",
        "delete from examples where example_id = :id",
    ),
    "experiment": (
        "delete from experiment_runs where experiment_id = :id",
        "delete from experiments where experiment_id = :id",
    ),
    "score": ("delete from scores where score_id = :id",),
}  # fmt: skip

_STATE = tuple(name for name in _TABLES[Example][2] if name not in ("example_id", "created_ns"))
_CHANGED = " or ".join(f"(excluded.{name} is not null and excluded.{name} is not {name})" for name in _STATE)
_CHANGES = " or ".join(
    f"(json_extract(j.value, '$[{n}]') is not null and json_extract(j.value, '$[{n}]') is not e.{name})"
    for n, name in enumerate(_TABLES[Example][2])
    if name in _STATE
)
_WAS = f"""
    insert into example_versions(example_id, {", ".join(_STATE)}, created_ns, updated_ns, until_ns)
    select e.example_id, {", ".join(f"e.{name}" for name in _STATE)}, e.created_ns, e.updated_ns, :now"""
HISTORY = f"""{_WAS}
    from json_each(:rows) j join examples e on e.example_id = json_extract(j.value, '$[0]')
    where {_CHANGES}
    on conflict do nothing"""
"""What examples were, before rows of them are written that say something else."""
WENT = f"{_WAS} from examples e where e.example_id = :id on conflict do nothing"

Statement = tuple[str, Any]


def statements(items: Sequence[Item], now_ns: int) -> list[Statement]:
    """What writes them, in their order (runs of one kind together). Everything is encoded here, before any lock."""
    out: list[Statement] = []
    for group in _runs(items):
        kind = type(group[0])
        if kind is Prompt:
            for one in group:
                out += _prompt(one, now_ns)
        elif kind is PromptLabels:
            out += [(LABELS, _labels(g.name, g.version, None, g.labels)) for g in group]
        elif kind is MediaUse:
            out.append(_uses(group))
        elif kind is Gone:
            out += [
                (sql, {"id": g.id, "version": g.version, "now": now_ns})
                for g in group
                for sql in ((WENT,) if g.kind == "example" else ()) + GONE[g.kind]
            ]
        else:
            if kind is Media:
                out += [(BLOB, (hash_bytes(g.data), len(g.data), g.data)) for g in group if g.data is not None]
            rows = _rows(kind, group, now_ns)
            out += [(HISTORY, rows[1]), rows] if kind is Example else [rows]
    return out


def write(connection: sqlite3.Connection, program: Iterable[Statement]) -> None:
    """Run it in one transaction; on failure nothing of it stays."""
    connection.execute("begin immediate")
    try:
        for sql, values in program:
            connection.execute(sql, values)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def _runs(items: Sequence[Item]) -> list[list[Any]]:
    runs: list[list[Any]] = []
    for item in items:
        if runs and type(runs[-1][0]) is type(item):
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs


def _rows(kind: type, group: Sequence[Any], now_ns: int) -> Statement:
    table, key, columns = _TABLES[kind]
    rows = [[_cell(one, name, now_ns) for name in columns] for one in group]
    return _upsert(table, key, columns), {"rows": orjson.dumps(rows).decode(), "now": now_ns}


def _cell(one: Any, name: str, now_ns: int) -> Any:
    if name == "hash":
        return None if one.data is None else hash_bytes(one.data)
    value = getattr(one, name)
    if name == "created_ns":
        return value or now_ns
    if name == "archived":
        return None if value is None else int(value)
    return _text(value) if name in _JSON and value is not None else value


def _upsert(table: str, key: str, columns: Sequence[str]) -> str:
    values = [f"json_extract(j.value, '$[{n}]')" for n in range(len(columns))]
    if table == "examples":
        status = columns.index("status")
        values[status] = f"ifnull({values[status]}, (select status from examples e where e.example_id = {values[0]}))"
        values[status] = f"ifnull({values[status]}, 'active')"
    if table == "score_configs":
        at, of = columns.index("archived"), f"(select archived from score_configs o where o.config_id = {values[0]})"
        values[at] = f"coalesce({values[at]}, {of}, 0)"
    only = f" where {_CHANGED}" if table == "examples" else ""
    kept = {key, "created_ns", "source"} | ({"dataset_id"} if table == "datasets" else set())
    sets = ", ".join(f"{name} = ifnull(excluded.{name}, {name})" for name in columns if name not in kept)
    return (
        f"insert into {table}({', '.join(columns)}, updated_ns)"
        f" select {', '.join(values)}, :now from json_each(:rows) j where true"
        f" on conflict({key}) do update set {sets}, updated_ns = excluded.updated_ns{only}"
    )


def _prompt(one: Prompt, now_ns: int) -> list[Statement]:
    values = {
        "prompt_id": one.prompt_id, "name": one.name, "version": one.version, "body": _text(one.body),
        "config": None if one.config is None else _text(one.config),
        "tags": None if one.tags is None else _text(one.tags),
        "message": one.message, "source": one.source, "created_ns": one.created_ns or now_ns,
    }  # fmt: skip
    out: list[Statement] = [(PROMPT, values)]
    if one.labels:
        out.append((LABELS, _labels(one.name, one.version, one.prompt_id, one.labels)))
    if one.tags is not None:
        out.append((TAGS, {"name": one.name, "tags": values["tags"]}))
    return out


def _labels(name: str, version: int | None, prompt_id: str | None, labels: Sequence[str]) -> dict[str, Any]:
    return {"name": name, "version": version, "prompt_id": prompt_id, "labels": _text(labels)}


_use = attrgetter("media_id", "trace_id", "span_id", "example_id", "field")


def _uses(group: Sequence[MediaUse]) -> Statement:
    rows = [[value or "" for value in _use(one)] for one in group]
    return _USES.format(", ".join(f"json_extract(j.value, '$[{n}]')" for n in range(5))), {
        "rows": orjson.dumps(rows).decode()
    }


def _text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
