"""The costs screen on a real file, and its charts."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.ingest import Ingest
from collector.model import Batch, Reading, Score, Usage
from collector.settings import Settings, resolve
from collector.store import open_reader
from collector.store.filters import parse
from tests.builders import MS, T0, make_llm, make_part, trace_id
from tests.store_read.files import write
from tracetui import format as fmt
from tracetui import spending
from tracetui.cli.explore import make_source
from tracetui.screens import cost_charts
from tracetui.screens.behind import TracesBehind
from tracetui.screens.costs import CostsScreen
from tracetui.screens.lists import TracesScreen
from tracetui.widgets.chart import Chart
from tracetui.widgets.plots import Plot, Series, bar, drawn, nice, place_at, sparkline, stacks

from .hostile import CONTROL_STRINGS, HOSTILE
from .real import real_app
from .until import screen_text, shows, until

HOUR = 3_600_000 * MS
DAY = 24 * HOUR
NOW = T0 + DAY


def now_ns() -> int:
    return NOW


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Calls of three models by two users, some days apart; one has no price, one failed, one read from a cache."""
    parts = []
    for n, (model, user, days) in enumerate(
        [("gpt-4o", "u-7", 0), ("gpt-4o", "u-31", 1), ("gpt-4o-mini", "u-7", 2), ("my-own-7b", "u-7", 2)], start=1
    ):
        start = T0 - days * DAY
        root = Reading(kind="agent", user_id=user, session_id=f"s{n}", metadata={"rack": n})
        usage = Usage(20_000, 500, 10_000)
        parts += [
            make_part(1, trace=trace_id(n), name=f"agent_{n}", start_ns=start, reading=root),
            make_llm(2, trace=trace_id(n), parent=1, start_ns=start, model=model, reading={"usage": usage}),
        ]
    parts.append(make_part(3, trace=trace_id(1), parent=1, start_ns=T0, status="error", reading=Reading(kind="tool")))
    return write(tmp_path / "traces.db", *parts)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_costs_show_a_chart_and_the_dearest_first(db, size):
    async with real_app(db, now_ns).run_test(size=size) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "gpt-4o-mini", "my-own-7b", "(no price)", "saved"))
        lines = screen_text(pilot).splitlines()
        assert isinstance(pilot.app.screen, CostsScreen)
        assert "costs   last 7d" in lines[0]
        assert "(+1 unpriced)" in lines[0]
        assert "cost a day" in lines[1]
        assert any("█" in line for line in lines[2:8])
        names = [line.split()[0] for line in lines if line[2:].startswith(("gpt", "my-own"))]
        assert names == ["▸", "gpt-4o-mini", "my-own-7b"]
        assert all(fmt.cells(line) <= size[0] for line in lines)


async def test_enter_on_a_line_opens_its_traces_and_esc_comes_back(db):
    async with real_app(db, now_ns).run_test(size=(120, 30)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "▸ gpt-4o "))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "agent_1", "agent_2", "any:(answered:gpt-4o since:7d)"))
        assert isinstance(pilot.app.screen, TracesBehind)
        assert not shows(pilot, "agent_3")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, CostsScreen) and shows(pilot, "▸ gpt-4o "))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesBehind))
        await pilot.press("1")
        await until(pilot, lambda: type(pilot.app.screen) is TracesScreen and shows(pilot, "agent_4"))


async def test_a_bar_is_walked_to_and_opens_its_traces(db):
    async with real_app(db, now_ns).run_test(size=(120, 30)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "▸ gpt-4o "))
        await pilot.press("tab")
        await until(pilot, lambda: shows(pilot, "↵ traces"))
        last = screen_text(pilot).splitlines()[1].split()[1]
        await pilot.press("h")
        await until(pilot, lambda: screen_text(pilot).splitlines()[1].split()[1] < last)
        await pilot.press("l", "h", "enter")
        await until(pilot, lambda: shows(pilot, "agent_2"))
        assert not shows(pilot, "agent_1")


async def test_a_click_selects_a_bar_and_a_second_one_opens_it(db):
    async with real_app(db, now_ns).run_test(size=(120, 30)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "▸ gpt-4o "))
        for _ in range(2):
            await pilot.click("#over-time", offset=(14, 4))
            await pilot.pause()
        await until(pilot, lambda: shows(pilot, "agent_3", "agent_4"))
        assert not shows(pilot, "agent_1")


async def test_bars_of_latency_and_of_what_was_paid_for_open_their_traces_too(db):
    async with real_app(db, now_ns).run_test(size=(160, 40)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "▸ gpt-4o "))
        await pilot.press("tab", "tab")
        await until(pilot, lambda: shows(pilot, "2 calls", "↵ traces"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "agent_1", "agent_2", "latency:<"))
        assert not shows(pilot, "agent_3")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, CostsScreen))
        await pilot.press("c", "c", "c")
        await until(pilot, lambda: shows(pilot, "what was paid for"))
        await pilot.press("tab", "tab")
        await until(pilot, lambda: shows(pilot, "output $", "↵ traces"))
        await pilot.press("h", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesBehind) and shows(pilot, "has:cache", "agent_4"))


def test_a_bar_of_a_histogram_leads_to_exactly_its_traces(tmp_path):
    took = [1, 2, 3, 700 * MS, 707_106_781, 707_106_782, 1000 * MS, 1414 * MS, 90_000 * MS]
    parts = [
        make_llm(1, trace=trace_id(n), start_ns=T0, end_ns=T0 + ns, model="gpt-4o" if n % 2 else "gpt-4o-mini")
        for n, ns in enumerate(took, start=1)
    ]
    path = write(tmp_path / "t.db", *parts, make_part(2, trace=trace_id(1), start_ns=T0, end_ns=T0 + 700 * MS))
    source = make_source(resolve(db=path).settings)
    with open_reader(path) as reader:
        found = spending.ask(reader, source, spending.Question(period=""), None)
        for row in (*found.costs.groups, found.costs.total):
            model = row.keys[0] if row.keys else None
            made = cost_charts.made("latency", found, row, None, ascii_mode=False)
            counts = made.plot.series[0].values
            assert sum(counts) == row.duration.count
            seen = []
            for at, count in enumerate(counts):
                traces = [one.trace_id for one in reader.traces(parse(made.bar(at).filter, T0), limit=99)]
                assert len(traces) == count
                seen += traces
            numbers = {None: range(1, 10), "gpt-4o": range(1, 10, 2), "gpt-4o-mini": range(2, 10, 2), "": [1]}[model]
            of = [trace_id(n) for n in numbers]
            assert sorted(seen) == of


@pytest.mark.parametrize(
    "by", ["model", "user,model", "error.type", "kind,tool", "hour", "day,user", "meta.rack", "name"]
)
def test_every_row_leads_to_as_many_traces_as_it_counts(db, by):
    long = [
        make_part(1, trace=trace_id(9), start_ns=T0 - 9 * DAY, reading=Reading(kind="agent", user_id="u-7")),
        make_llm(2, trace=trace_id(9), parent=1, start_ns=T0 - 2 * DAY, model="gpt-4o"),
    ]
    write(db, *long)
    source = make_source(resolve(db=db).settings)
    source.parse = lambda text: parse(text, NOW)
    for text in ("", "kind:tool", "-kind:tool user:u-7", "kind:tool or model:gpt-4o", "(kind:llm) user:u-7 agent"):
        for period in ("7d", ""):
            with open_reader(db) as reader:
                found = spending.ask(reader, source, spending.Question(by, text, period), None)
                assert found.costs.rows or "agent" in text
                for row in (*found.costs.rows, *found.costs.groups):
                    filter_text = spending.behind(found, found.costs.by, row.keys, found.costs.times)
                    assert len(reader.traces(source.parse(filter_text), limit=99)) == row.traces, filter_text


async def test_scores_have_a_chart_each_by_what_is_grouped_by(db):
    given = ((1, "quality", 0.5), (2, "quality", 0.75), (3, "quality", 1.0), (4, "[/b] x", 3.0))
    scores = [Score(f"s{n}", name, T0, trace_id(n), value=value) for n, name, value in given]
    with Ingest(db, Settings()) as ingest:
        ingest.write(Batch("test", (), scores=tuple(scores)))
    async with real_app(db, now_ns).run_test(size=(160, 40)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "▸ gpt-4o ", "saved"))
        await pilot.press("c", "c", "c", "c")
        await until(pilot, lambda: shows(pilot, "score.[/b] x  mean by model", "all 3 n=1"))
        await pilot.press("c")
        await until(pilot, lambda: shows(pilot, "score.quality  mean by model", "all 0.75 ±0.25 n=3"))
        await pilot.press("tab")
        await until(pilot, lambda: shows(pilot, "score.quality  gpt-4o-mini  1 n=1", "↵ traces"))
        await pilot.press("h")
        await until(pilot, lambda: shows(pilot, "score.quality  gpt-4o  0.625 ±0.177 n=2"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "agent_1", "agent_2", 'score."quality":*'))
        assert not shows(pilot, "agent_3")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, CostsScreen))
        await pilot.press("c")
        await until(pilot, lambda: shows(pilot, "meta.rack  gpt-4o  1.5 ±0.707 n=2"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "agent_1", "agent_2", 'meta."rack":*'))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, CostsScreen))
        await pilot.press("c")
        await until(pilot, lambda: shows(pilot, " cost  11-18  $0.0425  20.5k tok  1 call  1 failed"))


async def test_everything_about_a_line_stands_below_and_follows_the_file(db):
    with Ingest(db, Settings()) as ingest:
        ingest.write(Batch("test", (), scores=(Score("s1", "quality", T0, trace_id(1), value=0.5),)))
    async with real_app(db, now_ns).run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "score.quality 0.5 n=1   meta.rack 1.5 ±0.707 n=2"))
        assert shows(
            pilot, "tokens  40.0k in   20.0k cached   1.0k out", "0.0850 97%   $0.0425 a call   $0.0425 a trace"
        )
        assert shows(pilot, "input $0.0500   cached $0.0250   output $0.0100   saved $0.0250", "p50 103ms  p95 103ms")
        await pilot.press("j")
        await until(pilot, lambda: shows(pilot, "meta.rack 3 n=1") and not shows(pilot, "score.quality"))
        with Ingest(db, Settings()) as ingest:
            ingest.write(Batch("test", (), scores=(Score("s2", "quality", T0, trace_id(3), value=1.0),)))
        pilot.app.screen.file_changed(reopened=False)
        await until(pilot, lambda: shows(pilot, "score.quality 1 n=1"))


async def test_too_many_traces_with_scores_are_said(db, monkeypatch):
    monkeypatch.setattr(spending, "MOST_DESCRIBED", 3)
    async with real_app(db, now_ns).run_test(size=(120, 30)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "over 3 traces have some: tracetui costs --show 'score.*,meta.*'"))
        await pilot.press("f", *"user:u-7", "enter")
        await until(pilot, lambda: shows(pilot, "meta.rack 1 n=1"))


async def test_any_two_things_can_be_grouped_by(db):
    async with real_app(db, now_ns).run_test(size=(120, 50)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "▸ gpt-4o "))
        await pilot.press("b")
        await until(pilot, lambda: shows(pilot, "two of these"))
        await pilot.press("G", "enter")
        await until(pilot, lambda: shows(pilot, "Group by") and not shows(pilot, "two of these"))
        await pilot.press("2", "1")
        await until(pilot, lambda: shows(pilot, "USER › MODEL", "▸ u-7"))


async def test_grouping_period_sort_and_chart_have_keys(db):
    async with real_app(db, now_ns).run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "▸ gpt-4o "))
        await pilot.press("b")
        await until(pilot, lambda: shows(pilot, "Group by", "model › user", "meta.rack"))
        await pilot.press("2")
        await until(pilot, lambda: shows(pilot, "MODEL › USER", "u-31"))
        await pilot.press("t")
        await until(pilot, lambda: shows(pilot, "Sort by", "tokens"))
        await pilot.press("8")
        await until(pilot, lambda: screen_text(pilot).index("gpt-4o-mini") < screen_text(pilot).index("my-own-7b"))
        await pilot.press("p", "p", "p")
        await until(pilot, lambda: shows(pilot, "last 1h"))
        await until(pilot, lambda: shows(pilot, "No costs match since:1h", "another stretch of time"))
        await pilot.press("p", "p")
        await until(pilot, lambda: shows(pilot, "last 7d", "u-31"))
        for title in ("tokens a day", "latency", "what was paid for", "meta.rack  mean by model", "cost a day"):
            await pilot.press("c")
            await until(pilot, lambda title=title: shows(pilot, title))


async def test_a_filter_narrows_what_is_added_up_and_a_wrong_one_is_said(db):
    async with real_app(db, now_ns).run_test(size=(100, 30)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "▸ gpt-4o "))
        await pilot.press("f", *"user:u-31", "enter")
        await until(pilot, lambda: shows(pilot, "/ user:u-31") and not shows(pilot, "my-own-7b"))
        await pilot.press("f", "end", *" nope:1", "enter")
        await until(pilot, lambda: shows(pilot, "there is no key 'nope'"))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: shows(pilot, "my-own-7b"))


async def test_old_files_are_shown_whole(db):
    async with real_app(db, lambda: NOW + 400 * DAY).run_test(size=(100, 30)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "all time", "▸ gpt-4o "))


async def test_in_big_files_sums_come_first_and_times_where_one_looks(tmp_path, monkeypatch):
    monkeypatch.setattr(spending, "COUNTABLE_SPANS", 0)
    parts = [
        make_llm(1, trace=trace_id(n), start_ns=T0 + n * HOUR, end_ns=T0 + n * HOUR + n * 1000 * MS)
        for n in range(1, 61)
    ]
    app = real_app(write(tmp_path / "traces.db", *parts), lambda: T0 + 61 * HOUR)
    asked: list[int] = []
    timed = spending.timed

    def counting(reading, asked_for, found, rows, progress):
        asked.append(len(rows))
        return timed(reading, asked_for, found, rows, progress)

    monkeypatch.setattr(spending, "timed", counting)
    async with app.run_test(size=(200, 24)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "▸ gpt-4o-mini", "p95"))
        await pilot.press("b")
        await until(pilot, lambda: shows(pilot, "Group by"))
        await pilot.press(*"j" * spending.GROUPINGS.index("hour"), "enter")
        await until(pilot, lambda: shows(pilot, "HOUR", "1m 03s") and "…" not in screen_text(pilot))
        assert app.screen.found.costs.total.timed
        assert 0 < sum(row.timed for row in app.screen.found.costs.rows) < 30
        before = len(asked)
        await pilot.press("pagedown")
        await until(pilot, lambda: len(asked) > before and "…" not in screen_text(pilot))
        assert max(asked) < 30
        write(Path(app.screen.facts.source.path), make_llm(2, trace=trace_id(99), start_ns=T0 + 60 * HOUR))
        app.screen.file_changed(reopened=False)
        await until(pilot, lambda: app.screen.found.costs.total.calls == 61)
        assert "…" not in screen_text(pilot)


async def test_another_question_does_not_wait_for_the_times_of_the_last(db, monkeypatch):
    monkeypatch.setattr(spending, "COUNTABLE_SPANS", 0)
    slow: list[str] = []
    ask_times = spending.ask_times

    def times(reader, found, rows, progress):
        if found.question.period == "7d":
            slow.append(found.question.period)
            reader.rows("with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n")
        return ask_times(reader, found, rows, progress)

    monkeypatch.setattr(spending, "ask_times", times)
    async with real_app(db, now_ns).run_test(size=(120, 24)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "last 7d", "▸ gpt-4o ") and slow)
        await pilot.press("p")
        await until(pilot, lambda: app_found(pilot).question.period == "30d" and app_found(pilot).costs.total.timed)


def app_found(pilot) -> spending.Spending:
    return pilot.app.screen.found


async def test_an_empty_file_says_so(tmp_path):
    async with real_app(write(tmp_path / "traces.db"), now_ns).run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "No costs in traces.db yet."))
        assert screen_text(pilot).splitlines()[0].split() == ["costs", "all", "time", "by", "model", "●", "live"]


async def test_costs_can_be_copied_as_a_command(db):
    async with real_app(db, now_ns).run_test(size=(100, 30)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "▸ gpt-4o "))
        await pilot.press("y")
        await until(
            pilot, lambda: shows(pilot, "tracetui costs 'since:7d' --by 'model'", "any:(answered:gpt-4o since:7d)")
        )


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_hostile_models_and_users_stay_on_their_lines(tmp_path, size):
    names = [*HOSTILE, *(name for name in CONTROL_STRINGS if name.isprintable() or name.isascii())]
    parts = []
    for n, name in enumerate(names, start=1):
        root = Reading(kind="agent", user_id=name or None)
        parts += [make_part(1, trace=trace_id(n), reading=root), make_llm(2, trace=trace_id(n), parent=1, model=name)]
    app = real_app(write(tmp_path / "traces.db", *parts), now_ns, ascii_mode=True)
    async with app.run_test(size=size) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: shows(pilot, "[/red] done"))
        await pilot.press("b", "2")
        await until(pilot, lambda: shows(pilot, "MODEL > USER") or shows(pilot, "MODEL › USER"))
        lines = screen_text(pilot).splitlines()
        assert not any(char in line for line in lines for char in "\x1b\x07\x9b█│")
        assert all(fmt.cells(line) <= size[0] for line in lines)


# -- drawing ------------------------------------------------------------------------------------------


def text(plot: Plot, **more: bool) -> list[str]:
    lines = drawn(plot, 60, 10, ascii_mode=more.get("ascii_mode", False))
    return ["".join(part for part, _ in line) for line in lines]


def test_bars_are_as_high_as_their_numbers():
    plot = Plot("bars", ["a", "b", "c"], [Series([1, 4, 0])], lambda value: f"{value:g}")
    lines = text(plot)
    assert len(lines) == 10
    assert all(fmt.cells(line) <= 60 for line in lines)
    low, high = (sum(line[at] == "█" for line in lines) for at in (15, 32))
    assert high > 2 * low > 0
    assert all("█" not in line[44:] for line in lines)


def test_stacked_bars_have_their_inks_and_the_selected_one_its_own():
    plot = Plot("bars", ["a", "b"], [Series([2, 2], "llm"), Series([2, 2], "tool")], str, selected=1)
    inks = {role for line in drawn(plot, 60, 10, ascii_mode=False) for part, role in line if "█" in part}
    assert inks == {"llm", "tool", "accent"}


def test_parts_of_a_bar_share_its_rows_by_their_size():
    assert stacks((0.98, 0.26, 0.02), 0.5) == [3, 1, 0]  # 1.26 is three rows above the first
    assert stacks((0.5, 0.5, 0.1), 0.5) == [2, 1, 0]
    assert stacks((1e-9,), 0.5) == [1]  # what is there is seen
    assert stacks((0.0, 0.0), 0.5) == [0, 0]


def test_charts_of_odd_numbers_are_drawn():
    for values in ([0.0], [float("nan"), float("inf"), -1], [1e-9, 1e18], [5] * 500):
        for kind in ("bars", "lines"):
            plot = Plot(kind, [str(n) for n in range(len(values))], [Series(values)], lambda value: f"{value:.3g}")
            for width, height in ((16, 3), (200, 40), (5, 1)):
                assert all(fmt.cells("".join(p for p, _ in line)) <= width
                           for line in drawn(plot, width, height, ascii_mode=False))  # fmt: skip
    assert drawn(Plot("bars", [], [Series([])], str), 60, 10, ascii_mode=False) == []


def test_what_has_no_colour_has_a_sign_of_its_own():
    plot = Plot("bars", ["a", "b"], [Series([2, 2], "llm"), Series([2, 2], "tool")], str, selected=1)
    for ascii_mode, signs in ((True, "#*@"), (False, "█▓╳")):
        drawing = "".join(
            part for line in drawn(plot, 60, 10, ascii_mode=ascii_mode, colours=ascii_mode) for part, _ in line
        )
        assert all(sign in drawing for sign in signs)


def test_a_chart_is_as_wide_as_its_place_whatever_the_terminal_says(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    line = drawn(Plot("bars", ["a"], [Series([1])], str), 200, 40, ascii_mode=False)[-2]
    assert fmt.cells("".join(part for part, _ in line)) == 200


def test_labels_give_way_to_briefer_ones_where_there_is_no_room():
    long = [f"input ${n}.0000" for n in range(5)]
    plot = Plot("bars", long, [Series([1] * 5)], str, brief=["in", "out", "read", "more", "other"])
    assert "read" in text(plot)[-1]
    wide = ["".join(part for part, _ in line) for line in drawn(plot, 200, 10, ascii_mode=False)]
    assert all(label in wide[-1] for label in long)


@pytest.mark.parametrize(("days", "kind"), [(1, "bars"), (3, "lines")])
def test_tokens_are_told_by_type_and_seen_on_a_single_day(tmp_path, days, kind):
    usage = Usage(1000, 500, 300, 100, 50)
    parts = [
        make_llm(1, trace=trace_id(n), start_ns=T0 + n * DAY, reading={"usage": usage}) for n in range(1, days + 1)
    ]
    path = write(tmp_path / "t.db", *parts)
    with open_reader(path) as reader:
        found = spending.ask(reader, make_source(resolve(db=path).settings), spending.Question(period=""), None)
    made = cost_charts.made("tokens", found, None, None, ascii_mode=True)
    assert made.plot.kind == kind
    assert [series.values[0] for series in made.plot.series] == [600, 300, 100, 450, 50]
    title = "".join(part for part, _ in made.left)
    assert title.endswith("# input  * cached  + written  = output  o reasoning")


def test_ascii_charts_are_ascii():
    for kind in ("bars", "lines"):
        lines = text(Plot(kind, ["a", "b"], [Series([1, 2])], str), ascii_mode=True)
        assert all(line.isascii() for line in lines)
        assert any("#" in line for line in lines)


def test_numbers_are_rounded_up_to_nice_ones():
    assert [nice(value) for value in (0, 0.3, 1, 1.1, 3, 7, 11, 240)] == [1, 0.5, 1, 2, 5, 10, 20, 250]


def test_columns_lead_to_bars():
    assert [place_at(x, 3, 68) for x in (2, 8, 27, 28, 67)] == [None, 0, 0, 1, 2]


def test_sparks_and_shares_show_what_is_more_than_nothing():
    assert sparkline([0, 1, 100]) == " ▁█"
    assert sparkline([0, 0]) == "  "
    assert sparkline([0, 1, 100], ascii_mode=True).isascii()
    assert (bar(0.5, 4), bar(0.0001, 4), bar(0, 4)) == ("██  ", "▏   ", "    ")
    assert bar(1.0, 4, sign="#") == "####"


def test_a_chart_widget_can_have_the_focus():
    assert Chart.can_focus
