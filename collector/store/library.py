"""Reading the library: prompts, datasets with their examples, experiments, media, as frozen rows.

    with open_reader(path) as reader:
        shelf = Library(reader)
        shelf.prompt("greeting", label="production")

A file of schema 1 has no library: every list is empty. Lists are in order of creation, oldest first, and take
`limit` and `offset` (the APIs they answer page by number; a library is small).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from collector.store.reader import Reader

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class PromptRow:
    """One version. `labels` of it, sorted; "latest" among them where it is the newest."""

    prompt_id: str
    name: str
    version: int
    body: Any
    config: Any
    tags: tuple[str, ...]
    message: str | None
    source: str
    created_ns: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PromptName:
    """A prompt and its versions, ascending; `labels` of all of them, `config` of the newest."""

    name: str
    versions: tuple[int, ...]
    labels: tuple[str, ...]
    tags: tuple[str, ...]
    config: Any
    chat: bool
    updated_ns: int


@dataclass(frozen=True, slots=True)
class DatasetRow:
    dataset_id: str
    name: str
    description: str | None
    metadata: Any
    input_schema: Any
    output_schema: Any
    extra: Any
    source: str
    created_ns: int
    updated_ns: int
    examples: int
    experiments: int


@dataclass(frozen=True, slots=True)
class ExampleRow:
    example_id: str
    dataset_id: str
    dataset_name: str
    input: Any
    output: Any
    metadata: Any
    status: str
    split: str | None
    source_trace_id: str | None
    source_span_id: str | None
    extra: Any
    created_ns: int
    updated_ns: int


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    experiment_id: str
    name: str
    dataset_id: str | None
    dataset_name: str | None
    description: str | None
    metadata: Any
    extra: Any
    source: str
    created_ns: int
    updated_ns: int
    ended_ns: int | None
    runs: int


@dataclass(frozen=True, slots=True)
class ExperimentRunRow:
    run_id: str
    experiment_id: str
    experiment_name: str | None
    example_id: str | None
    trace_id: str
    span_id: str | None
    extra: Any
    created_ns: int
    updated_ns: int


@dataclass(frozen=True, slots=True)
class ScoreConfigRow:
    config_id: str
    name: str
    data_type: str
    description: str | None
    min_value: float | None
    max_value: float | None
    categories: Any
    archived: bool
    source: str
    created_ns: int
    updated_ns: int


@dataclass(frozen=True, slots=True)
class MediaRow:
    """`hash` names the blob; None while only announced."""

    media_id: str
    hash: str | None
    mime_type: str | None
    size: int | None
    sha256: str | None
    extra: Any
    created_ns: int
    updated_ns: int


_PROMPT = """
    select p.prompt_id, p.name, p.version, p.body, p.config, p.tags, p.message, p.source, p.created_ns,
      (select json_group_array(l.label) from prompt_labels l where l.name = p.name and l.version = p.version),
      not exists (select 1 from prompts q where q.name = p.name and q.version > p.version)
    from prompts p"""
ONE_PROMPT = f"""{_PROMPT}
    where p.name = :name and (:version is null or p.version = :version)
      and (:label is null or :label = 'latest'
        or p.version = (select l.version from prompt_labels l where l.name = :name and l.label = :label))
    order by p.version desc limit 1"""
PROMPT_BY_ID = f"{_PROMPT} where p.prompt_id = :id"
PROMPT_NAMES = """
    select p.name, json_group_array(p.version), max(p.created_ns), max(p.version),
      (select json_group_array(distinct l.label) from prompt_labels l where l.name = p.name)
    from prompts p
    where (:name is null or p.name = :name)
      and (:label is null or :label = 'latest' or exists (
        select 1 from prompt_labels l where l.name = p.name and l.label = :label and l.version = p.version))
      and (:tag is null or exists (select 1 from json_each(p.tags) j where j.value = :tag))
    group by p.name order by p.name limit :limit offset :offset"""
_DATASET = """
    select d.dataset_id, d.name, d.description, d.metadata, d.input_schema, d.output_schema, d.extra, d.source,
      d.created_ns, d.updated_ns, (select count(*) from examples e where e.dataset_id = d.dataset_id),
      (select count(*) from experiments x where x.dataset_id = d.dataset_id)
    from datasets d"""
DATASETS = f"""{_DATASET}
    where (:name is null or d.name = :name) and (:id is null or d.dataset_id = :id)
      and (:part is null or instr(lower(d.name), lower(:part)) > 0)
    order by d.created_ns, d.dataset_id limit :limit offset :offset"""
_EXAMPLE = """
    select e.example_id, e.dataset_id, ifnull(d.name, ''), e.input, e.output, e.metadata, e.status, e.split,
      e.source_trace_id, e.source_span_id, e.extra, e.created_ns, e.updated_ns
    from examples e left join datasets d on d.dataset_id = e.dataset_id"""
_EXAMPLE_WHERE = """
    where (:dataset is null or e.dataset_id = :dataset) and (:status is null or e.status = :status)
      and (:trace is null or e.source_trace_id = :trace) and (:span is null or e.source_span_id = :span)
      and (:ids is null or e.example_id in (select j.value from json_each(:ids) j))"""
_COLUMNS = """example_id, dataset_id, input, output, metadata, status, split, source_trace_id, source_span_id, extra,
    created_ns, updated_ns"""
_AT = f"""(
    select {_COLUMNS} from examples where updated_ns <= :at
    union all
    select {_COLUMNS} from example_versions where updated_ns <= :at and until_ns > :at)"""
"""Examples as they were at a time."""
EXAMPLES = f"{_EXAMPLE} {_EXAMPLE_WHERE} order by e.created_ns, e.example_id limit :limit offset :offset"
EXAMPLE_COUNT = f"select count(*) from examples e {_EXAMPLE_WHERE}"
ONE_EXAMPLE = f"{_EXAMPLE} where e.example_id = :id"
EXPERIMENTS = """
    select x.experiment_id, x.name, x.dataset_id, d.name, x.description, x.metadata, x.extra, x.source, x.created_ns,
      x.updated_ns, x.ended_ns, (select count(*) from experiment_runs r where r.experiment_id = x.experiment_id)
    from experiments x left join datasets d on d.dataset_id = x.dataset_id
    where (:id is null or x.experiment_id = :id) and (:dataset is null or x.dataset_id = :dataset)
      and (:name is null or x.name = :name) and (:part is null or instr(lower(x.name), lower(:part)) > 0)
    order by x.created_ns, x.experiment_id limit :limit offset :offset"""
RUNS = """
    select r.run_id, r.experiment_id, x.name, r.example_id, r.trace_id, r.span_id, r.extra, r.created_ns, r.updated_ns
    from experiment_runs r left join experiments x on x.experiment_id = r.experiment_id
    where (:id is null or r.run_id = :id) and (:experiment is null or r.experiment_id = :experiment)
      and (:example is null or r.example_id = :example) and (:trace is null or r.trace_id = :trace)
    order by r.created_ns, r.run_id limit :limit offset :offset"""
SCORE_CONFIGS = """
    select config_id, name, data_type, description, min_value, max_value, categories, archived, source, created_ns,
      updated_ns
    from score_configs where (:id is null or config_id = :id)
    order by created_ns, config_id limit :limit offset :offset"""
MEDIA = """
    select media_id, hash, mime_type, size, sha256, extra, created_ns, updated_ns from media where media_id = :id"""
MEDIA_OF = """
    select u.media_id, u.field, u.span_id, u.example_id from media_uses u
    where (:trace is null or u.trace_id = :trace) and (:span is null or u.span_id = :span)
      and (:example is null or u.example_id = :example)
    order by u.media_id, u.field limit 1000"""
BLOB = "select data from blobs where hash = :hash"

PAGE = 100
CHANGES_NOW = """
    select distinct updated_ns from examples where dataset_id = :id order by 1 desc limit :limit"""
CHANGES = """
    select updated_ns from examples where dataset_id = :id
    union select updated_ns from example_versions where dataset_id = :id
    union select until_ns from example_versions where dataset_id = :id
    order by 1 desc limit :limit"""
SHELF_FROM = 7
"""The schema that has earlier states of examples, and score configs."""


class Library:
    """See the module. Uses the reader's connection, so: in the thread that opened it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def _rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        if self._reader.state.schema_version < 2:
            return []
        return self._reader.rows(sql, values)

    # -- prompts --------------------------------------------------------------------------------------

    def prompt(self, name: str, *, version: int | None = None, label: str | None = None) -> PromptRow | None:
        """A version by its number or label; with neither the newest. None when there is no such."""
        rows = self._rows(ONE_PROMPT, name=name, version=version, label=label)
        return _prompt(rows[0]) if rows else None

    def prompt_by_id(self, prompt_id: str) -> PromptRow | None:
        rows = self._rows(PROMPT_BY_ID, id=prompt_id)
        return _prompt(rows[0]) if rows else None

    def prompt_names(
        self, *, name: str | None = None, label: str | None = None, tag: str | None = None, limit: int = PAGE,
        offset: int = 0,
    ) -> list[PromptName]:  # fmt: skip
        """Prompts by name, one row each; of a label or a tag, those that have a version with it."""
        rows = self._rows(PROMPT_NAMES, name=name, label=label, tag=tag, limit=limit, offset=offset)
        found = []
        for row in rows:
            newest = self.prompt(row[0], version=row[3])
            assert newest is not None
            versions = tuple(sorted(orjson.loads(row[1])))
            labels = tuple(sorted({*orjson.loads(row[4]), "latest"}))
            chat = not isinstance(newest.body, str)
            found.append(PromptName(row[0], versions, labels, newest.tags, newest.config, chat, row[2]))
        return found

    # -- datasets -------------------------------------------------------------------------------------

    def datasets(
        self, *, name: str | None = None, dataset_id: str | None = None, part: str | None = None, limit: int = PAGE,
        offset: int = 0,
    ) -> list[DatasetRow]:  # fmt: skip
        """`part` is a part of the name, whatever its case."""
        rows = self._rows(DATASETS, name=name, id=dataset_id, part=part, limit=limit, offset=offset)
        return [_row(DatasetRow, row, 3, 4, 5, 6) for row in rows]

    def dataset(self, *, name: str | None = None, dataset_id: str | None = None) -> DatasetRow | None:
        """The one of this name or id."""
        return next(iter(self.datasets(name=name, dataset_id=dataset_id, limit=1)), None)

    def changes(self, dataset_id: str, *, limit: int = PAGE) -> list[int]:
        """When examples of a dataset were written, changed or deleted (Unix nanoseconds), the newest first; what was
        before schema 7 only as far as it still is so."""
        whole = self._reader.state.schema_version >= SHELF_FROM
        return [int(row[0]) for row in self._rows(CHANGES if whole else CHANGES_NOW, id=dataset_id, limit=limit)]

    def examples(
        self, dataset_id: str | None = None, *, status: str | None = None, trace_id: str | None = None,
        span_id: str | None = None, ids: list[str] | None = None, at_ns: int | None = None, limit: int = PAGE,
        offset: int = 0,
    ) -> list[ExampleRow]:  # fmt: skip
        """`trace_id` and `span_id` are those that an example was made from. `at_ns`: as they were then, as far as the
        file knows (what changed before schema 7 is as it is now)."""
        given = None if ids is None else orjson.dumps(ids).decode()
        rows = self._rows(
            self._at(EXAMPLES, at_ns), at=at_ns,
            dataset=dataset_id, status=status, trace=trace_id, span=span_id, ids=given, limit=limit,
            offset=offset,
        )  # fmt: skip
        return [_example(row) for row in rows]

    def count_examples(
        self, dataset_id: str | None = None, *, status: str | None = None, trace_id: str | None = None,
        span_id: str | None = None, at_ns: int | None = None,
    ) -> int:  # fmt: skip
        """How many `examples` would find with no limit."""
        rows = self._rows(
            self._at(EXAMPLE_COUNT, at_ns),
            at=at_ns,
            dataset=dataset_id,
            status=status,
            trace=trace_id,
            span=span_id,
            ids=None,
        )
        return int(rows[0][0]) if rows else 0

    def _at(self, sql: str, at_ns: int | None) -> str:
        if at_ns is None or self._reader.state.schema_version < SHELF_FROM:
            return sql
        return sql.replace("from examples e", f"from {_AT} e")

    def example(self, example_id: str) -> ExampleRow | None:
        rows = self._rows(ONE_EXAMPLE, id=example_id)
        return _example(rows[0]) if rows else None

    # -- experiments ----------------------------------------------------------------------------------

    def experiments(
        self, *, dataset_id: str | None = None, name: str | None = None, part: str | None = None,
        experiment_id: str | None = None, limit: int = PAGE, offset: int = 0,
    ) -> list[ExperimentRow]:  # fmt: skip
        rows = self._rows(
            EXPERIMENTS, dataset=dataset_id, name=name, part=part, id=experiment_id, limit=limit, offset=offset
        )
        return [_row(ExperimentRow, row, 5, 6) for row in rows]

    def experiment(self, experiment_id: str) -> ExperimentRow | None:
        return next(iter(self.experiments(experiment_id=experiment_id, limit=1)), None)

    def runs(
        self, experiment_id: str | None = None, *, example_id: str | None = None, trace_id: str | None = None,
        run_id: str | None = None, limit: int = PAGE, offset: int = 0,
    ) -> list[ExperimentRunRow]:  # fmt: skip
        rows = self._rows(
            RUNS, experiment=experiment_id, example=example_id, trace=trace_id, id=run_id, limit=limit, offset=offset
        )
        return [_row(ExperimentRunRow, row, 6) for row in rows]

    # -- scores ---------------------------------------------------------------------------------------

    def score_configs(
        self, *, config_id: str | None = None, limit: int = PAGE, offset: int = 0
    ) -> list[ScoreConfigRow]:
        """What scores may say, in the order of its making."""
        if self._reader.state.schema_version < SHELF_FROM:
            return []
        rows = self._rows(SCORE_CONFIGS, id=config_id, limit=limit, offset=offset)
        return [_row(ScoreConfigRow, (*row[:7], bool(row[7]), *row[8:]), 6) for row in rows]

    # -- media ----------------------------------------------------------------------------------------

    def media(self, media_id: str) -> MediaRow | None:
        rows = self._rows(MEDIA, id=media_id)
        return _row(MediaRow, rows[0], 5) if rows else None

    def media_of(
        self, trace_id: str | None = None, span_id: str | None = None, example_id: str | None = None
    ) -> list[tuple[str, str, str, str]]:
        """(media id, field, span id, example id) of what a trace, span or example speaks of; '' where not known."""
        found = self._rows(MEDIA_OF, trace=trace_id, span=span_id, example=example_id)
        return [(row[0], row[1], row[2], row[3]) for row in found]

    def blob(self, name: str) -> bytes | None:
        """What is in a file, by its `MediaRow.hash`."""
        rows = self._rows(BLOB, hash=name)
        return bytes(rows[0][0]) if rows else None


def _json(column: str | None) -> Any:
    return None if column is None else orjson.loads(column)


def _row(kind: Callable[..., R], row: tuple[Any, ...], *of_json: int) -> R:
    """A row whose columns at these places hold JSON."""
    return kind(*(_json(value) if n in of_json else value for n, value in enumerate(row)))


def _prompt(row: tuple[Any, ...]) -> PromptRow:
    *columns, labels, newest = row
    columns[5] = tuple(orjson.loads(columns[5] or "[]"))
    columns[3], columns[4] = _json(columns[3]), _json(columns[4])
    columns.append(tuple(sorted({*orjson.loads(labels), *(["latest"] if newest else [])})))
    return PromptRow(*columns)


def _example(row: tuple[Any, ...]) -> ExampleRow:
    return _row(ExampleRow, row, 3, 4, 5, 10)
