"""A failure inside the explorer, in a real pty: the terminal is as it was, and a report says where."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from collector.ingest import Ingest
from collector.model import Batch
from collector.settings import Settings
from tests.builders import make_part, trace_id
from tests.proof.terminal import terminal

SECRET = "sk-what-a-trace-held"
FAILING = f"""
import sys
from tracetui.cli.main import main
from tracetui.screens import help
def compose(self):
    raise ValueError({SECRET!r})
help.HelpScreen.compose = compose
main(sys.argv[1:])
"""


def test_a_crash_leaves_the_terminal_sane_and_names_a_report(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with Ingest(path, Settings(db=path)) as ingest:
        ingest.write(Batch("test", (make_part(1, trace=trace_id(1), name="harmless"),)))
    program = shlex.join([sys.executable, "-c", FAILING, str(path)])
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    before, after = tmp_path / "before", tmp_path / "after"
    around = f"stty -a >{before}; {program}; echo code $?; stty -a >{after}; echo the end; read line"
    with terminal(["sh", "-c", around], 200, 40, env) as screen:
        screen.until("harmless")
        screen.press("?")
        text = screen.until("the end")
        raw = screen.raw
    assert "tracetui stopped: ValueError" in text
    assert "Nothing is lost" in text
    assert "code 1" in text
    assert "Traceback" not in raw
    assert after.read_text() == before.read_text()
    for off in ("\x1b[?1049l", "\x1b[?1000l", "\x1b[?25h"):
        assert off in raw, off
    (report,) = (tmp_path / "state/tracetui/crashes").iterdir()
    assert f"is in {report}\r\n" in raw
    said = report.read_text()
    assert "in compose" in said
    assert SECRET not in said
