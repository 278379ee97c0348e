"""A demo that runs at once: what it prints, and that both ways of calling the model leave the same."""

from __future__ import annotations

import re

import pytest

from collector.store import open_reader

pytestmark = pytest.mark.slow


@pytest.fixture(params=["through_openai", "by_http"])
def ran(request):
    return request.getfixturevalue(request.param)


def test_it_ends_well_and_quietly(ran):
    assert (ran.ended.returncode, ran.ended.stderr) == (0, "")


def test_it_names_its_file_first_and_says_that_the_answers_are_simulated(ran):
    notice, named, *_ = ran.ended.stdout.splitlines()
    assert "simulated" in notice
    assert "127.0.0.1" in notice
    assert named == f"File: {ran.db}"


def test_a_clean_end_leaves_one_file(ran):
    assert ran.left == ("demo.db", "demo.db.lock")


def test_the_summary_counts_what_is_in_the_file(ran):
    with open_reader(ran.db) as reader:
        totals, sessions = reader.totals(), len(reader.sessions(limit=1000))
    told = f"{totals.traces} traces, {totals.spans} spans, {totals.errors} errors, {sessions} sessions"
    assert told in ran.ended.stdout


def test_the_summary_has_a_command_for_every_story(ran):
    commands = re.findall(r" {2,}(tracetui (?:search|spans|traces) .* --db \S+)$", ran.ended.stdout, re.MULTILINE)
    assert len(commands) == 8
    assert all(command.endswith(str(ran.db)) for command in commands)


def test_both_ways_of_calling_the_model_leave_the_same(through_openai, by_http):
    counts = []
    for ran in (through_openai, by_http):
        with open_reader(ran.db) as reader:
            totals = reader.totals()
            sessions = sorted(row.session_id for row in reader.sessions(limit=1000))
            counts.append((totals.traces, totals.spans, totals.errors, totals.cost_nanousd, sessions))
    assert counts[0] == counts[1]
