"""`tracetui run --no-tui`: the terminal and the signals belong to the command, and nothing of it is lost."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.run.running import environment, program, rows, run, tracetui, until

OBSERVED = """
from collector import observe
@observe
def answer(question):
    return question.upper()
answer("why")
"""
OTEL = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
with trace.get_tracer("t").start_as_current_span("by_otel"):
    pass
"""


def test_the_streams_and_the_exit_code_are_the_commands(tmp_path: Path) -> None:
    done = run(tmp_path, "--", *program(tmp_path, OBSERVED + "import sys; print('out'); sys.exit(3)"))
    assert (done.returncode, done.stdout) == (3, "out\n")
    said = done.stderr.splitlines()
    assert said[0].startswith("tracetui: ")
    assert " ended with exit code 3 after " in said[0]
    assert said[0].endswith(": 1 trace, 1 span, 0 errors")
    assert said[1].startswith(f"tracetui: tracetui {tmp_path}/traces.db --filter run:")
    assert rows(tmp_path, "select name from spans") == [("answer",)]


def test_after_it_one_file_is_everything_full_text_included(tmp_path: Path) -> None:
    run(tmp_path, "--", *program(tmp_path, OBSERVED))
    assert sorted(path.name for path in tmp_path.glob("traces.db*")) == ["traces.db", "traces.db.lock"]
    assert rows(tmp_path, "select count(*) from todo") == [(0,)]


def test_both_our_spans_and_opentelemetrys_belong_to_the_run(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    env = environment(tmp_path, OTEL_RESOURCE_ATTRIBUTES="team=blue", OTEL_EXPORTER_OTLP_ENDPOINT="http://nowhere.test")
    done = run(tmp_path, "--", *program(tmp_path, OBSERVED + OTEL), env=env)
    assert done.returncode == 0, done.stderr
    assert "OTEL_EXPORTER_OTLP_ENDPOINT points to http://nowhere.test; for this run it points here" in done.stderr
    assert "2 traces, 2 spans" in done.stderr
    found = subprocess.run(
        tracetui("spans", done.stderr.split("--filter ")[1].strip(), "--db", str(tmp_path / "traces.db"), "--json"),
        capture_output=True, text=True, env=env,
    )  # fmt: skip
    assert {span["name"] for span in json.loads(found.stdout)} == {"answer", "by_otel"}
    resources = [body for (body,) in rows(tmp_path, "select body from contexts where kind = 'resource'")]
    assert sum('"team":"blue"' in body and '"tracetui.run.id"' in body for body in resources) == 1


def test_a_running_collector_of_the_same_file_is_joined_and_goes_on(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with subprocess.Popen(
        tracetui("collect", "--db", str(tmp_path / "traces.db"), "--json"), env=env, cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as collector:  # fmt: skip
        try:
            assert collector.stdout is not None
            said = ""
            while not said.endswith("\n}\n"):
                said += collector.stdout.readline()
            port = json.loads(said)["ports"]["http"]
            done = run(
                tmp_path,
                "--",
                *program(tmp_path, "import os; print(os.environ['OTEL_EXPORTER_OTLP_ENDPOINT'])"),
                env=env,
            )
            assert done.stdout == f"http://127.0.0.1:{port}\n"
            assert collector.poll() is None
        finally:
            collector.terminate()


@pytest.mark.slow
def test_when_a_joined_collector_ends_one_of_ours_takes_its_place(tmp_path: Path) -> None:
    text = (
        """
import os, time, urllib.request
url = os.environ['OTEL_EXPORTER_OTLP_ENDPOINT'] + '/v1/status'
def pid():
    try:
        import json
        return json.load(urllib.request.urlopen(url))['pid']
    except OSError:
        return None
first = pid()
open('ready', 'w')
while pid() in (None, first): time.sleep(0.05)
"""
        + OBSERVED
    )
    env = environment(tmp_path)
    with subprocess.Popen(
        tracetui("collect", "--db", str(tmp_path / "traces.db"), "--json"), env=env, cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as collector:  # fmt: skip
        assert collector.stdout is not None
        while collector.stdout.readline() != "}\n":
            pass
        with subprocess.Popen(
            tracetui("run", "--no-tui", "--db", "traces.db", "--", *program(tmp_path, text)), cwd=tmp_path, env=env,
            stderr=subprocess.PIPE, text=True,
        ) as child:  # fmt: skip
            until((tmp_path / "ready").exists)
            collector.terminate()
            _, said = child.communicate(timeout=40)
    assert child.returncode == 0, said
    assert "1 trace, 1 span" in said


def test_who_holds_the_port_is_said_and_the_next_free_one_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        env = environment(tmp_path, TRACETUI_HTTP_PORT=str(port))
        done = run(
            tmp_path, "--", *program(tmp_path, "import os; print(os.environ['OTEL_EXPORTER_OTLP_ENDPOINT'])"), env=env
        )
    assert done.stdout.startswith("http://127.0.0.1:")
    assert not done.stdout.endswith(f":{port}\n")
    assert f"Port {port} is held by " in done.stderr


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)),
    ],
)
def test_a_signal_to_us_reaches_the_command_and_becomes_the_exit_code(tmp_path: Path, number: signal.Signals) -> None:
    """The default action of each ends a program; Python's own SIGINT is put back to it."""
    text = (
        OBSERVED
        + """
import collector, signal, time
collector.flush()
signal.signal(signal.SIGINT, signal.SIG_DFL)
open('ready', 'w'); time.sleep(60)
"""
    )
    with subprocess.Popen(
        tracetui("run", "--no-tui", "--db", "traces.db", "--", *program(tmp_path, text)), cwd=tmp_path,
        env=environment(tmp_path), stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        until((tmp_path / "ready").exists)
        child.send_signal(number)
        _, said = child.communicate(timeout=40)
    assert child.returncode == 128 + number
    assert f"was ended by {number.name}" in said
    assert "1 trace, 1 span" in said  # what it left behind is stored all the same


def test_a_command_that_handles_a_signal_ends_as_it_likes(tmp_path: Path) -> None:
    text = """
import signal, sys, time
got = []
def end(*_):
    got.append(1)
signal.signal(signal.SIGTERM, end)
open('ready', 'w')
while not got: time.sleep(0.01)
time.sleep(0.3)
print(len(got)); sys.exit(7)
"""
    with subprocess.Popen(
        tracetui("run", "--no-tui", "--db", "traces.db", "--", *program(tmp_path, text)), cwd=tmp_path,
        env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as child:  # fmt: skip
        until((tmp_path / "ready").exists)
        child.terminate()
        out, _ = child.communicate(timeout=40)
    assert (child.returncode, out) == (7, "1\n")


@contextmanager
def killed_at_last(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Of a test that fails nothing stays behind, and nothing is waited for."""
    try:
        yield
    except BaseException:
        child.kill()
        raise


def test_stop_and_continue_pass_through(tmp_path: Path) -> None:
    text = (
        "import os, time\nopen('ready', 'w').write(str(os.getpid()))\nwhile not os.path.exists('go'): time.sleep(0.01)"
    )
    # A group of its own: in one that has lost its parent, as under a job that was sent away, SIGTSTP does nothing.
    with subprocess.Popen(
        tracetui("run", "--no-tui", "--db", "traces.db", "--", *program(tmp_path, text)), cwd=tmp_path,
        env=environment(tmp_path), stderr=subprocess.DEVNULL, process_group=0,
    ) as child, killed_at_last(child):  # fmt: skip
        until(lambda: (tmp_path / "ready").exists() and (tmp_path / "ready").read_text())
        pid = int((tmp_path / "ready").read_text())
        child.send_signal(signal.SIGTSTP)
        until(lambda: state(pid) == "T" and state(child.pid) == "T", "both stopped")
        child.send_signal(signal.SIGCONT)
        until(lambda: state(pid) != "T", "continued")
        (tmp_path / "go").touch()
        assert child.wait(40) == 0


def state(pid: int) -> str:
    """A letter of ps: T for stopped."""
    import psutil

    return "T" if psutil.Process(pid).status() == psutil.STATUS_STOPPED else "-"


def test_ctrl_c_in_a_terminal_reaches_the_command_once(tmp_path: Path) -> None:
    import pexpect

    text = """
import signal, sys, time
got = []
signal.signal(signal.SIGINT, lambda *_: got.append(1))
print('ready', flush=True)
while not got: time.sleep(0.01)
time.sleep(0.5)
print('interrupted', len(got), flush=True); sys.exit(9)
"""
    command = tracetui("run", "--no-tui", "--db", "traces.db", "--", *program(tmp_path, text))
    child = pexpect.spawn(
        command[0], command[1:], cwd=str(tmp_path), env=environment(tmp_path), encoding="utf-8", timeout=40
    )
    try:
        child.expect("ready")
        child.sendintr()
        child.expect("interrupted 1")
        child.expect(pexpect.EOF)
    finally:
        child.close()
    assert child.exitstatus == 9


def test_the_command_has_the_terminal(tmp_path: Path) -> None:
    import pexpect

    text = "import os\nassert os.tcgetpgrp(0) == os.getpgrp()\nprint('hello', input('name? '))"
    command = tracetui("run", "--no-tui", "--db", "traces.db", "--", *program(tmp_path, text))
    child = pexpect.spawn(
        command[0], command[1:], cwd=str(tmp_path), env=environment(tmp_path), encoding="utf-8", timeout=40
    )
    try:
        child.expect_exact("name? ")
        child.sendline("ada")
        child.expect_exact("hello ada")
        child.expect(pexpect.EOF)
    finally:
        child.close()
    assert child.exitstatus == 0


def test_the_collector_waits_for_what_a_killed_command_still_had_on_the_way(tmp_path: Path) -> None:
    """A request whose sender is gone is read to its end."""
    text = """
import json, os, socket
from urllib.parse import urlsplit
where = urlsplit(os.environ['OTEL_EXPORTER_OTLP_ENDPOINT'])
span = {"traceId": "a" * 32, "spanId": "b" * 16, "name": "last", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
head = "POST /v1/traces HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/json\\r\\n"
s = socket.create_connection((where.hostname, where.port))
s.sendall(f"{head}Content-Length: {len(body)}\\r\\n\\r\\n".encode() + body)
os.kill(os.getpid(), 9)
"""
    done = run(tmp_path, "--", *program(tmp_path, text))
    assert done.returncode == 128 + signal.SIGKILL
    assert rows(tmp_path, "select name from spans") == [("last",)]


def test_what_the_sdk_had_to_spill_is_read_back(tmp_path: Path) -> None:
    """The file is locked when the program ends: its spans go beside the file, and come back from there."""
    text = (
        OBSERVED.replace('answer("why")', "")
        + """
import os, sqlite3, sys
from collector import flush
answer("first"); flush()
hold = sqlite3.connect(os.environ["TRACETUI_DB"], isolation_level=None)
hold.execute("begin immediate")
answer("second")
"""
    )
    env = environment(tmp_path, TRACETUI_EXIT_WAIT_S="0.2")
    done = run(tmp_path, "--", *program(tmp_path, text), env=env)
    assert "2 traces, 2 spans" in done.stderr, done.stderr
    assert list(tmp_path.glob("traces.db.spill*")) == []


def test_a_command_that_is_not_there_is_127_and_one_that_cannot_run_126(tmp_path: Path) -> None:
    done = run(tmp_path, "--", "no-such-command")
    assert (done.returncode, done.stderr) == (
        127,
        "tracetui: no-such-command was not found: it is in no directory of $PATH\n",
    )
    done = run(tmp_path, "--", "./nope")
    assert (done.returncode, done.stderr) == (127, "tracetui: ./nope was not found: there is no such file\n")
    (tmp_path / "plain").write_text("x")
    done = run(tmp_path, "--", "./plain")
    assert (done.returncode, done.stderr) == (
        126,
        "tracetui: ./plain cannot be run: it is not executable (chmod +x ./plain)\n",
    )
    assert not (tmp_path / "traces.db").exists()


def test_no_command_is_wrong_usage(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 2
    assert "Usage: tracetui run [OPTIONS] -- CMD" in done.stderr


def test_a_file_that_cannot_be_written_is_said_before_the_command_starts(tmp_path: Path) -> None:
    done = subprocess.run(
        tracetui("run", "--db", "no/folder/traces.db", "--", sys.executable, "-c", "print('ran')"),
        env=environment(tmp_path), cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "The receiver did not start" in done.stderr


def test_a_program_that_sends_nothing_is_told_what_to_try(tmp_path: Path) -> None:
    done = run(tmp_path, "--", "true")
    assert done.returncode == 0
    assert "true ended after " in done.stderr
    assert "sent no spans; for a Python program that traces nothing yet, try --auto" in done.stderr
