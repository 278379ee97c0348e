"""Parquet is read by pyarrow, which is a third of all that the tests need: it gets an environment of its own, and what
tests it runs there. The suite alone passes over those."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.pages.test_pages import HOMES, ROOT, RUN_S, run


@pytest.mark.slow  # 166 MB
def test_parquet_is_read_with_pyarrow() -> None:
    home = HOMES / "parquet"
    if not home.exists():
        tool = ["uv", "pip", "install", "--python", sys.executable]
        pip = tool if shutil.which("uv") else [sys.executable, "-m", "pip", "install"]
        run([*pip, "--quiet", "--target", str(home), "pyarrow"], home)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(home)])}
    asked = ["-m", "pytest", "-p", "no:cacheprovider", "tests/importers/test_others.py", "-k", "parquet", "-rs"]
    done = subprocess.run([sys.executable, *asked], cwd=ROOT, env=env, capture_output=True, text=True, timeout=RUN_S)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "SKIPPED" not in done.stdout
