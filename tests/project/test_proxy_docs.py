"""The example of docs/clients/proxy.md runs as it stands, and its page says what the proxy knows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from collector.receiver.doors.proxy.upstreams import BUILT_IN
from tests.proxy.upstream import proxying
from tracetui.demo.server import Server

PAGE = (Path(__file__).parents[2] / "docs/clients/proxy.md").read_text("utf-8")


def test_the_example_is_one_session_of_three_turns(tmp_path: Path) -> None:
    [code] = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    script = tmp_path / "example.py"
    script.write_text(code, "utf-8")
    with Server() as demo, proxying(tmp_path, "http://127.0.0.1:1", upstreams={"openai": demo.url[:-3]}) as proxy:
        variable = proxy.up.status.url + "/proxy/openai/v1"
        assert variable.replace(str(proxy.up.status.http_port), "4318") in PAGE
        env = {**os.environ, "OPENAI_BASE_URL": variable, "OPENAI_API_KEY": "none"}
        ran = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True, timeout=90)
        assert (ran.returncode, ran.stderr, ran.stdout.strip()) == (0, "", "(nothing was written for this)")
        spans = proxy.spans(3)
    assert len({span.row.session_id for span in spans}) == 1
    assert len({span.row.trace_id for span in spans}) == 3


def test_every_built_in_upstream_is_on_the_page() -> None:
    assert not [name for name in BUILT_IN if f"`{name}`" not in PAGE]
