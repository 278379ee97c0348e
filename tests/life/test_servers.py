"""Servers and test runners that start processes of their own: real ones, as their users start them."""

from __future__ import annotations

import re
import subprocess
import sys

import httpx
import pytest

from tests.life.program import environment, line, named, spans, started, statuses, until, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

WSGI = """
import threading
import collector.sdk.api as api

@observe
def answer(path):
    return os.getpid()

with span("loaded"): pass

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(answer(environ["PATH_INFO"])).encode()]
"""

ASGI = """
@observe
async def answer(path):
    return os.getpid()

async def app(scope, receive, send):
    if scope["type"] == "http":
        body = str(await answer(scope["path"])).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
"""


def ask_until_all_answered(url: str, workers: int) -> tuple[int, int]:
    """(how many requests were answered, by how many processes)."""
    seen, asked = set(), 0

    def ask() -> bool:
        nonlocal asked
        try:
            answer = httpx.get(f"{url}/{asked}", trust_env=False, headers={"connection": "close"})
        except httpx.TransportError:
            return False
        assert answer.status_code == 200
        asked += 1
        seen.add(answer.text)
        return len(seen) >= workers and asked >= 10

    until(ask, "every worker has answered")
    return asked, len(seen)


@pytest.mark.parametrize(
    ("worker", "preload"),
    [
        ("sync", []),
        ("gthread", ["--preload"]),
        ("gevent", []),
        pytest.param("sync", ["--preload"], marks=pytest.mark.slow),
        pytest.param("gthread", [], marks=pytest.mark.slow),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_gunicorn_workers_write_what_they_answered(tmp_path, worker, preload):
    if worker == "gevent":
        pytest.importorskip("gevent")
    pytest.importorskip("gunicorn")
    db = tmp_path / "traces.db"
    write(tmp_path, WSGI, "app.py")
    (tmp_path / "gunicorn.conf.py").write_text("control_socket_disable = True")  # not known to all versions
    command = [
        "-m", "gunicorn", "app:app", "--bind", "127.0.0.1:0", "--workers", "2", "--worker-class", worker,
        "--worker-tmp-dir", str(tmp_path), *preload,
    ]  # fmt: skip
    with started(tmp_path, *command) as server:
        said = ""
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", said)):
            said += (read := server.stderr.readline())
            assert read, said
        asked, _ = ask_until_all_answered(found[0], 2)
        server.terminate()
        _, rest = server.communicate(timeout=30)
    assert server.returncode == 0, rest
    assert "Traceback" not in rest, rest
    found_spans = spans(db)
    assert [row.status for row in found_spans if row.name == "answer"] == ["ok"] * asked
    assert len([row for row in found_spans if row.name == "loaded"]) == (1 if preload else 2)
    assert not (tmp_path / "traces.db-wal").exists()


def test_uvicorn_workers_write_what_they_answered(tmp_path):
    db = tmp_path / "traces.db"
    write(tmp_path, ASGI, "app.py")
    code = """
        import socket, uvicorn
        if __name__ == "__main__":
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            print(port, flush=True)
            uvicorn.run("app:app", port=port, workers=2, log_level="warning")
    """
    with started(tmp_path, str(write(tmp_path, code))) as server:
        asked, _ = ask_until_all_answered(f"http://127.0.0.1:{line(server)}", 2)
        until(lambda: len(spans(db)) == asked, "all are written, a tick later")
        server.terminate()
        server.communicate(timeout=30)
    assert statuses(db) == {"answer": "ok"}


@pytest.mark.slow
def test_spans_of_pytest_xdist_workers_are_there(tmp_path):
    pytest.importorskip("xdist")
    code = """
        import pytest
        @pytest.mark.parametrize("n", range(12))
        def test_traced(n):
            with span(f"test {n}"): pass
    """
    write(tmp_path, code, "test_traced.py")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "xdist",
        "-n",
        "2",
        "-p",
        "no:cacheprovider",
        "test_traced.py",
    ]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"), capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "12 passed" in ended.stdout, ended.stdout + ended.stderr
    rows = named(tmp_path / "traces.db")
    assert {(name, row.status) for name, row in rows.items()} == {(f"test {n}", "ok") for n in range(12)}
