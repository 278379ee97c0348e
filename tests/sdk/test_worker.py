"""When spans are written, and what happens when they cannot be."""

from __future__ import annotations

import logging
import threading
from time import perf_counter_ns

import pytest

from collector.errors import StoreBusy
from collector.model import Rank
from collector.protocols import native
from collector.sdk.process import this_process
from collector.sdk.queue import Queue
from tests.receiver.running import until
from tests.sdk.memory import Bench


def ranks(sink, name):
    return [part.rank for part in sink.parts if part.name == name]


def test_nothing_starts_before_the_first_span(bench):
    bench.observe()(lambda: None)
    bench.span("never entered")
    assert bench.queue.worker is None
    assert bench.queue.flush()
    assert bench.queue.worker is None


def test_a_span_that_stays_open_is_written_as_started(bench):
    with bench.span("long", kind="agent") as s:
        s.update(input="go")
        bench.sink.until(lambda sink: sink.parts and sink.parts[-1].reading.input)
        part = bench.sink.parts[-1]  # not the first on a machine that was busy for long before the update
        assert set(ranks(bench.sink, "long")) == {Rank.STARTED}
        assert part.end_ns is None
        assert part.reading.input.value == "go"
        assert bench.sink.processes[0].process_id == part.process_id
    assert bench.finished()["long"].span_id == part.span_id


def test_a_span_that_ends_at_once_is_written_once(bench):
    with bench.span("short"):
        pass
    assert bench.queue.flush()
    assert ranks(bench.sink, "short") == [Rank.FINISHED]


def test_news_of_an_open_span_is_written_again_and_ranks_by_time(bench):
    with bench.span("long") as s:
        assert bench.queue.flush()
        s.update(output="half")
        assert bench.queue.flush()
        first, second = bench.sink.parts
        assert (first.rank, second.rank) == (Rank.STARTED, Rank.STARTED)
        assert second.at_ns > first.at_ns
        assert second.reading.output.value == "half"


def test_open_spans_keep_the_heart_beating_and_a_close_says_goodbye(tmp_path):
    bench = Bench(db=tmp_path / "t.db", heartbeat_s=0.1)
    with bench.span("long"):
        bench.sink.until(lambda sink: len(sink.processes) >= 3)
        beats = [process.heartbeat_ns for process in bench.sink.processes]
        assert beats == sorted(set(beats))
    assert bench.queue.close()
    assert bench.sink.processes[-1].ended_ns is not None


def test_a_close_hears_of_a_thread_that_ends_the_moment_it_is_told(bench, monkeypatch):
    with bench.span("short"):
        pass
    assert bench.queue.flush()
    worker = bench.queue.worker

    def alive():
        found = type(worker).alive(worker)
        if worker.stopping:
            worker.event.set()
            worker.thread.join(5)
        return found

    monkeypatch.setattr(worker, "alive", alive)
    assert bench.queue.close()


def test_flush_says_false_when_the_file_will_not_take_it_and_keeps_the_spans(bench, caplog):
    bench.sink.fail_with = StoreBusy("locked")
    with caplog.at_level(logging.WARNING, logger="collector"):
        with bench.span("kept"):
            pass
        assert bench.queue.flush() is False
        assert bench.queue.flush() is False
    assert len([r for r in caplog.records if "locked" in r.getMessage()]) == 1
    assert bench.queue.failures["write: StoreBusy"] >= 2
    bench.sink.fail_with = None
    assert list(bench.finished()) == ["kept"]


def test_one_bad_span_does_not_take_its_neighbours_along(bench):
    write = bench.sink.write

    def picky(batch):
        if any(part.name == "bad" for part in batch.parts):
            raise TypeError("not JSON")
        return write(batch)

    bench.sink.write = picky
    bench.sink.hold.clear()
    for name in ("one", "bad", "two", "three"):
        with bench.span(name):
            pass
    bench.sink.hold.set()
    assert set(bench.finished()) == {"one", "two", "three"}
    assert bench.queue.failures["dropped: TypeError"] == 1
    assert bench.queue.bytes == 0


def test_beyond_its_bytes_the_queue_spills_to_a_file_that_is_read_back(tmp_path):
    bench = Bench(db=tmp_path / "traces.db", queue_bytes=10_000, redact="off")
    with bench.span("first"):
        pass
    assert bench.queue.flush()
    bench.sink.hold.clear()
    work = bench.observe(name="work")(lambda text: text)
    for n in range(40):
        work(f"{n} " + "x" * 500)
    assert bench.queue.failures["spilled"] > 0
    (spill,) = tmp_path.glob("traces.db.spill-*")
    assert spill.stat().st_mode & 0o077 == 0
    lines = spill.read_bytes().splitlines()
    assert native.decode(lines).refused == ()
    bench.sink.hold.set()
    bench.sink.until(lambda sink: len(ranks(sink, "work")) == 40)
    assert bench.queue.close()
    assert not list(tmp_path.glob("*.spill-*"))
    said = sorted(int(p.reading.input.value["text"].split()[0]) for p in bench.sink.parts if p.name == "work")
    assert said == list(range(40))


def test_what_is_spilled_while_the_worker_still_reads_its_settings_is_kept(tmp_path, monkeypatch):
    reading, go_on = threading.Event(), threading.Event()

    def slow(service):
        reading.set()
        assert go_on.wait(30)
        return this_process(service)

    monkeypatch.setattr("collector.sdk.pulse.this_process", slow)
    bench = Bench(db=tmp_path / "traces.db", queue_bytes=1_000, redact="off")
    bench.queue.limit = 1_000
    with bench.span("first"):
        pass
    assert reading.wait(30)
    with bench.span("second") as s:
        s.update(input="x" * 2_000)
    assert bench.queue.failures == {"spilled": 1}
    go_on.set()
    assert set(bench.finished()) == {"first", "second"}


def test_an_exit_with_much_to_spill_does_not_wait_for_a_sink_that_is_stuck(tmp_path, monkeypatch):
    monkeypatch.setattr("collector.sdk.worker.SPILL_S", 1.0)
    bench = Bench(db=tmp_path / "traces.db", exit_wait_s=100.0, redact="off")
    with bench.span("first"):
        pass
    assert bench.queue.flush()
    bench.sink.entered.clear()
    bench.sink.hold.clear()
    for _ in range(100):
        with bench.span("work"):
            pass
    assert bench.sink.entered.wait(10)
    closing = threading.Thread(target=bench.queue.close)
    closing.start()
    until(lambda: sum(len(path.read_bytes().splitlines()) for path in tmp_path.glob("*.spill-*")) >= 100)  # not 50 s
    bench.sink.hold.set()
    closing.join(30)


def test_exit_waits_no_longer_than_told_then_spills(tmp_path):
    bench = Bench(db=tmp_path / "traces.db", exit_wait_s=0.1, redact="off")
    bench.sink.hold.clear()
    with bench.span("late"):
        pass
    assert bench.queue.close() is False
    (spill,) = tmp_path.glob("traces.db.spill-*")
    assert "late" in spill.read_text()
    bench.sink.hold.set()


def test_a_program_that_ends_before_the_settings_are_read_waits_as_they_say(monkeypatch):
    queue = Queue(exit_wait_s=33.0)
    assert queue.worker is None
    assert queue.exit_wait_s() == 33.0
    monkeypatch.setenv("TRACETUI_EXIT_WAIT_S", "44")
    assert Queue().exit_wait_s() == 44.0
    assert Queue(exit_wait_s="nonsense").exit_wait_s() == 44.0


def test_a_worker_told_to_end_while_it_writes_still_writes_the_open_spans(tmp_path):
    bench = Bench(db=tmp_path / "traces.db", started_after_s=3600)
    bench.sink.hold.clear()
    with bench.span("long"):
        with bench.span("short"):
            pass
        assert bench.sink.entered.wait(10)
        worker = bench.queue.worker
        worker.stopping = True  # what an exit does first, here amid a turn that began before
        bench.sink.hold.set()
        worker.thread.join(10)
        assert ranks(bench.sink, "long") == [Rank.STARTED]


@pytest.mark.parametrize("decorated", [True, False])
def test_what_it_takes_to_start_the_worker_is_not_the_first_spans_time(bench, monkeypatch, decorated):
    woken, wake = [], bench.queue.wake

    def slowly():
        wake()
        woken.append(perf_counter_ns())

    monkeypatch.setattr(bench.queue, "wake", slowly)
    if decorated:
        bench.observe(name="first")(lambda: None)()
    else:
        with bench.span("first"):
            pass
    at = bench.finished()["first"].start_ns
    assert at >= bench.queue.worker.clock.date_ns(woken[0])


def test_a_disabled_tracer_calls_through_and_writes_nothing(tmp_path):
    bench = Bench(db=tmp_path / "t.db", disabled=True)
    work = bench.observe()(lambda: 7)
    assert work() == 7
    bench.queue.flush()
    assert bench.queue.on is False
    assert work() == 7
    assert bench.sink.parts == []
    assert not bench.queue.starts
    assert not bench.queue.ends


def test_what_is_said_after_the_end_does_not_unbalance_the_bytes(bench):
    with bench.span("late") as late:
        pass
    late.update(output="x" * 10_000)
    assert bench.queue.flush()
    until(lambda: bench.queue.idle and bench.queue.bytes == 0)


@pytest.mark.parametrize("threads", [8])
def test_many_threads_lose_nothing(bench, threads):
    work = bench.observe(name="work")(lambda n: n)

    def run():
        for n in range(200):
            work(n)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert bench.queue.flush()
    finished = [part.span_id for part in bench.sink.parts if part.rank is Rank.FINISHED]
    assert len(finished) == len(set(finished)) == threads * 200
    assert bench.queue.bytes == 0


def test_contents_go_by_the_environment_a_span_ends_up_with(tmp_path):
    bench = Bench(db=tmp_path / "t.db", environments={"production": {"capture_content": "metadata"}})
    with bench.span("work") as span:
        span.update(input="private", metadata={"note": "private"}, attributes={"note": "private"})
        assert bench.queue.flush()
        span.update(environment="production")
    assert bench.queue.close()
    started, finished = [part for part in bench.sink.parts if part.name == "work"]
    assert "private" not in str(started)
    assert (finished.reading.environment, finished.attributes) == ("production", {"note": "private"})
