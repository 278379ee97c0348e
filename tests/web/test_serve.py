"""`tracetui serve` in a real headless Chromium, and who is kept out."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.ingest import Ingest
from collector.model import Batch
from collector.receiver.ports import is_loopback
from collector.settings import Settings
from tests.builders import make_part, trace_id
from tests.web.browser import CHROMIUM
from tracetui.cli import serve

pytest.importorskip("textual_serve", reason="textual-serve is not installed")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the server prints: the address with its token."""
    folder = tmp_path_factory.mktemp("it's served")  # a shell reads its name
    path = folder / "traces.db"
    with Ingest(path, Settings(db=path)) as ingest:
        ingest.write(Batch("test", (make_part(1, trace=trace_id(1), name="plan_trip"),)))
    command = [sys.executable, "-m", "tracetui", "serve", str(path), "--port", str(_free_port())]
    env = {**os.environ, "XDG_STATE_HOME": str(folder)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            assert line.startswith("Open http://127.0.0.1:"), line
            yield line.split()[1]
        finally:
            server.terminate()


def _free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _answer(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_explorer_is_read_and_driven_in_a_browser(address: str) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 700})
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        frames: list[bytes] = []
        page.on("websocket", lambda ws: ws.on("framereceived", lambda data: frames.append(_bytes(data))))

        def shows(text: str) -> None:
            for _ in range(400):
                if text.encode() in b"".join(frames):
                    return
                page.wait_for_timeout(50)
            raise AssertionError(f"no {text} in {b''.join(frames)[-3000:]!r}")

        page.goto(address)
        assert "token" not in page.url
        shows("plan_trip")
        page.mouse.click(300, 300)  # the terminal gets the keys
        frames.clear()
        page.keyboard.press("Enter")
        shows("Messages")
        page.keyboard.press("y")
        shows("trace id")
        page.keyboard.press("1")
        page.wait_for_function(f"async () => await navigator.clipboard.readText() === '{trace_id(1)}'")
        frames.clear()
        page.keyboard.press("?")
        shows("esc closes")
        base = address.split("/?")[0]
        assert [url for url in asked if not url.startswith((base, "data:", "blob:"))] == []  # works offline
        browser.close()


def _bytes(data: object) -> bytes:
    payload = data["payload"] if isinstance(data, dict) else data
    return payload if isinstance(payload, bytes) else str(payload).encode()


def test_without_the_token_there_is_nothing_to_see(address: str) -> None:
    base, token = address.split("/?token=")
    for url in (base + "/", base + "/ws", base + "/static/js/textual.js", base + "/?token=" + token[:-1]):
        code, said = _answer(url, Origin=base)
        assert code == 403, url
        assert token not in said


def test_other_pages_and_other_names_are_kept_out(address: str) -> None:
    base, token = address.split("/?token=")
    for url, headers in (
        (base + "/ws", {"Origin": "https://evil.example"}),
        (base + "/ws", {}),
        (address, {"Host": "evil.example"}),
    ):
        assert _answer(url, Cookie=f"tracetui={token}", **headers)[0] == 403, headers


async def test_a_server_that_was_not_guarded_does_not_start() -> None:
    web = pytest.importorskip("aiohttp.web")
    explorer = pytest.importorskip("tracetui.web").WebExplorer(
        "true", host="127.0.0.1", port=1, url="http://a", token="t"
    )
    with pytest.raises(RuntimeError, match="cannot be guarded"):
        await explorer.on_startup(web.Application())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::"])
def test_other_machines_need_a_token(host: str, tmp_path: Path) -> None:
    assert not is_loopback(host)
    result = CliRunner().invoke(serve.serve, [str(tmp_path / "a.db"), "--host", host])
    assert "whoever reaches it reads every trace" in str(result.exception)
    assert serve.address(host, 8018, "t", "https://traces.example.com/") == "https://traces.example.com"


def test_the_file_is_one_word_to_the_shell() -> None:
    said = serve.command(Path("/tmp/a b'; touch x.db"))
    words = subprocess.run(["sh", "-c", f"printf '%s\\n' {said}"], capture_output=True, text=True, check=True).stdout
    assert words.splitlines()[-1] == "/tmp/a b'; touch x.db"
