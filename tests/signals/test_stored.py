"""Signals in the file: found when a trace has settled, filterable, listed, counted."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector import signals as rules
from collector.ingest import Ingest
from collector.limits import Limits
from collector.looking import Looking
from collector.model import Batch, Content, Message, Process, Reading, SpanPart, Tool, Usage
from collector.pricing import context_window
from collector.settings import Settings, resolve
from collector.signals import KINDS, no_window
from collector.signals.windows import windows
from collector.store import migrations, signals
from collector.store.filters import parse
from collector.store.marks import of_traces, summary
from collector.store.opening import open_reader
from collector.store.reader import Reader
from tests.builders import MS, T0, TRACE, assistant, conversation, make_part, make_started, trace_id, user
from tests.store.older import take_back
from tracetui.cli.main import cli

LOOPING, CUT, FINE, LOST = (trace_id(n) for n in (1, 2, 3, 4))


def root(trace: str, **fields: Any) -> SpanPart:
    return make_part(
        9, trace=trace, reading=Reading(kind="agent"), name="agent", start_ns=T0, end_ns=T0 + 900 * MS, **fields
    )


def looping(trace: str = LOOPING, times: int = 3) -> list[SpanPart]:
    tool = Reading(kind="tool", tool=Tool("get_weather", None, {"city": "Patiala"}, "31 °C"))
    return [*(make_part(n, parent=9, trace=trace, reading=tool) for n in range(1, times + 1)), root(trace)]


def cut(trace: str = CUT) -> list[SpanPart]:
    out = Content(messages=(Message("assistant", ({"type": "text", "text": "Once upon"},), finish_reason="length"),))
    reading = Reading(kind="llm", model="gpt-4o-mini", usage=Usage(10, 5), finish_reasons=("length",), output=out,
                      input=conversation(user("Tell"), assistant("What?"), user("A story")))  # fmt: skip
    return [make_part(1, parent=9, trace=trace, reading=reading), root(trace)]


def settings(path: Path, **more: Any) -> Settings:
    return Settings(db=path, redact="off", **more)


def made(path: Path, *parts: SpanPart, **more: Any) -> Path:
    with Ingest(path, settings(path, **more)) as ingest:
        ingest.write(Batch("test", parts=parts))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return made(tmp_path / "traces.db", *looping(), *cut(), root(FINE))


def found(path: Path, text: str) -> list[str]:
    with open_reader(path) as reader:
        return sorted(row.trace_id for row in reader.traces(parse(text, T0)))


def kinds(reader: Reader) -> dict[str, tuple[int, int]]:
    return {one.kind: (one.traces, one.signals) for one in signals.counts(reader) if one.signals}


def test_a_closed_file_has_the_signals_of_its_traces(path: Path) -> None:
    with open_reader(path) as reader:
        assert kinds(reader) == {"loop": (1, 1), "truncated": (1, 1)}
        (signal,) = signals.of_trace(reader, LOOPING)
        assert (signal.kind, signal.span_id[-1], len(signal.spans)) == ("loop", "3", 3)
        assert [row.signals for row in reader.traces()] == [(), ("truncated",), ("loop",)]
        assert reader.trace(LOOPING).signals == ("loop",)
        assert of_traces(reader, [LOOPING, CUT, FINE]) == {LOOPING: {"loop": 1}, CUT: {"truncated": 1}}
        assert reader.signals(LOOPING, Limits()) == [signal]


@pytest.mark.parametrize(
    ("text", "traces"),
    [
        ("signal:loop", [LOOPING]),
        ("signal:loop,truncated", [LOOPING, CUT]),
        ("signal:*", [LOOPING, CUT]),
        ("-signal:*", [FINE]),
        ("signal:refusal", []),
        ("signal:loop or signal:truncated", [LOOPING, CUT]),
        ("any:(kind:tool signal:loop)", [LOOPING]),
        ("any:(kind:llm signal:loop)", []),
        ("root:signal:loop", []),
    ],
)
def test_traces_are_found_by_their_signals(path: Path, text: str, traces: list[str]) -> None:
    assert found(path, text) == traces


def test_spans_are_found_by_their_signals(path: Path) -> None:
    with open_reader(path) as reader:
        assert [row.span_id[-1] for row in reader.spans(parse("signal:loop", T0))] == ["3"]
        assert [row.kind for row in reader.spans(parse("signal:t*", T0))] == ["llm"]


def test_a_trace_that_changes_is_looked_at_again(path: Path) -> None:
    made(path, *cut(FINE)[:1])
    assert found(path, "signal:truncated") == [CUT, FINE]


def test_thresholds_come_from_the_settings(tmp_path: Path) -> None:
    path = made(tmp_path / "t.db", *looping(), *cut(), signals={"loop_calls": 4, "off": ("truncated",)})
    assert found(path, "signal:*") == []


def test_a_trace_that_is_too_large_is_skipped_and_said_to_be(tmp_path: Path) -> None:
    path = made(tmp_path / "t.db", *looping(), *cut(), signals={"max_spans": 3})
    with open_reader(path) as reader:
        assert kinds(reader) == {"truncated": (1, 1), "skipped": (1, 1)}
        assert signals.of_trace(reader, LOOPING)[0].text == "4 spans; up to 3 are looked at before the trace is opened"
        assert of_traces(reader, [LOOPING]) == {}


def test_what_cannot_be_looked_at_does_not_hold_up_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = rules.detect

    def detect(spans: Any, *rest: Any) -> Any:
        if len(spans) == 4:
            raise RecursionError("deep")
        return real(spans, *rest)

    monkeypatch.setattr(rules, "detect", detect)
    path = made(tmp_path / "t.db", *looping(), *cut())
    with open_reader(path) as reader:
        assert kinds(reader) == {"truncated": (1, 1), "skipped": (1, 1)}


def test_abandoned_spans_are_found_without_anybody_looking(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    gone = Process("p1", pid=2**22 + 1, started_ns=1, ended_ns=T0)
    with Ingest(path, settings(path)) as ingest:
        ingest.write(Batch("test", parts=(make_started(1, trace=LOST, process_id="p1"), root(FINE)), processes=(gone,)))
    assert found(path, "signal:abandoned") == [LOST]
    assert found(path, "-signal:abandoned") == [FINE]
    with open_reader(path) as reader:
        assert kinds(reader) == {"abandoned": (1, 1)}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_trace_is_looked_at_once_it_has_settled_and_an_open_one_once_it_is_quiet(tmp_path: Path) -> None:
    path = made(tmp_path / "t.db")
    clock = Clock()
    looking = Looking(path, Limits(), clock=clock)
    with Ingest(path, settings(path)) as ingest:

        def looked() -> list[str]:
            round_ = looking.round(9.0)
            if round_ is not None:
                ingest._writer.keep_signals(round_)
            return list(round_.found) if round_ else []

        ingest.write(Batch("test", parts=(*looping(), *cut(LOST)[:1])))  # LOST has no root yet
        looking.wrote()
        assert looked() == []
        clock.now += 1.5
        assert looked() == [LOOPING]
        assert looked() == []
        clock.now += 60
        assert looked() == [LOST]
        clock.now += 60
        assert looked() == []


def test_the_last_trace_of_a_busy_while_is_looked_at_a_second_later(tmp_path: Path) -> None:
    path = made(tmp_path / "t.db")
    clock = Clock()
    looking = Looking(path, Limits(), clock=clock)
    found_at: dict[str, float] = {}
    with Ingest(path, settings(path)) as ingest:
        for step in range(320):
            if step in (0, 3):
                ingest.write(Batch("test", parts=tuple([*looping(), *cut(LOST)[:1]] if step == 0 else cut())))
                looking.wrote()
                clock.now += 0.2  # nobody looks at the very moment
            if (round_ := looking.round(9.0)) is not None:
                ingest._writer.keep_signals(round_)
                found_at = {**dict.fromkeys(round_.found, clock.now - 1000), **found_at}
            clock.now += 0.24
    assert found_at == {LOOPING: pytest.approx(1.25, abs=0.5), CUT: pytest.approx(2.2, abs=0.5),
                        LOST: pytest.approx(60.5, abs=1)}  # fmt: skip


def test_looking_stops_when_its_time_is_spent_and_goes_on_later(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    ingest = Ingest(path, settings(path))
    ingest.write(Batch("test", parts=tuple(part for n in range(1, 6) for part in cut(trace_id(n)))))
    ingest.flush()
    with open_reader(path) as reader:
        ticks = iter(range(1000))
        first = signals.look(reader, Limits(), no_window, settled_until=reader.seq(), quiet_until=0, budget_s=1.5,
                             clock=lambda: float(next(ticks)))  # fmt: skip
    assert first is not None
    assert (len(first.found), first.more) == (2, True)
    ingest._writer.keep_signals(first)
    assert ingest.look() == 3
    ingest.close()
    assert len(found(path, "signal:truncated")) == 5


def old(path: Path, *parts: SpanPart) -> Path:
    """A file as the version before signals made it."""
    with Ingest(path, settings(path)) as ingest:
        ingest._look_last = lambda: None  # type: ignore[method-assign]
        ingest.write(Batch("test", parts=parts))
    with closing(sqlite3.connect(path)) as connection:
        take_back(connection, 3)
    return path


def test_a_file_of_before_signals_is_read_as_having_none(tmp_path: Path) -> None:
    path = old(tmp_path / "t.db", *looping())
    with open_reader(path) as reader:
        assert reader.state.schema_version == 3
        assert reader.traces()[0].signals == ()
        assert [row.trace_id for row in reader.traces(parse("-signal:loop", T0))] == [LOOPING]
        assert list(reader.traces(parse("signal:loop", T0))) == []
        assert kinds(reader) == {}
        assert signals.of_trace(reader, LOOPING) == []
        assert of_traces(reader, [LOOPING]) == {}
        assert [one.kind for one in reader.signals(LOOPING, Limits())] == ["loop"]


def test_the_next_writer_gives_an_old_file_its_signals(tmp_path: Path) -> None:
    path = made(old(tmp_path / "t.db", *looping()), root(FINE))
    assert found(path, "signal:loop") == [LOOPING]


def test_of_a_large_old_file_only_what_changes_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "MANY_TRACES", 1)
    path = made(old(tmp_path / "t.db", *looping(), root(FINE)), *cut())
    assert found(path, "signal:*") == [CUT]


def test_hostile_texts_are_stored_as_evidence(tmp_path: Path) -> None:
    hostile = "[/red] \x1b]0;x\x07 \0 \ud800 list[int]"
    tool = Reading(kind="tool", tool=Tool(hostile, None, {"x": hostile}, "31"))
    parts = [make_part(n, parent=9, trace=LOOPING, reading=tool) for n in range(1, 5)]
    path = made(tmp_path / "t.db", *parts, root(LOOPING))
    with open_reader(path) as reader:
        assert signals.of_trace(reader, LOOPING)[0].kind == "loop"


def test_the_view_for_people_has_the_evidence(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("select signal, trace, evidence from v_signals order by signal").fetchall()
    assert [row[:2] for row in rows] == [("loop", "agent"), ("truncated", "agent")]
    assert "finish reason length" in rows[1][2]


def test_asking_for_signals_reads_no_table_from_end_to_end(path: Path) -> None:
    from tests.store_read.files import Plans

    with open_reader(path) as reader:
        plans = Plans(reader)
        reader.traces(parse("signal:loop", T0))
        assert plans.scans() == []


def test_the_summary_names_the_first_kind_and_counts_the_others() -> None:
    assert summary({"truncated": 2, "loop": 1}) == "loop +1"
    assert (summary({"loop": 3}), summary({})) == ("loop", "")


# again, and by more than one


def looked_at(path: Path) -> signals.Looked:
    with open_reader(path) as reader:
        looked = signals.look(reader, Limits(), no_window, settled_until=reader.seq(), quiet_until=reader.seq(),
                              budget_s=9)  # fmt: skip
    assert looked is not None
    return looked


def marks(path: Path) -> list[list[int]]:
    with open_reader(path) as reader:
        return [json.loads(value) for _, value in sorted(reader.rows(signals.MARKS))]


def test_of_two_that_look_at_a_trace_the_older_result_does_not_win(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Ingest(path, settings(path)) as ingest:
        ingest._look_last = lambda: None  # type: ignore[method-assign]
        ingest.write(Batch("test", parts=tuple(looping(times=2))))
        ingest.flush()
        before = looked_at(path)
        ingest.write(Batch("test", parts=tuple(looping())))
        ingest.flush()
        ingest._writer.keep_signals(looked_at(path))
        after = marks(path)
        ingest._writer.keep_signals(before)
        assert found(path, "signal:loop") == [LOOPING]
        assert marks(path) == after


def test_what_was_found_in_a_trace_that_changed_meanwhile_waits_for_the_next_look(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Ingest(path, settings(path)) as ingest:
        ingest.write(Batch("test", parts=tuple(looping())))
        ingest.flush()
        stale = looked_at(path)
        ingest.write(Batch("test", parts=tuple(looping(times=4))))
        ingest._writer.keep_signals(stale)
        assert found(path, "signal:*") == []
        assert ingest.look() == 1
    with open_reader(path) as reader:
        assert len(signals.of_trace(reader, LOOPING)[0].spans) == 4


def test_marks_that_were_set_back_stay_back_whoever_still_looks(path: Path) -> None:
    with Ingest(path, settings(path)) as ingest:
        ingest._writer.rewind_signals()
        first = looked_at(path)
        ingest._writer.keep_signals(first)
        ingest._writer.rewind_signals()
        ingest._writer.keep_signals(replace(first, was=(first.settled, first.quiet)))
        assert marks(path) == [[0, 0], [0, 0]]


def test_a_trace_that_does_not_fit_into_the_last_look_is_left_to_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Ingest(path, settings(path)) as ingest:
        ingest.write(Batch("test", parts=tuple(looping(times=600))))  # a look at so many takes longer than there is
    assert found(path, "signal:loop") == []
    with Ingest(path, settings(path)) as ingest:
        assert ingest.look() == 1
    assert found(path, "signal:loop") == [LOOPING]


# the turns before


EARLIER = trace_id(7)


def turn(trace: str, ask: str, asked: dict[str, Any], at: int, session: str = "chat", user_id: str = "") -> SpanPart:
    wanted = Message("assistant", ({"type": "tool_call", "id": "c", "name": "get_order", "arguments": asked},))
    reading = Reading(kind="llm", model="m", input=conversation(user(ask)), output=Content(messages=(wanted,)),
                      session_id=session, user_id=user_id or None, usage=Usage(1, 1))  # fmt: skip
    start = T0 + at * 1000 * MS
    return make_part(1, trace=trace, name=f"turn {at}", start_ns=start, end_ns=start + 10 * MS, reading=reading)


def test_a_value_that_only_an_earlier_trace_of_the_session_says_is_borrowed_from_it(tmp_path: Path) -> None:
    first = turn(EARLIER, "Where is order 48213?", {"order_id": 48213}, 1)
    between = turn(trace_id(6), "Thank you", {}, 2)
    path = made(tmp_path / "t.db", first, between, turn(FINE, "And my parcel?", {"order_id": 48213}, 3))
    with open_reader(path) as reader:
        (signal,) = signals.of_trace(reader, FINE)
        assert (signal.kind, signal.value) == ("borrowed", "48213")
        assert signal.text.endswith("nothing in this trace says this number, only 2 turns before (turn 1)")
        assert reader.signals(FINE, Limits()) == [signal]
        assert [(one.trace_id, one.trace, one.side) for one in reader.first_places(FINE, "48213")] == [
            (EARLIER, "turn 1", "input"), (EARLIER, "turn 1", "output"), ("", "", "output"),
        ]  # fmt: skip
    (shown,) = ran("show", FINE, "--db", str(path), "--json")["signals"]
    assert shown["signal"] == "borrowed"
    assert [one["signal"] for one in ran("signals", "--db", str(path), "--json")] == ["borrowed"]


def test_a_value_of_another_users_turn_is_said_to_be(tmp_path: Path) -> None:
    first = turn(EARLIER, "I am 54321", {}, 1, user_id="ann")
    path = made(tmp_path / "t.db", first, turn(FINE, "My orders?", {"customer_id": 54321}, 2, user_id="bob"))
    with open_reader(path) as reader:
        (signal,) = signals.of_trace(reader, FINE)
    assert "only the turn before of another user (turn 1)" in signal.text


def test_another_session_and_later_turns_are_no_turns_before(tmp_path: Path) -> None:
    parts = [turn(EARLIER, "Order 48213?", {}, 1, "other"), turn(trace_id(6), "Order 48213?", {}, 9)]
    path = made(tmp_path / "t.db", *parts, turn(FINE, "My parcel?", {"order_id": 48213}, 3))
    with open_reader(path) as reader:
        assert [one.kind for one in signals.of_trace(reader, FINE)] == ["invented"]
        assert [one.trace_id for one in reader.first_places(FINE, "48213")] == [""]


def test_so_many_turns_before_are_read_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "LAST_TURNS", 2)
    turns = [turn(trace_id(20 + n), f"Order 4821{n}?", {}, n) for n in range(1, 4)]
    path = made(tmp_path / "t.db", *turns, turn(FINE, "My parcel?", {"order_id": 48211, "order_no": 48212}, 5))
    with open_reader(path) as reader:
        assert [one.name for one in signals.turns_before(reader, FINE)] == ["turn 3", "turn 2"]
        assert [one.kind for one in signals.of_trace(reader, FINE)] == ["borrowed", "invented"]


def told(n: int, messages: tuple[Message, ...], read: int, trace: str) -> list[SpanPart]:
    reading = Reading(kind="llm", model="gpt-4o", provider="openai", usage=Usage(9000, 5, cache_read_tokens=read),
                      input=conversation(*messages), output=conversation(assistant("Yes.")))  # fmt: skip
    start = T0 + n * 1000 * MS
    agent = Reading(kind="agent", session_id="chat")
    return [make_part(1, parent=9, trace=trace, start_ns=start, reading=reading),
            make_part(9, trace=trace, start_ns=start, end_ns=start + 900 * MS, reading=agent)]  # fmt: skip


def test_the_first_call_of_a_turn_stands_beside_the_last_one_of_the_turn_before(tmp_path: Path) -> None:
    one, two = (user("Hello."), assistant("Yes."), user("And?")), (user("Hello!"), assistant("Yes."), user("And?"))
    turns = [*told(1, one[:1], 0, LOOPING), *told(2, one, 8000, CUT), *told(3, two, 0, FINE)]
    path = made(tmp_path / "t.db", *turns)
    ((first,),) = (chain["calls"] for chain in ran("show", LOOPING, "--context", "--db", str(path), "--json")["chains"])
    ((second,),) = (chain["calls"] for chain in ran("show", CUT, "--context", "--db", str(path), "--json")["chains"])
    ((third,),) = (chain["calls"] for chain in ran("show", FINE, "--context", "--db", str(path), "--json")["chains"])
    assert (first["before"], first["changes"]) == (None, [])
    assert ([one["what"] for one in second["changes"]], second["broken"]) == (["added", "added"], None)
    assert (third["broken"]["place"], third["missed_tokens"]) == ("message 1 (user)", 9000)
    with open_reader(path) as reader:
        (signal,) = signals.of_trace(reader, FINE)
        assert (signal.kind, signal.span_id) == ("cache", third["span_id"])
        assert signal.text.startswith("the prompt differs from the turn before at message 1 (user): “Hello.” became")
    grown = tmp_path / "grown.db"
    for parts in (turns[4:], turns[2:4], turns[:2]):  # the other way round: what was looked at is looked at again
        made(grown, *parts)
    with open_reader(grown) as reader:
        assert signals.of_trace(reader, FINE) == [signal]


# the command line


def ran(*words: str) -> Any:
    result = CliRunner().invoke(cli, list(words))
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_command_counts_the_kinds_and_names_the_newest_of_each(path: Path) -> None:
    loop, cut_ = ran("signals", "--db", str(path), "--json")
    assert (loop["signal"], loop["traces"], loop["signals"], loop["newest"]["trace_id"]) == ("loop", 1, 1, LOOPING)
    assert "get_weather" in loop["newest"]["evidence"]
    assert cut_["signal"] == "truncated"
    assert [one["signal"] for one in ran("signals", "signal:loop", "--db", str(path), "--json")] == ["loop"]


def test_the_kinds_are_listed_in_an_order_and_so_many_of_them(tmp_path: Path) -> None:
    path = made(tmp_path / "t.db", *looping(), *cut(), *cut(FINE))

    def listed(*words: str) -> list[str]:
        return [one["signal"] for one in ran("signals", *words, "--db", str(path), "--json")]

    assert (listed(), listed("--sort", "traces")) == (["truncated", "loop"], ["loop", "truncated"])
    assert (listed("--sort", "kind"), listed("--limit", "1")) == (["loop", "truncated"], ["truncated"])
    wrong = CliRunner().invoke(cli, ["signals", "--sort", "size", "--db", str(path)])
    assert "it is one of traces, signals, last, kind" in str(wrong.exception)


def test_who_has_not_looked_at_all_traces_says_how_many_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, db = tmp_path / "in.jsonl", str(tmp_path / "t.db")
    with open_reader(made(tmp_path / "other.db", *looping(), *cut())) as reader:
        assert reader.unlooked() == 0
    CliRunner().invoke(cli, ["export", "--format", "native", "-o", str(lines), "--db", str(tmp_path / "other.db")])
    monkeypatch.setattr("tracetui.cli.import_.LOOK_S", 0.0)
    monkeypatch.setattr("collector.ingest.LAST_LOOK_S", 0.0)
    told = CliRunner().invoke(cli, ["import", str(lines), "--db", db])
    assert f"2 traces were not looked at for signals yet; `tracetui signals --look --db {db}` does" in told.stderr
    assert "2 traces were not looked at" in CliRunner().invoke(cli, ["signals", "--db", db]).stderr
    report = ran("doctor", "--db", db, "--json")
    assert report["file"]["not_looked_at"] == 2
    assert [one for one in report["advice"] if one.startswith("2 traces were not looked at")]
    monkeypatch.undo()
    assert "looked at for" not in CliRunner().invoke(cli, ["signals", "--look", "--db", db]).stderr


def test_an_import_looks_at_what_it_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path / "other.db", *looping())
    lines, db = str(tmp_path / "in.jsonl"), tmp_path / "t.db"
    CliRunner().invoke(cli, ["export", "--format", "native", "-o", lines, "--db", str(tmp_path / "other.db")])
    monkeypatch.setattr("collector.ingest.LAST_LOOK_S", 0.0)
    told = CliRunner().invoke(cli, ["import", lines, "--db", str(db)])
    assert (told.exit_code, "not looked at" in told.stderr, found(db, "signal:loop")) == (0, False, [LOOPING])


def test_traces_that_run_and_those_that_were_passed_over_were_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "MANY_TRACES", 1)
    path = old(tmp_path / "t.db", *looping(), *cut())
    with Ingest(path, settings(path)) as ingest:
        ingest.write(Batch("test", parts=(make_started(9, trace=FINE, name="agent", start_ns=T0),)))
        with open_reader(path) as reader:
            assert reader.unlooked() == 3


def test_look_looks_at_what_nobody_has_looked_at(tmp_path: Path) -> None:
    path = old(tmp_path / "t.db", *looping())
    assert ran("signals", "--db", str(path), "--json") == []
    assert [one["signal"] for one in ran("signals", "--look", "--db", str(path), "--json")] == ["loop"]


def test_look_again_finds_what_other_thresholds_would(path: Path, tmp_path: Path) -> None:
    Path(tmp_path / "tracetui.toml").write_text("[signals]\nloop_calls = 4\n")
    with pytest.MonkeyPatch.context() as here:
        here.chdir(tmp_path)
        assert len(ran("signals", "--look", "--db", str(path), "--json")) == 2
        assert [one["signal"] for one in ran("signals", "--look-again", "--db", str(path), "--json")] == ["truncated"]


def test_look_looks_at_what_the_migration_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "MANY_TRACES", 1)
    path = old(tmp_path / "t.db", *looping(), root(FINE))
    assert ran("signals", "--look", "--db", str(path), "--json") != []


def test_traces_and_show_carry_the_signals(path: Path) -> None:
    assert [row["signals"] for row in ran("traces", "--db", str(path), "--json")] == [[], ["truncated"], ["loop"]]
    shown = ran("show", LOOPING, "--db", str(path), "--json")
    (signal,) = shown["signals"]
    assert (signal["signal"], len(signal["spans"])) == ("loop", 3)
    assert [one["span_id"] for one in shown["spans"] if one["signals"] == ["loop"]] == [signal["span_id"]]


def test_hostile_evidence_is_harmless_on_a_terminal(tmp_path: Path) -> None:
    tool = Reading(kind="tool", tool=Tool("\x1b]0;x\x07[/red]", None, {}, "31"))
    path = made(tmp_path / "t.db", *(make_part(n, parent=9, reading=tool) for n in (1, 2, 3)), root(TRACE))
    result = CliRunner().invoke(cli, ["signals", "--db", str(path)])
    assert "\x1b" not in result.output
    assert "[/red]" in result.output


# settings


def test_the_table_of_limits_is_read(tmp_path: Path) -> None:
    (tmp_path / "tracetui.toml").write_text(
        '[signals]\nloop-calls = 4\noff = ["refusal"]\n[signals.windows]\n"my-*" = 32000\n'
    )
    read = resolve(cwd=tmp_path, env={}, user_config=tmp_path / "none.toml").settings.signals
    assert Limits(**read) == Limits(loop_calls=4, off=("refusal",), windows={"my-*": 32000})
    from_variable = resolve(
        cwd=tmp_path, env={"TRACETUI_SIGNALS": '{"loop_calls": 5}'}, user_config=tmp_path / "none.toml"
    )
    assert from_variable.settings.signals == {"loop_calls": 5}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"loop_cals": 4}, "did you mean loop_calls?"),
        ({"loop_calls": 1}, "must be a whole number between 2 and 1,000"),
        ({"loop_calls": True}, "must be a whole number"),
        ({"window_share": 2}, "between 0 and 1"),
        ({"off": ["lop"]}, "there is no signal 'lop'"),
        ({"off": "loop"}, "needs a list"),
        ({"windows": {"m": "big"}}, "needs a number of tokens"),
        (3, "give it a table"),
    ],
)
def test_a_limit_that_makes_no_sense_is_said(table: Any, said: str) -> None:
    from collector.limits import limits

    with pytest.raises(ValueError, match=re.escape(said)):
        limits(table)


def test_windows_are_the_users_then_the_tables() -> None:
    window = windows(Limits(windows={"my-*": 32_000, "ollama/llama3": 8192, "my-own": 5}))
    assert (window(None, "my-own"), window("x", "My-Model"), window("ollama", "llama3")) == (5, 32_000, 8192)
    assert window("openai", "gpt-4o") == context_window("openai", "gpt-4o") == 128_000
    assert (window(None, None), window("nobody", "no-such-model")) == (None, None)


def test_every_kind_is_filterable() -> None:
    for kind in KINDS:
        assert parse(f"signal:{kind}", T0)
