"""Every command of docs/run.md does what it says there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run.running import environment, program, tracetui

TEXT = (Path(__file__).parents[2] / "docs" / "run.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
AGENT = "from collector import observe\n@observe(kind='tool')\ndef act(): print('acted')\nact()"


@pytest.mark.slow
@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_document_can_be_run(tmp_path: Path, line: str) -> None:
    words = shlex.split(line)
    program(tmp_path, AGENT)
    if "poetry" in words:
        (tmp_path / "pyproject.toml").write_text('[tool.poetry]\nname = "a"\nversion = "0"\npackage-mode = false\n')
    if "--" in words and shutil.which(words[words.index("--") + 1]) is None:
        pytest.skip("not installed")
    words = [sys.executable if word == "python" else word for word in words]
    done = subprocess.run(
        tracetui(*words[1:], *([] if words[1] == "run" else ["--db", "traces.db"])), cwd=tmp_path, text=True,
        env=environment(tmp_path, TRACETUI_DB="traces.db"), stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
    )  # fmt: skip
    if words[1] == "run":
        assert (done.returncode, done.stdout) == (0, "acted\n"), done.stderr
        assert "1 trace, 1 span, 0 errors" in done.stderr
    else:
        assert "there is no file" in done.stderr  # it was understood
