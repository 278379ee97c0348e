"""What an application keeps beside its traces: prompts, datasets with their examples, experiments, media. Pure values.

Several products have these under several names (a Langfuse dataset item and a LangSmith example are one thing, so are
a dataset run and an experiment session); doors translate. Times are Unix nanoseconds. Ids are as the client wrote them
(a client reads its things back by them), but for those of traces and spans, which are ours (`collector.ids`).

Each item is also a change: written again under its id, what is None (or empty) changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version of a prompt. `body` is a text, or a list of messages as sent. `version` None: the next one, given
    when it is written (versions begin with 1). `labels` move here from other versions of the name."""

    prompt_id: str
    name: str
    body: Any
    version: int | None = None
    config: Any = None
    labels: tuple[str, ...] = ()
    tags: tuple[str, ...] | None = None
    message: str | None = None
    source: str = ""
    created_ns: int = 0


@dataclass(frozen=True, slots=True)
class PromptLabels:
    """`labels` are from now on those of this version, and of no other version of the name; the rest of the version's
    labels stay."""

    name: str
    version: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A named set of examples. A name is given once: written under a known name, it changes that one and keeps its id.
    `extra` is what the source's own API wants back and nobody here reads."""

    dataset_id: str
    name: str
    description: str | None = None
    metadata: Any = None
    input_schema: Any = None
    output_schema: Any = None
    extra: Any = None
    source: str = ""
    created_ns: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """One input of a dataset, with what should come out. `status` is "active" (None says so for a new one) or
    "archived"; `source_trace_id` and `source_span_id` say what it was made from."""

    example_id: str
    dataset_id: str
    input: Any = None
    output: Any = None
    metadata: Any = None
    status: str | None = None
    split: str | None = None
    source_trace_id: str | None = None
    source_span_id: str | None = None
    extra: Any = None
    created_ns: int = 0


@dataclass(frozen=True, slots=True)
class Experiment:
    """One go of an application over a dataset (or over examples that are kept nowhere: `dataset_id` None)."""

    experiment_id: str
    name: str
    dataset_id: str | None = None
    description: str | None = None
    metadata: Any = None
    extra: Any = None
    source: str = ""
    created_ns: int = 0
    ended_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ExperimentRun:
    """What one example led to: a trace, or one span of it. `run_id` names the link."""

    run_id: str
    experiment_id: str
    example_id: str | None
    trace_id: str
    span_id: str | None = None
    extra: Any = None
    created_ns: int = 0


@dataclass(frozen=True, slots=True)
class Media:
    """A file, announced (`data` None) or here. `media_id` is the client's name for it. `size` is in bytes;
    `sha256` is hex, of the data."""

    media_id: str
    mime_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    data: bytes | None = None
    extra: Any = None
    created_ns: int = 0


@dataclass(frozen=True, slots=True)
class MediaUse:
    """Where a file is spoken of: a span (or a trace, or an example), and in which field of it (input, output,
    metadata, or an attachment's name)."""

    media_id: str
    field: str
    trace_id: str | None = None
    span_id: str | None = None
    example_id: str | None = None


@dataclass(frozen=True, slots=True)
class ScoreConfig:
    """What a score may say: `data_type` is "numeric", "boolean" or "categorical"; `categories` a list of
    {"label", "value"}. `archived` None says "no" for a new one."""

    config_id: str
    name: str
    data_type: str
    description: str | None = None
    min_value: float | None = None
    max_value: float | None = None
    categories: Any = None
    archived: bool | None = None
    source: str = ""
    created_ns: int = 0


@dataclass(frozen=True, slots=True)
class Gone:
    """Delete one thing, and what hangs on it. `kind` is "prompt" (id: a name), "dataset", "example", "experiment"
    or "score"; `version` narrows a prompt to one version."""

    kind: str
    id: str
    version: int | None = None


Item: TypeAlias = (
    "Prompt | PromptLabels | Dataset | Example | Experiment | ExperimentRun | Media | MediaUse | ScoreConfig | Gone"
)
