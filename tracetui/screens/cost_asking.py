"""What the screen of costs asks of the file, in this order: sums, the latencies of what is on screen, and, beside them,
what was paid for and the means of scores and metadata. It may read much: the longer that takes, the less often.
"""

from __future__ import annotations

import time

from textual import on, work
from textual.timer import Timer

from collector.errors import FilterError, NotFound, TracetuiError
from collector.pricing import Prices
from tracetui import spending
from tracetui.screens import empty
from tracetui.screens.base import Facts
from tracetui.screens.filtered import OffersTerms
from tracetui.spending import More, Question, Spending, Superseded
from tracetui.widgets.cost_table import CostList
from tracetui.widgets.filter_bar import FilterBar
from tracetui.widgets.frame import Empty

AGAIN_S = 1.0


class AsksCosts(OffersTerms):
    """Subclasses paint: `show_found`, `show_charts`, and `show_context` while `progress` (done, whole) goes on.
    `settled`: the question was chosen, and stays where nothing is found."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.question = Question()
        self.found: Spending | None = None
        self.more: More | None = None
        self.settled = False
        self.progress: tuple[int, int] | None = None
        self._asking: Question | None = None
        self._timing: Spending | None = None
        self._telling: Question | None = None
        self._told: Question | None = None
        self._more_timer: Timer | None = None
        self._more_due = 0.0
        self._due = 0.0
        self._again = False

    def reload(self) -> None:
        """Sums may read much: seldom, and the less often the longer they take."""
        if not self.is_mounted or self._again:
            return
        self._again = True
        self.set_timer(max(self._due - time.monotonic(), 0.001), self.ask)

    def restart(self) -> None:
        self.more = self._told = None
        self.reload()

    def put(self, question: Question) -> None:
        """Ask something else."""
        self.workers.cancel_group(self, "times")  # it would hold the next sums up
        if (question.filter, question.by) != (self.question.filter, self.question.by):
            self.workers.cancel_group(self, "more")
            self.more = None
        self.question = question
        self.show_context()
        self.ask()

    @work(exclusive=True, group="costs")
    async def ask(self) -> None:
        self._again = False
        if self.found is not None and self.found.question is self.question and self.waits():
            return
        source, question, began = self.facts.source, self.question, time.monotonic()
        self._asking = question

        def progress(done: int, whole: int) -> None:
            if self._asking is not question:
                raise Superseded
            self.progress = (done, whole)

        try:
            found = await source.ask_slowly(lambda reader: spending.ask(reader, source, question, progress))
        except Superseded:
            return
        except FilterError as error:
            await self.query_one(FilterBar).open(question.text)
            self.query_one(FilterBar).refuse(error)
            return
        except TracetuiError as error:
            self._failed(error)
            return
        finally:
            self.progress = None
            self._due = time.monotonic() + max(AGAIN_S, 11 * (time.monotonic() - began))
        if question is self.question:
            self._take(found)

    def _take(self, found: Spending) -> None:
        if not self.settled and not found.costs.total.spans and found.question.period:
            self.put(Question(self.question.by, self.question.text, "", self.question.sort))
            return
        self.settled = True
        timed = found.costs.total.timed
        self.found = found if timed or self.found is None else spending.with_times_of(found, self.found)
        self.read_well()
        nothing = not found.costs.total.spans
        self.set_class(nothing, "empty")
        if nothing:
            asked = found.question
            keys = [("esc", "show all again")] if asked.text else []
            keys += [("p", "another stretch of time")] if asked.period else []
            self.query_one(Empty).say(
                empty.nothing(self.facts, "costs", asked.filter, [*keys, ("f", "another filter")])
            )
        self.show_found()
        if not timed and not nothing:
            self._ask_times(found)
        if not nothing:
            self._want_more()

    def show_found(self) -> None:
        """What was found, or more of it."""
        raise NotImplementedError

    def show_charts(self) -> None:
        """What stands beside the numbers."""
        raise NotImplementedError

    @work(exclusive=True, group="times")
    async def _ask_times(self, found: Spending) -> None:
        """Of the total, the groups, and the lines on screen."""
        rows = [line.row for line in self.query_one(CostList).shown]
        began, self._timing = time.monotonic(), found
        source = self.facts.source
        lane = source.ask_slowly if found.costs.ahead else source.count  # what looks at spans must not hold a trace up

        def progress(_done: int, _whole: int) -> None:
            if self._timing is not found or found.question is not self.question:
                raise Superseded

        try:
            told = await lane(lambda reader: spending.ask_times(reader, found, rows, progress))
        except TracetuiError:
            return  # the other question says what is wrong with the file
        finally:
            self._due = max(self._due, time.monotonic() + 11 * (time.monotonic() - began))
        if told.question is self.question and self.found is not None:
            self.found = spending.with_times_of(self.found, told)
            self.show_found()

    @on(CostList.Scrolled)
    def _scrolled(self) -> None:
        """Lines may have come whose times nobody asked for."""
        if self.found is not None and not all(line.row.timed for line in self.query_one(CostList).shown):
            self._ask_times(self.found)

    def _want_more(self) -> None:
        """At once for another question; for what arrived since, the less often the longer it takes."""
        question = self.question
        known = self._told is not None and (question.filter, question.by) == (self._told.filter, self._told.by)
        if known and self._more_timer is not None:
            return
        if self._more_timer is not None:
            self._more_timer.stop()
        wait = max(self._more_due - time.monotonic(), 0.001) if known else 0.001
        self._told = question
        self._more_timer = self.set_timer(wait, self._ask_more)

    @work(exclusive=True, group="more")
    async def _ask_more(self) -> None:
        source, question, began = self.facts.source, self.question, time.monotonic()
        self._telling, self._more_timer, prices = question, None, Prices(source.prices)

        def progress(_done: int, _whole: int) -> None:
            if self._telling is not question or not self.is_attached:
                raise Superseded

        try:
            splits = await source.count(lambda reader: spending.ask_splits(reader, source, question, prices, progress))
            if self.more is None:
                self._tell(question, splits)
            more = await source.count(lambda reader: spending.ask_means(reader, source, question, splits, progress))
            self._tell(question, more)
        except TracetuiError:
            return  # the other question says what is wrong with the file
        finally:
            self._more_due = time.monotonic() + max(AGAIN_S, 20 * (time.monotonic() - began))

    def _tell(self, question: Question, more: More) -> None:
        if (question.filter, question.by) == (self.question.filter, self.question.by):
            self.more = more
            self.show_context()
            self.show_charts()

    def _failed(self, error: TracetuiError) -> None:
        if self.found is not None and not isinstance(error, NotFound):
            self.show_error(error)
            return
        self.set_class(True, "empty")
        self.query_one(Empty).say(empty.failed(self.facts, "costs", error))
        self.show_context()
