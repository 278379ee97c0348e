"""What holds for a demo however it is run: its waits, and how it ends when nobody watches any more."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from collector.sdk.api import QUEUE
from collector.store import open_reader
from tracetui.demo.play import PROGRAMME, play
from tracetui.demo.scenes import SCENES
from tracetui.demo.stage import Stage
from tracetui.demo.stories import STORIES


@pytest.fixture(autouse=True)
def _our_tracer_again() -> Iterator[None]:
    """The demo traces itself with the process's own tracer: give it back as it was."""
    yield
    QUEUE.close()
    QUEUE.arguments = {}


def test_the_programme_has_every_story_and_scene_once():
    assert sorted(act.__name__ for act in PROGRAMME) == sorted(act.__name__ for act in (*STORIES, *SCENES))
    assert len(set(PROGRAMME)) == len(PROGRAMME)


def test_a_wait_is_divided_by_the_speed_but_not_below_what_its_story_needs():
    stage = Stage(model=None, speed=10.0)  # type: ignore[arg-type]  # no act is played
    assert stage.wait_s(2.0) == pytest.approx(0.2)
    assert stage.wait_s(0.2, at_least=0.2) == 0.2


def test_once_nobody_watches_nothing_waits():
    stage = Stage(model=None, speed=0.1, stopped=lambda: True)  # type: ignore[arg-type]  # no act is played
    assert stage.wait_s(2.0, at_least=0.2) == 0.0


def test_a_screen_that_closes_ends_the_act_that_plays_and_begins_no_other(tmp_path):
    db = tmp_path / "traces.db"
    asked = count()
    play(db, speed=1000.0, use_openai=False, stopped=lambda: next(asked) > 10)
    with open_reader(db) as reader:
        names = {row.name for row in reader.traces(limit=1000)}
        assert {row.status for row in reader.spans(limit=1000)} == {"ok"}
    assert "support_agent" in names
    assert "add_temperatures" not in names


def test_a_run_that_is_stopped_before_it_begins_leaves_no_spans(tmp_path):
    played = play(tmp_path / "traces.db", use_openai=False, stopped=lambda: True)
    assert played.stories == ()
    assert not (tmp_path / "traces.db").exists()
