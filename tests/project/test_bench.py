"""Benchmarks are never timed tests; that they can be found is tested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import benchmarks, main

ROOT = Path(__file__).parents[2]


def test_every_benchmark_is_listed_with_its_question(capsys):
    main([])
    said = capsys.readouterr().out
    found = benchmarks()
    assert {"ingest", "memory", "rollups", "sdk_beside", "search", "session_size", "sqlite_bindings"} <= set(found)
    for name, question in found.items():
        assert name in said
        assert question in said
        assert len(question) > 20


def test_a_name_that_is_none_is_answered_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "there is no benchmark nonsense; there are " in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["session_size", "--", "--help"]])
def test_help_is_given_and_nothing_is_measured(arguments):
    done = subprocess.run(
        [sys.executable, "-m", "bench", *arguments], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.startswith("usage: ")
