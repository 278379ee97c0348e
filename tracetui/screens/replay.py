"""A recorded call of a model on a sheet to edit; sent, its answer stands beside the recorded one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import TextArea
from textual.worker import Worker

from collector.errors import TracetuiError
from collector.export.calls import Answer
from collector.export.plainly import json_text
from collector.pricing import Prices
from collector.replay import Draft, Estimate, Outcome, draft_of, estimate, from_sheet, send, to_sheet
from collector.replay.draft import with_body
from collector.replay.words import compared
from collector.store.rows import SpanDetail
from tracetui import format as fmt
from tracetui.keymap import bindings
from tracetui.screens.base import ExplorerScreen, Facts
from tracetui.screens.menu import Choice
from tracetui.widgets.answer import AnswerPane
from tracetui.widgets.frame import ContextLine, KeyBar, Note
from tracetui.widgets.paint import Line, Part, Rule

TYPING_S = 0.3
"""The estimate waits for so long a pause in the typing."""


class Send(Protocol):
    """`collector.replay.send`, or a test's."""

    def __call__(self, draft: Draft, db: Path, *, on_text: Callable[[str], None]) -> Awaitable[Outcome]: ...


def open_replay(screen: ExplorerScreen, span: SpanDetail | None) -> None:
    """Show a span's call for editing, or say why there is none."""
    if span is None:
        screen.app.notify("There is no call of a model on this line.", markup=False)
        return
    try:
        draft = draft_of(span)
    except TracetuiError as error:
        screen.app.notify(fmt.plain(str(error)), severity="warning", markup=False)
        return
    screen.app.push_screen(ReplayScreen(screen.facts, draft, span))


class ReplayScreen(ExplorerScreen):
    """`r`. The sheet above; below, what was answered then and what is answered now."""

    BINDINGS = bindings("replay")
    key_groups = ("list", "replay", "screen")

    def __init__(self, facts: Facts, draft: Draft, span: SpanDetail, *, sender: Send = send) -> None:
        super().__init__(facts)
        self.draft, self.span = draft, span
        self._send = sender
        self._prices = Prices(facts.source.prices or {})
        self._guess: Estimate | None = None
        self._problem = ""
        self._sheet = to_sheet(draft.call.body)
        self._sending: Worker[None] | None = None
        self._heard: list[str] = []
        self._painted = 0
        self._warned = False
        self.outcome: Outcome | None = None

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        yield TextArea(self._sheet, id="sheet", show_line_numbers=False, soft_wrap=True, tab_behavior="focus")
        yield Rule(id="between")
        with Container(id="answers"):
            with Vertical():
                yield Line(id="then-title")
                yield AnswerPane(id="then")
            yield Rule()
            with Vertical():
                yield Line(id="now-title")
                yield AnswerPane(id="now")
        yield KeyBar("replay", "screen", without=("search", "command", "pause"))

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.query_one("#sheet", TextArea).focus()
        self.say(" ".join(fmt.plain(doubt) for doubt in self.draft.call.doubts))
        self._show_answers()
        self._estimate()

    # What will be sent.

    def _drafted(self) -> Draft:
        """The sheet as a request; ReplayError says which line is wrong."""
        text = self.query_one("#sheet", TextArea).text
        return with_body(self.draft, from_sheet(text, self.draft.call.provider.api))

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._warned = False
        self._estimate_later()

    @work(exclusive=True, group="estimate")
    async def _estimate_later(self) -> None:
        await asyncio.sleep(TYPING_S)
        self._estimate()

    def _estimate(self) -> None:
        try:
            self._guess, self._problem = estimate(self._drafted(), self._prices, self.facts.now_ns()), ""
        except TracetuiError as error:
            self._guess, self._problem = None, fmt.plain(str(error))
        self.show_context()

    def show_context(self) -> None:
        left: list[Part] = [(" replay  ", "accent"), (fmt.plain(self.draft.name), "strong")]
        right: list[Part] = [(self._problem + " ", "error")]
        if self._guess is not None:
            guess = self._guess
            out = "" if guess.output_tokens is None else f", {fmt.tokens(guess.output_tokens)} out"
            cost = "no price" if guess.cost_nanousd is None else fmt.money(guess.cost_nanousd)
            right = [("about ", "quiet"), (f"{fmt.tokens(guess.input_tokens)} tok in{out}  ", "text"), (cost, "strong"),
                     (" ", "text")]  # fmt: skip
        for context in self.query(ContextLine):
            context.show(left, right)

    # Sending.

    def action_send(self) -> None:
        if self._sending is not None:
            self.app.notify("The answer is on its way; esc cancels it.", markup=False)
            return
        try:
            draft = self._drafted()
        except TracetuiError as error:
            self._problem = fmt.plain(str(error))
            self.show_context()
            self.app.notify(self._problem, severity="warning", markup=False)
            return
        self.outcome, self._heard, self._painted = None, [], 0
        self._sheet = self.query_one("#sheet", TextArea).text
        self._show_answers()
        self._title("now", "waiting for the first words", "running")
        self._sending = self._ask(draft)

    @work(group="send")
    async def _ask(self, draft: Draft) -> None:
        try:
            self.outcome = await self._send(draft, Path(self.facts.source.path), on_text=self._heard.append)
        except TracetuiError as error:
            self._ended(fmt.plain(str(error)), "error")
            return
        except asyncio.CancelledError:
            self._ended("cancelled; what came is kept", "abandoned")
            raise
        finally:
            self._sending = None
        self._show_answers()
        await self._measure(self.outcome)

    def _ended(self, why: str, role: str) -> None:
        text = "".join(self._heard)
        self._say("now", [(text + "\n\n" if text else "", "text"), (why, role)])
        self._title("now", "", role)

    async def _measure(self, outcome: Outcome) -> None:
        """What the file knows of the new call: tokens in one meaning, and the cost."""
        if not outcome.stored:
            self._title("now", f"{fmt.duration(outcome.duration_ns)}  not stored: the file cannot be written", "error")
            return
        try:
            span = await self.facts.source.ask(lambda reader: reader.span(outcome.trace_id, outcome.span_id))
        except TracetuiError as error:
            self._title("now", fmt.plain(str(error)), "error")
            return
        self._title("now", _figures(span), "ok")

    def _tick(self) -> None:
        """An answer that was asked for here comes in while the rest of the screens is held still."""
        if self.in_sight:
            self.tick()

    def tick(self) -> None:
        """While it streams: what came since."""
        if self._sending is not None and len(self._heard) != self._painted:
            if not self._painted:
                self._title("now", "answering", "running")
            self._painted = len(self._heard)
            self._say("now", [("".join(self._heard), "text")], follow=True)

    # The answers.

    def _show_answers(self) -> None:
        then = self.draft.call.answer
        new = self.outcome.answer if self.outcome else None
        before: list[Part] = [(then.text, "text")] if then else [("The recording holds no answer.", "quiet")]
        after: list[Part] = []
        if new is None:
            after = [("ctrl+r sends the sheet as it stands.", "quiet")] if self._sending is None else []
        elif then is None:
            after = [(new.text, "text")]
        else:
            pieces = compared(then.text, new.text)
            before = [(one.text, "gone" if one.kind == "gone" else "text") for one in pieces if one.kind != "new"]
            after = [(one.text, "added" if one.kind == "new" else "text") for one in pieces if one.kind != "gone"]
        self._say("then", [*before, *_calls(then)])
        self._say("now", [*after, *_calls(new)])
        self._title("then", _figures(self.span), "quiet")
        if self.outcome is None:
            self._title("now", "", "quiet")

    def _say(self, pane: str, parts: list[Part], *, follow: bool = False) -> None:
        for answer in self.query(f"#{pane}").results(AnswerPane):  # none left when the screen is going away
            answer.show(parts, follow=follow)

    def _title(self, pane: str, said: str, role: str) -> None:
        for line in self.query(f"#{pane}-title").results(Line):
            line.show([(f" {pane}  ", "strong"), (said, role)])

    def copy_choices(self) -> list[Choice]:
        then = self.draft.call.answer
        choices = [Choice("the sheet", self.query_one("#sheet", TextArea).text)]
        if then is not None:
            choices.append(Choice("the answer of then", then.text))
        if self.outcome is not None:
            choices.append(Choice("the answer of now", self.outcome.answer.text))
        return choices

    # Keys.

    def action_open_answer(self) -> None:
        if self.outcome is None or not self.outcome.stored:
            self.app.notify("There is no new answer to open yet.", markup=False)
            return
        self.post_message(self.OpenSpan(self.outcome.trace_id, self.outcome.span_id))

    def action_other_pane(self) -> None:
        self.focus_next()

    def action_back(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
        elif self.query_one("#sheet", TextArea).text != self._sheet and not self._warned:
            self._warned = True
            self.say("What you changed was not sent. ctrl+r sends it; esc again leaves it.")
        else:
            self.dismiss(None)


def _figures(span: SpanDetail) -> str:
    """Model, time, tokens and cost of a call, in a line."""
    row = span.row
    took = None if row.end_ns is None else row.end_ns - row.start_ns
    parts = [fmt.plain(row.model or ""), fmt.duration(took), f"{fmt.tokens(row.output_tokens)} out"]
    return "  ".join([*parts, fmt.money(row.cost_nanousd)])


def _calls(answer: Answer | None) -> list[Part]:
    if answer is None or not answer.tools:
        return []
    lines = [f"{name}({json_text(arguments, None)})" for name, arguments in answer.tools]
    return [("\n\n" if answer.text else "", "text"), ("\n".join(lines), "tool")]
