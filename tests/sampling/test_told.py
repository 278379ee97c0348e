"""Whatever door a count of what was left out takes, sums say so at the end."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from collector import store
from collector.ingest import Ingest
from collector.model import Batch, Refusal
from collector.receiver.status import probe
from collector.settings import Settings
from collector.store.filters import parse
from tests.builders import make_part
from tests.receiver.running import running, settings_for
from tests.receiver.running import until as wait_until
from tests.sdk.memory import Bench
from tests.tui.fakes import FakeReader, make_app, some_traces
from tests.tui.until import shows, until
from tracetui.cli import main
from tracetui.run import summary

SAID = "1,200 spans were left out by sampling: counts, tokens and costs are of what was kept"
LEFT_OUT = (Refusal("sample_rate 0.1", "", 1_150), Refusal("sampling rule name health: 0", "", 50))


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "traces.db"
    with Ingest(path, Settings(db=path)) as ingest:
        ingest.write(Batch("sdk", (make_part(1, attributes={"session.id": "s1"}),), sampled_out=LEFT_OUT))
    return path


def run(*args: object) -> Result:
    result = CliRunner().invoke(main.cli, [str(arg) for arg in args], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def told(path: Path) -> dict[str, int]:
    with store.open_reader(path) as reader:
        return {row.reason: row.n for row in reader.ledger() if row.outcome == "sampled_out"}


@pytest.mark.parametrize("command", ["traces", "spans", "sessions"])
@pytest.mark.parametrize("more", [[], ["--json"], ["session:s1"]])
def test_lists_say_so_beside_their_answer(db: Path, command: str, more: list[str]) -> None:
    found = run(command, "--db", db, *more)
    assert f"tracetui: {SAID}\n" in found.stderr
    assert SAID not in found.stdout
    if more == ["--json"]:
        assert len(json.loads(found.stdout)) == 1


def test_lists_of_a_file_that_has_everything_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Ingest(tmp_path / "traces.db", Settings(db=tmp_path / "traces.db")) as ingest:
        ingest.write(Batch("sdk", (make_part(1),)))
    assert run("traces", "--db", tmp_path / "traces.db").stderr == ""


def test_doctor_says_so(db: Path) -> None:
    assert SAID in run("doctor", "--db", db).stdout


def test_totals_say_so_whatever_the_filter(db: Path) -> None:
    with store.open_reader(db) as reader:
        assert [reader.totals(where).sampled_out for where in (None, parse("session:s1", 0))] == [1_200, 1_200]


@pytest.mark.parametrize(("count", "said"), [(1_200, "+1,200 spans left out"), (1, "+1 span left out"), (0, "$151")])
async def test_the_sums_over_the_list_say_so(count: int, said: str) -> None:
    reader = FakeReader(some_traces())
    reader.sampled_out = count
    async with make_app(reader).run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, said))
        assert shows(pilot, "left out") == bool(count)


def test_the_summary_of_a_run_says_so() -> None:
    said = summary.lines(
        summary.Sums(traces=1, sampled_out=1_200), db=Path("traces.db"), run="r", seconds=1, ended="it", auto=False
    )
    assert f"in all of the file, {SAID}" in said


def test_a_collector_takes_the_count_and_tells_it(tmp_path: Path) -> None:
    with running(settings_for(tmp_path), real=True) as up:
        made = Bench(url=str(up.client.base_url), db=tmp_path / "beside.db", sample_rate=0.0)
        made.queue.sink = None
        for _ in range(3):
            with made.span("chat"):
                pass
        assert made.queue.close()
        status = probe("127.0.0.1", up.status.http_port)
        assert status is not None
        assert status.ledger["sampled_out"] == 3
    assert told(tmp_path / "traces.db") == {"sample_rate 0": 3}


class Forgetful(ThreadingHTTPServer):
    """Passes bodies on to a collector, and loses its answer to the first of them."""

    def __init__(self, collector: str) -> None:
        self.passed = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Quiet."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = httpx.post(
                    collector + self.path, content=body, headers={"content-type": "application/x-ndjson"}
                )
                server.passed += 1
                if server.passed > 1:
                    self.send_response(answer.status_code)
                    self.end_headers()
                    self.wfile.write(answer.content)

        super().__init__(("127.0.0.1", 0), Handler)


def test_a_count_whose_answer_was_lost_on_the_way_is_taken_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.sampling.QUIET_S", 0.0)
    with running(settings_for(tmp_path), real=True) as up, Forgetful(str(up.client.base_url).rstrip("/")) as between:
        threading.Thread(target=between.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{between.server_address[1]}"
        made = Bench(url=url, db=tmp_path / "beside.db", sample_rate=0.0, exit_wait_s=30)
        made.queue.sink = None
        made.queue.lose(7, OSError(28, "No space left on device"))
        for _ in range(3):
            with made.span("chat"):
                pass
        wait_until(lambda: between.passed >= 2 and not made.queue.worker.outbox.waiting)
        assert made.queue.close()
        with made.span("a process of another id"):
            pass
        assert made.queue.close()
        between.shutdown()
        status = probe("127.0.0.1", up.status.http_port)
        assert between.passed >= 3
        assert status is not None
        assert status.ledger["sampled_out"] == 4
    assert told(tmp_path / "traces.db") == {"sample_rate 0": 4}
    with store.open_reader(tmp_path / "traces.db") as reader:
        rows = [(row.outcome, row.reason, row.n) for row in reader.ledger() if row.outcome != "sampled_out"]
    assert rows == [("received", "", 7), ("rejected", "lost before the file: No space left on device", 7)]


def test_a_collector_reads_back_what_programs_left_beside_its_file(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    made = Bench(db=settings.db)
    made.queue.only_spill()
    with made.span("left"):
        pass
    assert list(tmp_path.glob("*.spill-*"))
    with running(settings, real=True) as up:
        wait_until(lambda: up.receiver.status().ledger["stored"] == 1)
    assert not list(tmp_path.glob("*.spill-*"))
    with store.open_reader(settings.db) as reader:
        assert [row.name for row in reader.spans()] == ["left"]


def test_an_export_of_the_whole_file_brings_the_counts_along(db: Path, tmp_path: Path) -> None:
    run("export", "--db", db, "-o", tmp_path / "all.jsonl")
    for _ in range(2):  # the second import brings nothing new, so it counts nothing either
        run("import", tmp_path / "all.jsonl", "--db", tmp_path / "other.db")
        assert told(tmp_path / "other.db") == told(db) == {one.reason: one.count for one in LEFT_OUT}


def test_an_export_of_a_part_of_the_file_does_not(db: Path, tmp_path: Path) -> None:
    for n, more in enumerate((["session:s1"], ["--limit", "1"])):
        found = run("export", "--db", db, *more).stdout
        assert len(found.splitlines()) == 1, n
        assert "sampled_out" not in found
