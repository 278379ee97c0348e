"""The whole library of a file, as the items that write it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from collector.library import Dataset, Example, Experiment, ExperimentRun, Item, Media, MediaUse, Prompt, ScoreConfig
from collector.store.library import Library
from collector.store.reader import Reader

PAGE = 500
_MEDIA = """
    select media_id, mime_type, size, sha256, hash, extra, created_ns from media
    where media_id > :after order by media_id limit :limit"""
_USES = """
    select media_id, field, trace_id, span_id, example_id from media_uses
    order by media_id, trace_id, span_id, example_id, field limit :limit offset :offset"""


def items(reader: Reader) -> Iterator[Item]:
    """Prompts, datasets, examples, experiments, their runs, files and their uses; each after what it speaks of.

    Files one by one, with their bytes: at most one is held at a time.
    """
    if reader.state.schema_version < 2:
        return
    library = Library(reader)
    yield from _prompts(library)
    for dataset in _pages(library.datasets):
        yield Dataset(
            dataset.dataset_id, dataset.name, dataset.description, dataset.metadata, dataset.input_schema,
            dataset.output_schema, dataset.extra, dataset.source, dataset.created_ns,
        )  # fmt: skip
    for row in _pages(library.examples):
        yield Example(
            row.example_id, row.dataset_id, row.input, row.output, row.metadata, row.status, row.split,
            row.source_trace_id, row.source_span_id, row.extra, row.created_ns,
        )  # fmt: skip
    for one in _pages(library.experiments):
        yield Experiment(
            one.experiment_id, one.name, one.dataset_id, one.description, one.metadata, one.extra, one.source,
            one.created_ns, one.ended_ns,
        )  # fmt: skip
    for run in _pages(library.runs):
        yield ExperimentRun(
            run.run_id, run.experiment_id, run.example_id, run.trace_id, run.span_id, run.extra, run.created_ns
        )
    for config in _pages(library.score_configs):
        yield ScoreConfig(
            config.config_id, config.name, config.data_type, config.description, config.min_value, config.max_value,
            config.categories, config.archived, config.source, config.created_ns,
        )  # fmt: skip
    yield from _files(reader, library)


def _pages(ask: Callable[..., Sequence[Any]]) -> Iterator[Any]:
    offset = 0
    while page := ask(limit=PAGE, offset=offset):
        yield from page
        offset += len(page)


def _prompts(library: Library) -> Iterator[Prompt]:
    for name in _pages(library.prompt_names):
        for version in name.versions:
            row = library.prompt(name.name, version=version)
            if row is not None:
                labels = tuple(label for label in row.labels if label != "latest")
                yield Prompt(
                    row.prompt_id, row.name, row.body, row.version, row.config, labels, row.tags, row.message,
                    row.source, row.created_ns,
                )  # fmt: skip


def _files(reader: Reader, library: Library) -> Iterator[Media | MediaUse]:
    after = ""
    while rows := reader.rows(_MEDIA, {"after": after, "limit": PAGE}):
        for media_id, mime_type, size, sha256, name, extra, created_ns in rows:
            data = None if name is None else library.blob(name)
            said = None if extra is None else orjson.loads(extra)
            yield Media(media_id, mime_type, size, sha256, data, said, created_ns)
        after = rows[-1][0]
    for media_id, field, *places in _pages(lambda **page: reader.rows(_USES, page)):
        trace_id, span_id, example_id = (place or None for place in places)
        yield MediaUse(media_id, field, trace_id, span_id, example_id)
