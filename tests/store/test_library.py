"""Prompts, datasets, experiments and media: kept with the traces, read back as they were written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector.errors import StoreError
from collector.ingest import Ingest
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
from collector.model import Batch, Score
from collector.protocols import native
from collector.settings import Settings
from collector.store import open_reader, shelf
from collector.store.library import Library
from tests.builders import T0, TRACE, make_part, span_id


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traces.db"


@pytest.fixture
def ingest(path: Path) -> Iterator[Ingest]:
    with Ingest(path, Settings(db=path), clock=lambda: T0) as ingest:
        yield ingest


def keep(ingest: Ingest, *items: Item) -> None:
    ingest.write(Batch("test", library=items))


def ask(path: Path, what: str, *args: Any, **names: Any) -> Any:
    with open_reader(path) as reader:
        return getattr(Library(reader), what)(*args, **names)


# --- prompts ---


def test_versions_of_a_prompt_count_up_and_a_label_is_on_one_of_them(ingest: Ingest, path: Path) -> None:
    keep(ingest, Prompt("a", "greeting", "Hello", labels=("production",), tags=("x",), config={"t": 1}))
    keep(
        ingest,
        Prompt("b", "greeting", [{"role": "system", "content": "Hi"}], labels=("production", "beta")),
        Prompt("c", "greeting", "Hey"),
    )
    first, second, third = (ask(path, "prompt", "greeting", version=n) for n in (1, 2, 3))
    assert (first.body, first.config, first.labels, first.created_ns) == ("Hello", {"t": 1}, (), T0)
    assert (second.body, second.labels, second.tags) == (
        [{"role": "system", "content": "Hi"}], ("beta", "production"), ("x",),
    )  # fmt: skip
    assert third.labels == ("latest",)
    assert ask(path, "prompt", "greeting", label="production") == second
    assert ask(path, "prompt", "greeting", label="latest") == ask(path, "prompt", "greeting") == third
    assert ask(path, "prompt", "greeting", label="nobody") is None
    assert ask(path, "prompt", "who") is None
    (name,) = ask(path, "prompt_names")
    assert (name.versions, name.labels, name.chat) == ((1, 2, 3), ("beta", "latest", "production"), False)


def test_a_label_moves_and_the_rest_stay(ingest: Ingest, path: Path) -> None:
    keep(ingest, Prompt("a", "p", "1", labels=("production", "old")), Prompt("b", "p", "2"))
    keep(ingest, PromptLabels("p", 2, ("production",)))
    assert ask(path, "prompt", "p", version=1).labels == ("old",)
    assert ask(path, "prompt", "p", version=2).labels == ("latest", "production")


def test_a_prompt_sent_again_makes_no_second_version(ingest: Ingest, path: Path) -> None:
    keep(ingest, Prompt("a", "p", "1"))
    keep(ingest, Prompt("a", "p", "1"))
    assert [name.versions for name in ask(path, "prompt_names")] == [(1,)]


def test_prompts_are_listed_by_name_label_and_tag(ingest: Ingest, path: Path) -> None:
    keep(
        ingest, Prompt("a", "one", "1", labels=("production",)), Prompt("b", "two", "2", tags=("t",)),
        Prompt("c", "it's 100%", "3"),
    )  # fmt: skip

    def names(**of: Any) -> list[str]:
        return [one.name for one in ask(path, "prompt_names", **of)]

    assert names() == ["it's 100%", "one", "two"]
    assert names(name="it's 100%") == ["it's 100%"]
    assert names(label="production") == ["one"]
    assert names(tag="t") == ["two"]
    assert names(limit=1, offset=1) == ["one"]


# --- datasets ---


def test_a_dataset_written_under_a_known_name_keeps_its_id_and_what_is_not_said_again(
    ingest: Ingest, path: Path
) -> None:
    keep(ingest, Dataset("d1", "weather", "first", metadata={"a": [1, None]}, created_ns=T0 - 5))
    keep(ingest, Dataset("d2", "weather", description="second"))
    (row,) = ask(path, "datasets")
    assert (row.dataset_id, row.description, row.metadata) == ("d1", "second", {"a": [1, None]})
    assert (row.created_ns, row.updated_ns) == (T0 - 5, T0)


def test_examples_are_read_back_in_the_order_they_were_made(ingest: Ingest, path: Path) -> None:
    keep(ingest, Dataset("d", "weather"))
    keep(ingest, *(Example(f"e{n}", "d", {"q": n}, f"a{n}", {"n": n}, created_ns=T0 + n) for n in range(300)))
    rows = ask(path, "examples", "d", limit=1000)
    assert [(row.input, row.output, row.metadata, row.status) for row in rows] == [
        ({"q": n}, f"a{n}", {"n": n}, "active") for n in range(300)
    ]
    assert [row.example_id for row in ask(path, "examples", "d", limit=2, offset=100)] == ["e100", "e101"]
    assert ask(path, "count_examples", "d") == 300
    assert ask(path, "dataset", name="weather").examples == 300
    assert [row.example_id for row in ask(path, "examples", ids=["e7", "nobody"])] == ["e7"]


def test_a_change_of_an_example_leaves_what_it_does_not_name(ingest: Ingest, path: Path) -> None:
    keep(ingest, Dataset("d", "weather"), Example("e", "d", {"q": 1}, "a", source_trace_id=TRACE))
    keep(ingest, Example("e", "d", status="archived"))
    row = ask(path, "example", "e")
    assert (row.input, row.output, row.status, row.source_trace_id) == ({"q": 1}, "a", "archived", TRACE)
    keep(ingest, Example("e", "d", output="b"))
    assert ask(path, "example", "e").status == "archived"
    assert ask(path, "examples", "d", status="active") == []


def test_an_experiment_has_the_traces_that_its_examples_led_to(ingest: Ingest, path: Path) -> None:
    keep(
        ingest, Dataset("d", "weather"), Example("e", "d", 1), Experiment("x", "try 1", "d", metadata={"k": "v"}),
        ExperimentRun("r", "x", "e", TRACE, span_id(1)),
    )  # fmt: skip
    (experiment,) = ask(path, "experiments", dataset_id="d")
    assert (experiment.name, experiment.dataset_name, experiment.runs, experiment.metadata) == (
        "try 1", "weather", 1, {"k": "v"},
    )  # fmt: skip
    (run,) = ask(path, "runs", trace_id=TRACE)
    assert (run.experiment_name, run.example_id, run.span_id) == ("try 1", "e", span_id(1))


def test_what_is_deleted_takes_along_what_hangs_on_it(ingest: Ingest, path: Path) -> None:
    keep(
        ingest, Dataset("d", "weather"), Example("e", "d", 1), Example("f", "d", 2), Experiment("x", "try 1", "d"),
        ExperimentRun("r", "x", "e", TRACE), ExperimentRun("s", "x", "f", TRACE), Prompt("p", "p", "1", labels=("l",)),
    )  # fmt: skip
    keep(ingest, Gone("example", "e"))
    assert [run.run_id for run in ask(path, "runs")] == ["s"]
    keep(ingest, Gone("dataset", "d"), Gone("prompt", "p"))
    for what in ("runs", "experiments", "examples", "datasets", "prompt_names"):
        assert ask(path, what) == []


def test_a_score_can_be_deleted(ingest: Ingest, path: Path) -> None:
    ingest.write(Batch("test", (make_part(1),), (Score("s", "good", T0, TRACE, value=1.0),)))
    keep(ingest, Gone("score", "s"))
    with open_reader(path) as reader:
        assert reader.scores(TRACE) == []


# --- media ---


def test_a_file_is_announced_then_there_and_stored_once(ingest: Ingest, path: Path) -> None:
    keep(ingest, Media("m1", "image/png", 4), MediaUse("m1", "output", TRACE, span_id(1)))
    assert ask(path, "media", "m1").hash is None
    keep(ingest, Media("m1", data=b"\x89PNG"), Media("m2", "image/png", data=b"\x89PNG"))
    one, two = ask(path, "media", "m1"), ask(path, "media", "m2")
    assert (one.mime_type, one.size, one.hash) == ("image/png", 4, two.hash)
    assert ask(path, "blob", one.hash) == b"\x89PNG"
    assert ask(path, "media_of", TRACE) == [("m1", "output", span_id(1), "")]


# --- as with spans: secrets stop before the disk ---

KEY = "sk-proj-" + "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z" * 2


def test_no_secret_reaches_the_disk(ingest: Ingest, path: Path) -> None:
    keep(
        ingest, Prompt("p", "p", f"key: {KEY}"), Dataset("d", "weather", metadata={"note": KEY}),
        Example("e", "d", {"q": [KEY]}), Media("m", "text/plain", data=f"key: {KEY}".encode()),
        Media("b", "image/png", data=KEY.encode()),
    )  # fmt: skip
    assert KEY not in ask(path, "prompt", "p").body
    assert KEY not in str(ask(path, "examples", "d")) + str(ask(path, "datasets"))
    assert KEY.encode() not in ask(path, "blob", ask(path, "media", "m").hash)
    assert ask(path, "blob", ask(path, "media", "b").hash) == KEY.encode()  # a picture is not text


def test_files_are_not_kept_where_contents_are_not(path: Path) -> None:
    with Ingest(path, Settings(db=path, capture_content="metadata")) as ingest:
        keep(ingest, Media("m", "image/png", 4, data=b"\x89PNG"), Prompt("p", "p", "Hello"))
    assert ask(path, "media", "m").hash is None
    assert ask(path, "prompt", "p").body == "Hello"


def test_all_of_a_delivery_is_written_or_nothing(ingest: Ingest, path: Path) -> None:
    wrong = Example("e", "d", input={"q": object()})
    with pytest.raises(StoreError, match="not JSON serializable"):
        keep(ingest, Dataset("d", "weather"), wrong)
    assert ask(path, "datasets") == []


# --- earlier states, and what scores may say ---


def test_an_example_is_read_as_it_was_at_a_time(path: Path) -> None:
    now = [T0]

    def states(at: int | None) -> dict[str, Any]:
        return {row.example_id: row.input for row in ask(path, "examples", "d", at_ns=at)}

    with Ingest(path, Settings(db=path), clock=lambda: now[0]) as ingest:
        keep(ingest, Dataset("d", "sums"), Example("a", "d", 1), Example("b", "d", "x"))
        for n, item in enumerate((Example("a", "d", 2), Example("a", "d", 2), Gone("example", "b")), 1):
            now[0] = T0 + 1000 * n
            keep(ingest, item)
    assert [states(at) for at in (T0 - 1, T0, T0 + 1000, T0 + 2999, T0 + 3000, None)] == [
        {}, {"a": 1, "b": "x"}, {"a": 2, "b": "x"}, {"a": 2, "b": "x"}, {"a": 2}, {"a": 2},
    ]  # fmt: skip
    assert ask(path, "count_examples", "d", at_ns=T0) == 2
    assert ask(path, "example", "a").updated_ns == T0 + 1000  # what says nothing new changes nothing
    with Ingest(path, Settings(db=path)) as ingest:
        keep(ingest, Gone("dataset", "d"))
    assert states(T0) == {}


def test_what_scores_may_say_is_changed_field_by_field_and_goes_into_exports(ingest: Ingest, path: Path) -> None:
    made = ScoreConfig("c", "quality", "numeric", min_value=0.0, max_value=1.0, source="test")
    keep(ingest, made, ScoreConfig("c", "quality", "numeric", "how good", archived=True))
    (row,) = ask(path, "score_configs")
    assert (row.description, row.min_value, row.archived) == ("how good", 0.0, True)
    keep(ingest, ScoreConfig("c", "grade", "numeric"))
    with open_reader(path) as reader:
        (item,) = shelf.items(reader)
    assert item == replace(made, name="grade", description="how good", archived=True, created_ns=T0)
    assert native.decode([native.encode(item)]).library == (item,)
