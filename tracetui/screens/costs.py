"""What was spent, on what: a chart over time, and a line a group. Enter opens the traces behind a bar or a line."""

from __future__ import annotations

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container

from collector.errors import FilterError, TracetuiError
from collector.store.cost_rows import CostRow
from tracetui import format as fmt
from tracetui import spending
from tracetui.keymap import KEYS, bindings
from tracetui.screens import cost_charts, cost_lines
from tracetui.screens.base import Facts
from tracetui.screens.cost_asking import AsksCosts
from tracetui.screens.hands import Export
from tracetui.screens.menu import Choice, MenuScreen
from tracetui.spending import PERIODS, More, Question
from tracetui.widgets.chart import Chart
from tracetui.widgets.cost_facts import CostFacts, Known
from tracetui.widgets.cost_table import CostList
from tracetui.widgets.filter_bar import FilterBar
from tracetui.widgets.frame import ContextLine, Empty, KeyBar, Note
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part, parts_width
from tracetui.widgets.plots import load

WIDE = 120
SORTS = ("-cost", "-tokens", "-calls", "-errors", "-p95", "-ttft", "-burn", "name")
AGAIN_S = 1.0
ORDER = "order of costs"
"""The name that it is remembered under."""

_FILTER = [one for one in bindings("lists") if isinstance(one, Binding) and one.action == "filter"]


class CostsScreen(AsksCosts):
    """`3`. The first question is about the last seven days; where nothing happened in them, about everything."""

    BINDINGS = [*bindings("costs"), *_FILTER]  # noqa: RUF012 - Textual's way
    AUTO_FOCUS = "CostList"
    key_groups = ("list", "costs", "chart", "screen", "app")

    def __init__(self, facts: Facts, *, question: Question | None = None) -> None:
        super().__init__(facts)
        last = facts.remembered.get(ORDER)
        self.question = question or Question(sort=last if last in SORTS else Question().sort)
        self.settled = question is not None
        self.chart = 0
        self._made: dict[Chart, cost_charts.Made] = {}

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        with Container(id="charts"):
            yield Chart(id="over-time")
            yield Chart(id="beside")
        yield CostList(id="list")
        yield CostFacts()
        yield Empty()
        yield FilterBar()
        of_lists = [key.action for key in KEYS if key.group == "lists" and key.action != "filter"]
        yield KeyBar("list", "lists", "costs", "app", "screen", without=("show_costs", *of_lists))

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.query_one(CostList).focus()
        self.show_context()
        self.run_worker(load, thread=True, group="load")
        self.ask()

    def on_resize(self) -> None:
        self.set_class(self.size.width < WIDE, "narrow")
        self.show_charts()

    # What stands around the numbers.

    def show_found(self) -> None:
        assert self.found is not None
        self.query_one(CostList).show(cost_lines.title(self.question.by), cost_lines.lines(self.found))
        self.show_charts()
        self.show_context()

    def tick(self) -> None:
        if self.progress is not None:
            self.show_context()

    def show_context(self) -> None:
        question = self.question
        since = f"last {question.period}" if question.period else "all time"
        by = question.by.replace(",", " › ")
        left: list[Part] = [(" costs", "strong"), (f"   {since}   by ", "quiet"), (by, "text")]
        if question.text:
            left += [("   / ", "quiet"), (fmt.plain(question.text), "accent")]
        right, live = self._sums(brief=False), [("   ", "text"), *self.live_parts()]
        if parts_width(left) + parts_width(right) > self.size.width:
            right = self._sums(brief=True)
        if parts_width(left) + parts_width(live) + parts_width(right) <= self.size.width:
            left += live
        if self.progress is not None and self.progress[1] > 2000:
            done, whole = self.progress
            right = [(f"reading {100 * done // whole}% of {fmt.count(whole)} traces ", "running")]
        for context in self.query(ContextLine):
            context.show(left, right)

    def _sums(self, *, brief: bool) -> list[Part]:
        if self.has_class("empty"):
            return []
        if self.found is None:
            return [("adding up … ", "quiet")]
        split = self.more.split if self.more is not None else None
        return cost_lines.sums(self.found.costs.total, split, brief=brief)

    def show_charts(self) -> None:
        if self.found is None or not self.is_mounted:
            return
        row = self._row()
        main = self._pages()[self.chart % len(self._pages())]
        self._show_chart(self.query_one("#over-time", Chart), main, row)
        self._show_facts()
        beside = "latency" if main != "latency" else "cost"
        self._show_chart(self.query_one("#beside", Chart), beside, row)

    def _show_chart(self, chart: Chart, name: str, row: CostRow | None) -> None:
        assert self.found is not None
        made = cost_charts.made(name, self.found, row, self.more, ascii_mode=chart.ascii_mode)
        self._made[chart] = made
        chart.show(made.plot, made.left, made.right, walks=made.bar is not None)
        if chart.selected is not None:
            self._bar_title(chart, chart.selected)

    def _show_facts(self) -> None:
        line, more = self.query_one(CostList).chosen, self.more or More()
        known = None
        if line is not None:
            keys = line.row.keys
            means = None if more.means is None else more.means.get(keys, {})
            known = Known(
                line.name,
                line.row,
                line.share,
                more.splits.get(keys),
                means,
                more.passed_over,
                awaited=self.more is None,
            )
        rows, facts = self.query_one(CostList), self.query_one(CostFacts)
        facts.show(known, rows.size.height + facts.size.height - rows.head - rows.line_count())

    def _pages(self) -> list[str]:
        return [*cost_charts.NAMES, *(self.more.names if self.more is not None else ())]

    def _row(self) -> CostRow | None:
        line = self.query_one(CostList).chosen
        return line.row if line is not None else None

    def _bar(self, chart: Chart, index: int) -> cost_charts.Bar | None:
        """What a bar stands for; None where it is gone meanwhile."""
        made = self._made.get(chart)
        if made is None or made.bar is None or made.plot is None or index >= len(made.plot.labels):
            return None
        return made.bar(index)

    def _bar_title(self, chart: Chart, index: int) -> None:
        bar = self._bar(chart, index)
        if bar is not None:
            chart.title([*self._made[chart].left[:1], *bar.left], bar.right)

    # Going places.

    @on(LineList.Moved)
    def _moved(self) -> None:
        self.show_charts()

    @on(Chart.Moved)
    def _bar_moved(self, event: Chart.Moved) -> None:
        self._bar_title(event.chart, event.index)

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        behind = self._behind()
        if behind is not None:
            self.post_message(self.OpenTraces(behind))

    @on(Chart.Chosen)
    def _bar_chosen(self, event: Chart.Chosen) -> None:
        bar = self._bar(event.chart, event.index)
        if bar is not None:
            self.post_message(self.OpenTraces(bar.filter))

    def action_other_pane(self) -> None:
        """From the list to the chart, to the one beside it where there is room for that, and back."""
        panes = [self.query_one(CostList), *(one for one in self.query(Chart) if one.size.width)]
        at = next((n for n, one in enumerate(panes) if one.has_focus), 0)
        panes[(at + 1) % len(panes)].focus()

    def action_next_chart(self) -> None:
        self.chart = (self.chart + 1) % len(self._pages())
        self.show_charts()

    def action_period(self) -> None:
        at = PERIODS.index(self.question.period) if self.question.period in PERIODS else 0
        self.settled = True
        self.put(self._changed(period=PERIODS[(at + 1) % len(PERIODS)]))

    def _changed(self, **changes: str) -> Question:
        asked = self.question
        values = {"by": asked.by, "text": asked.text, "period": asked.period, "sort": asked.sort} | changes
        return Question(**values)

    @work(group="menu")
    async def action_group(self) -> None:
        try:
            keys = await self.facts.source.ask(spending.metadata_keys)
        except TracetuiError:
            keys = []
        by = await self._picked("Group by", spending.choices(keys))
        if by == spending.TWO_LEVELS:
            first = await self._picked("Group by", spending.levels(keys))
            then = first and await self._picked(f"Group by {first}, then by", spending.levels(keys, first))
            by = then and f"{first},{then}"
        self._grouped(by)

    async def _picked(self, title: str, offered: list[tuple[str, str]]) -> str | None:
        choices = [Choice(fmt.plain(label), value) for label, value in offered]
        return await self.app.push_screen_wait(MenuScreen(fmt.plain(title), choices))

    def _grouped(self, by: str | None) -> None:
        if by:
            timed = by in ("day", "hour")
            self.put(self._changed(by=by, sort="-name" if timed else self.question.sort.replace("-name", "-cost")))

    def action_order(self) -> None:
        self.app.push_screen(MenuScreen("Sort by", [Choice(one.strip("-"), one) for one in SORTS]), self._sorted)

    def _sorted(self, sort: str | None) -> None:
        if sort:
            self.facts.remembered.put(ORDER, sort)
            self.put(self._changed(sort=sort))

    def copy_choices(self) -> list[Choice]:
        asked = self.question
        words = f"tracetui costs {_shell(asked.filter)} --by {_shell(asked.by)}"
        choices = [Choice("command", words), Choice("as JSON", words + " --json"), Choice("as CSV", words + " --csv")]
        behind = self._behind()
        return choices if behind is None else [*choices, Choice("filter", behind)]

    def to_export(self) -> Export | None:
        behind = self._behind()
        return None if behind is None else self.found_by(behind, "costs", "the traces of this line")

    def _behind(self) -> str | None:
        """The filter that finds the traces of the line under the cursor; None where there is none."""
        line = self.query_one(CostList).chosen
        if line is None or self.found is None:
            return None
        sums = self.found.costs
        return spending.behind(self.found, sums.by, line.row.keys, sums.times)

    # Filter.

    async def action_filter(self) -> None:
        await self.query_one(FilterBar).open(self.question.text, self.facts.history.entries())
        self._offer(self.question.text, len(self.question.text))

    def action_back(self) -> None:
        bar = self.query_one(FilterBar)
        if bar.is_open:
            bar.close()
        elif self.question.text:
            self.put(self._changed(text=""))
        else:
            super().action_back()

    @on(FilterBar.Submitted)
    def _submitted(self, event: FilterBar.Submitted) -> None:
        bar, text = self.query_one(FilterBar), event.text.strip()
        try:
            self.facts.source.parse(text)
        except FilterError as error:
            bar.refuse(error)
            return
        bar.accept()
        self.facts.history.add(text)
        self.query_one(CostList).focus()
        self.put(self._changed(text=text))

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self.query_one(CostList).focus()


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'" if text else ""
