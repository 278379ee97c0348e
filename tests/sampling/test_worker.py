"""Sampling where spans are made: in the SDK's worker, into real files."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from collector import store
from collector.errors import StoreError
from collector.ingest import Ingest
from collector.model import Batch, Rank, Receipt
from collector.protocols.native import decode
from collector.sdk.worker import BATCH_SPANS
from collector.settings import Settings
from collector.spilled import read_back
from collector.store.filters import Filter
from tests.sdk.memory import Bench


def bench(tmp_path: Path, **settings: Any) -> Bench:
    return Bench(db=tmp_path / "traces.db", **settings)


def names(made: Bench) -> Counter[str]:
    return Counter(part.name or "" for part in made.sink.parts if part.rank is Rank.FINISHED)


def left_out(made: Bench) -> dict[str, int]:
    told: Counter[str] = Counter()
    for batch in made.sink.batches:
        for one in batch.sampled_out:
            told[one.reason] += one.count
    return dict(told)


def run(made: Bench, name: str, *, fails: bool = False, **said: Any) -> None:
    with contextlib.suppress(ValueError), made.span(name) as outer:
        outer.update(**said)
        with made.span("step"):
            if fails:
                raise ValueError


def test_without_sampling_there_is_no_sampler(tmp_path: Path) -> None:
    made = bench(tmp_path)
    run(made, "chat")
    assert made.queue.close()
    assert names(made) == {"chat": 1, "step": 1}
    assert left_out(made) == {}


def test_what_is_left_out_is_not_written_but_counted(tmp_path: Path) -> None:
    made = bench(tmp_path, sample_rate=0.0)
    for _ in range(10):
        run(made, "chat")
    assert made.queue.flush()
    assert made.queue.bytes == 0
    assert made.queue.close()
    assert made.sink.parts == []
    assert left_out(made) == {"sample_rate 0": 20}


def test_kept_and_left_out_make_up_all(tmp_path: Path) -> None:
    made = bench(tmp_path, sample_rate=0.5)
    for _ in range(200):
        run(made, "chat")
    assert made.queue.close()
    kept = names(made)
    assert kept["chat"] == kept["step"]
    assert 50 < kept["chat"] < 150
    assert kept.total() + left_out(made)["sample_rate 0.5"] == 400


def test_a_run_that_fails_is_written_whole(tmp_path: Path) -> None:
    made = bench(tmp_path, sample_rate=0.0)
    with made.span("agent"):
        with made.span("before"):
            pass
        assert made.queue.flush()
        assert made.sink.parts == []
        run(made, "tool", fails=True)
        with made.span("after"):
            pass
    assert made.queue.close()
    assert names(made) == {"agent": 1, "before": 1, "tool": 1, "step": 1, "after": 1}
    assert left_out(made) == {}


def test_rules_go_by_the_name_of_the_run_even_for_children_that_end_before_it(tmp_path: Path) -> None:
    made = bench(tmp_path, sampling=[{"name": "health*", "rate": 0}])
    with made.span("healthz"):
        with made.span("step"):
            pass
        assert made.queue.flush()
    run(made, "chat")
    assert made.queue.close()
    assert names(made) == {"chat": 1, "step": 1}
    assert left_out(made) == {"sampling rule name health*: 0": 2}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"user": "bot"}, {"user": "bot"}),
        ({"tag": "noise"}, {"tags": ["noise"]}),
        ({"metadata": {"tier": "free"}}, {"metadata": {"tier": "free"}}),
    ],
)
def test_rules_go_by_what_a_run_says_of_itself(tmp_path: Path, rule: dict[str, Any], said: dict[str, Any]) -> None:
    made = bench(tmp_path, sample_rate=0.0, sampling=[{**rule, "rate": 1}])
    run(made, "chat", **said)
    run(made, "chat")
    assert made.queue.close()
    assert names(made) == {"chat": 1, "step": 1}


def test_a_run_left_out_that_ended_is_counted_though_nothing_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.sampling.QUIET_S", 0.05)
    made = bench(tmp_path, sample_rate=0.0)
    run(made, "chat")
    made.sink.until(lambda _: left_out(made) == {"sample_rate 0": 2})
    assert made.queue.close()


def test_what_a_full_queue_spilled_is_sampled_when_it_is_read_back(tmp_path: Path) -> None:
    made = bench(tmp_path, sample_rate=0.0, queue_bytes=1_000)
    made.queue.limit = 1_000
    run(made, "chat", input="x" * 2_000)
    assert made.queue.failures["spilled"]
    assert made.queue.close()
    assert not list(tmp_path.glob("*.spill-*"))
    assert (made.sink.parts, left_out(made)) == ([], {"sample_rate 0": 2})


def test_what_another_process_had_no_time_to_judge_is_judged_by_who_reads_it_back(tmp_path: Path) -> None:
    dead = bench(tmp_path, sample_rate=0.0)
    dead.queue.only_spill()
    run(dead, "chat")
    run(dead, "bad", fails=True)
    assert [path.name.rpartition("-")[0] for path in tmp_path.glob("*.spill-*")] == ["traces.db.spill-unsampled"]
    later = bench(tmp_path, sample_rate=0.0)
    run(later, "worse", fails=True)
    assert later.queue.close()
    assert not list(tmp_path.glob("*.spill-*"))
    assert names(later) == {"worse": 1, "bad": 1, "step": 2}
    assert left_out(later) == {"sample_rate 0": 2}


def test_who_samples_nothing_itself_reads_back_by_the_rules_of_the_program(tmp_path: Path) -> None:
    """`tracetui run` and the receiver know nothing of what `configure()` was given."""
    dead = bench(
        tmp_path,
        sampling=[{"name": "vip*", "rate": 1}],
        environments={"staging": {"sample_rate": 0.0}},
        sample_rate=0.0,
    )
    dead.queue.only_spill()
    for name in ("chat", "vip", "chat"):
        run(dead, name)
    run(dead, "bad", fails=True)
    run(dead, "tried", environment="staging")
    (left,) = tmp_path.glob("*.spill-*")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left.rename(left.with_name(left.name.replace(str(os.getpid()), str(gone.pid))))
    settings = Settings(db=tmp_path / "traces.db")
    with Ingest(settings.db, settings) as ingest:
        assert read_back(settings, ingest.write) == 4
    assert not list(tmp_path.glob("*.spill-*"))
    with store.open_reader(settings.db) as reader:
        assert sorted(row.name for row in reader.spans()) == ["bad", "step", "step", "vip"]
        assert {row.reason: row.n for row in reader.ledger() if row.outcome == "sampled_out"} == {"sample_rate 0": 6}


def test_what_was_kept_and_then_spilled_is_not_judged_again(tmp_path: Path) -> None:
    """A trace that failed is written whole, though some of it went through the spill file and some did not."""
    made = bench(tmp_path, sample_rate=0.0)
    with made.span("agent"):
        run(made, "tool", fails=True)
        assert made.queue.flush()
        made.sink.fail_with = StoreError("locked")
        with made.span("after"):
            pass
    run(made, "chat")
    assert not made.queue.close()
    (spilled,) = tmp_path.glob("*.spill-*")
    assert "unsampled" not in spilled.name
    later = bench(tmp_path, sample_rate=0.0)
    run(later, "bad", fails=True)
    assert later.queue.close()
    assert names(made) + names(later) == {"tool": 1, "step": 2, "after": 1, "agent": 1, "bad": 1}
    assert (left_out(made), left_out(later)) == ({}, {"sample_rate 0": 2})


def test_what_waits_when_the_file_takes_nothing_is_counted_by_the_spill_file(tmp_path: Path) -> None:
    made = bench(tmp_path, sample_rate=0.0)
    made.sink.fail_with = StoreError("locked")
    run(made, "chat")
    made.queue.close()
    (spilled,) = tmp_path.glob("*.spill-*")
    (told,) = decode(spilled.read_bytes().splitlines()).sampled_out
    assert (told.reason, told.count, told.total) == ("sample_rate 0", 2, 2)
    assert told.process_id


def test_a_long_trace_that_failed_comes_in_batches_that_the_file_can_take(tmp_path: Path) -> None:
    made = bench(tmp_path, sample_rate=0.0)
    with contextlib.suppress(ValueError), made.span("agent"):
        for _ in range(2_500):
            with made.span("step"):
                pass
        raise ValueError
    assert made.queue.close()
    assert names(made) == {"agent": 1, "step": 2_500}
    assert max(len(batch.parts) for batch in made.sink.batches) == BATCH_SPANS


def test_a_span_that_the_file_refuses_takes_no_count_with_it(tmp_path: Path) -> None:
    made = bench(tmp_path, sample_rate=0.0)
    write = made.sink.write

    def picky(batch: Batch) -> Receipt:
        if any(part.name == "bad" for part in batch.parts):
            raise ValueError("no such thing")
        return write(batch)

    made.sink.write = picky  # type: ignore[method-assign]
    run(made, "chat")
    with contextlib.suppress(ValueError), made.span("bad"):
        raise ValueError
    assert made.queue.close()
    assert (names(made), left_out(made)) == ({}, {"sample_rate 0": 2})


def test_spans_of_opentelemetry_are_sampled_too(tmp_path: Path) -> None:
    from opentelemetry.sdk.trace import TracerProvider

    from collector.otel import SpanProcessor

    made = bench(tmp_path, sample_rate=0.0)
    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor(queue=made.queue))
    tracer = provider.get_tracer("theirs")
    with tracer.start_as_current_span("fine"), tracer.start_as_current_span("child"):
        pass
    with contextlib.suppress(ValueError), tracer.start_as_current_span("fails"):
        with tracer.start_as_current_span("child"):
            pass
        raise ValueError
    provider.shutdown()
    assert made.queue.close()
    assert names(made) == {"fails": 1, "child": 1}
    assert left_out(made) == {"sample_rate 0": 2}


def test_the_file_says_what_was_left_out_and_disabled_says_nothing(tmp_path: Path) -> None:
    code = """
from collector import configure, observe, flush
@observe
def health(): return 1
@observe
def chat(): return 2
health(); health(); chat()
"""
    (tmp_path / "tracetui.toml").write_text('[[sampling]]\nname = "health"\nrate = 0\n')
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    off = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={**env, "TRACETUI_DISABLED": "1"}, check=True)
    assert off.returncode == 0
    assert not list(tmp_path.glob("traces.db*"))
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, check=True)
    with store.open_reader(tmp_path / "traces.db") as reader:
        assert [part.name for part in reader.parts(Filter())] == ["chat"]
        told = {(row.outcome, row.reason): row.n for row in reader.ledger() if row.outcome == "sampled_out"}
    assert told == {("sampled_out", "sampling rule name health: 0"): 2}


FORKS = """
import os, sys
import collector
from collector import configure, flush, span

configure(db="traces.db", sample_rate=0.5, sampling=[{"name": "health", "rate": 0}])
for _ in range(8):
    with span("work"):
        child = os.fork()
        if not child:
            with span("in child"):
                pass
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0
with span("health"):
    child = os.fork()
    if not child:
        with span("in child"):
            pass
        sys.exit()
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_leaves_out_what_its_parent_leaves_out(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS], cwd=tmp_path, env=env, check=True)
    with store.open_reader(tmp_path / "traces.db") as reader:
        found: dict[str, set[str | None]] = {}
        for part in reader.parts(Filter()):
            found.setdefault(part.trace_id, set()).add(part.name)
        told = {row.reason: row.n for row in reader.ledger() if row.outcome == "sampled_out"}
    assert all(seen == {"work", "in child"} for seen in found.values())
    assert told.pop("sampling rule name health: 0") == 2
    assert told == {"sample_rate 0.5": 2 * (8 - len(found))}


def test_a_program_that_ends_leaves_no_run_that_failed_behind(tmp_path: Path) -> None:
    code = """
from collector import configure, span
configure(db="traces.db", sample_rate=0)
with span("fine"): pass
with span("agent"):
    with span("step"): pass
    raise SystemError("no way on")
"""
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True)
    assert b"no way on" in done.stderr
    with store.open_reader(tmp_path / "traces.db") as reader:
        assert sorted(part.name or "" for part in reader.parts(Filter())) == ["agent", "step"]
        assert [row.n for row in reader.ledger() if row.outcome == "sampled_out"] == [1]


def test_a_program_told_to_end_counts_what_was_open_and_left_out_and_keeps_the_run_that_failed(tmp_path: Path) -> None:
    code = """
import time
from collector import configure, span
configure(db="traces.db", sample_rate=0)
with span("failed"):
    try:
        with span("step"): raise ValueError
    except ValueError: pass
with span("fine"): pass
with span("still open"):
    with span("done within"): pass
    print("ready", flush=True)
    time.sleep(60)
"""
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=env, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.terminate()
        assert child.wait(20) == -signal.SIGTERM
    with store.open_reader(tmp_path / "traces.db") as reader:
        assert sorted(part.name or "" for part in reader.parts(Filter())) == ["failed", "step"]
        assert sum(row.n for row in reader.ledger() if row.outcome == "sampled_out") == 3


SERVICES = """
import json, os, subprocess, sys
from collector import configure, continue_trace, session, span, trace_headers

configure(db="traces.db", sample_rate=0.5, sampling=[{"user": "bot", "rate": 0}])
if len(sys.argv) > 1:
    for headers in json.loads(sys.argv[1]):
        with continue_trace(headers), span("served"):
            pass
    sys.exit()
sent = []
for n in range(40):
    with session(f"s{n}", user="bot" if n % 4 == 0 else "ada"), span("caller"):
        sent.append(trace_headers())
subprocess.run([sys.executable, __file__, json.dumps(sent)], check=True)
"""


def test_services_that_share_traces_agree_on_them_by_rate_and_by_user(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(SERVICES)
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    subprocess.run([sys.executable, tmp_path / "service.py"], cwd=tmp_path, env=env, check=True)
    found: dict[str, Counter[str]] = {}
    with store.open_reader(tmp_path / "traces.db") as reader:
        for part in reader.parts(Filter()):
            found.setdefault(part.trace_id, Counter())[part.name or ""] += 1
        told = {row.reason: row.n for row in reader.ledger() if row.outcome == "sampled_out"}
    assert found
    assert all(names == {"caller": 1, "served": 1} for names in found.values())
    assert told == {"sample_rate 0.5": 2 * (30 - len(found)), "sampling rule user bot: 0": 20}
