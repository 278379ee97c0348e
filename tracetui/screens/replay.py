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
from collector.replay.words import Piece, compared, cut_short
from collector.store.rows import SpanDetail
from tracetui import format as fmt
from tracetui.keymap import bindings
from tracetui.screens.base import LISTS, ExplorerScreen, Facts
from tracetui.screens.menu import Choice
from tracetui.widgets.answer import AnswerPane, AnswerTitle
from tracetui.widgets.frame import ContextLine, KeyBar, Note
from tracetui.widgets.paint import Part, Rule
from tracetui.widgets.sheet import Sheet

TYPING_S = 0.3
"""The estimate waits for so long a pause in the typing."""


class Send(Protocol):
    """`collector.replay.send`, or a test's."""

    def __call__(
        self, draft: Draft, db: Path, *, on_text: Callable[[str], None], on_other: Callable[[str], None]
    ) -> Awaitable[Outcome]: ...


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
        self._doing = ""
        self._asked_ns = 0
        self._warned = False
        self._state: tuple[str, str, list[str]] = ("", "quiet", [])
        self._pieces: list[Piece] = []
        self.outcome: Outcome | None = None

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        yield Sheet(self._sheet, id="sheet")
        yield Rule(id="between")
        with Container(id="answers"):
            with Vertical():
                yield AnswerTitle(id="then-title")
                yield AnswerPane(id="then")
            yield Rule()
            with Vertical():
                yield AnswerTitle(id="now-title")
                yield AnswerPane(id="now")
        yield KeyBar("replay", "screen", "app", without=("search", "command", "pause", *LISTS))

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.query_one("#sheet", TextArea).focus()
        self.say(" ".join(fmt.plain(doubt) for doubt in self.draft.call.doubts))
        self.call_after_refresh(self._show_answers)  # titles need their width
        self._estimate()

    def on_descendant_focus(self) -> None:
        """On the sheet every letter is text."""
        for keys in self.query(KeyBar):
            keys.typing(isinstance(self.focused, TextArea))
        self._show_titles()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_titles)

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
        self.outcome, self._heard, self._painted, self._doing = None, [], 0, ""
        self._sheet = self.query_one("#sheet", TextArea).text
        self._asked_ns = self.facts.now_ns()
        self._sending = self._ask(draft)
        self._show_answers()

    @work(group="send")
    async def _ask(self, draft: Draft) -> None:
        try:
            outcome = await self._send(
                draft, Path(self.facts.source.path), on_text=self._heard.append, on_other=self._hear_other
            )
            pieces = await self._compared(outcome.answer)
        except TracetuiError as error:
            self._ended("failed", fmt.plain(str(error)), "error")
            return
        except asyncio.CancelledError:
            self._ended("cancelled", "cancelled; what came is kept", "abandoned")
            raise
        finally:
            self._sending = None
        self.outcome, self._pieces = outcome, pieces
        self._show_answers()
        for pane in self.query("#now").results(AnswerPane):
            if not pane.has_focus:  # nobody reads at its end: side by side from the beginning
                pane.top = 0
        await self._measure(outcome)

    def _hear_other(self, doing: str) -> None:
        self._doing = doing

    async def _compared(self, new: Answer) -> list[Piece]:
        """Word by word. Two answers of a thousand words take half a second, which no key waits for."""
        then = self.draft.call.answer
        return await asyncio.to_thread(compared, then.text, new.text) if then else []

    def _ended(self, how: str, why: str, role: str) -> None:
        self._sending = None
        text = "".join(self._heard)
        self._say("now", [(text + "\n\n" if text else "", "text"), (why, role)])
        self._state = (how, role, [self._took()])
        self._show_titles()

    def _took(self) -> str:
        return fmt.duration(self.facts.now_ns() - self._asked_ns)

    async def _measure(self, outcome: Outcome) -> None:
        """What the file knows of the new call: tokens in one meaning, and the cost."""
        short = cut_short(outcome.finish_reason)
        if not outcome.stored:
            self._state = ("not stored: the file cannot be written", "error", [fmt.duration(outcome.duration_ns)])
            self._show_titles()
            return
        try:
            span = await self.facts.source.ask(lambda reader: reader.span(outcome.trace_id, outcome.span_id))
        except TracetuiError as error:
            self._state = (fmt.plain(str(error)), "error", [])
        else:
            model = fmt.plain(span.row.model or "")
            self._state = (model, "abandoned" if short else "ok", _figures(span))
        self._show_titles()

    def _tick(self) -> None:
        """An answer that was asked for here comes in while the rest of the screens is held still."""
        if self.in_sight:
            self.tick()

    def tick(self) -> None:
        """While it streams: what came since, and for how long it has."""
        if self._sending is None:
            return
        more = "".join(self._heard[self._painted :])
        if more and not self._painted:
            self._say("now", [])
        self._painted = len(self._heard)
        for pane in self.query("#now").results(AnswerPane) if more else ():
            pane.grow(more)
        self._show_titles()

    # The answers.

    def _show_answers(self) -> None:
        then, new = self.draft.call.answer, self.outcome.answer if self.outcome else None
        before: list[Part] = [(then.text, "text")] if then else [("The recording holds no answer.", "quiet")]
        after: list[Part] = []
        if new is None:
            after = [("ctrl+r sends the sheet as it stands." if self._sending is None else "esc cancels", "quiet")]
        elif then is None:
            after = [(new.text, "text")]
        else:
            pieces = self._pieces
            before = [(one.text, "gone" if one.kind == "gone" else "text") for one in pieces if one.kind != "new"]
            after = [(one.text, "added" if one.kind == "new" else "text") for one in pieces if one.kind != "gone"]
        self._say("then", [*before, *_calls(then)])
        self._say("now", [*after, *_calls(new), *_remarks(self.outcome)])
        self._show_titles()

    def _say(self, pane: str, parts: list[Part]) -> None:
        for answer in self.query(f"#{pane}").results(AnswerPane):  # none left when the screen is going away
            answer.show(parts)

    def _show_titles(self) -> None:
        model = fmt.plain(self.span.row.model or "")
        titles: list[tuple[str, str, str, list[str]]] = [("then", model, "quiet", _figures(self.span))]
        if self._sending is not None:
            doing = self._doing or "waiting for the first words"
            doing = "answering" if self._heard else doing
            took = self.facts.now_ns() - self._asked_ns
            running = [fmt.duration(took, running=True)] if took >= 1_000_000_000 else []
            titles.append(("now", doing, "running", running))
        else:
            titles.append(("now", *self._state))
        for which, said, role, figures in titles:
            for title in self.query(f"#{which}-title").results(AnswerTitle):
                focused = self.focused is not None and self.focused.id == which
                title.say(which, said, role, figures, focused=focused)

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


def _figures(span: SpanDetail) -> list[str]:
    """Time, tokens and cost of a call, as far as they are known."""
    row = span.row
    took = None if row.end_ns is None else row.end_ns - row.start_ns
    out = "" if row.output_tokens is None else f"{fmt.tokens(row.output_tokens)} out"
    cost = "" if row.cost_nanousd is None else fmt.money(row.cost_nanousd)
    return [figure for figure in (fmt.duration(took), out, cost) if figure]


def _remarks(outcome: Outcome | None) -> list[Part]:
    """What there is to know of the new answer beside its words."""
    if outcome is None:
        return []
    empty = not outcome.answer.text and not outcome.answer.tools
    said = [*(["an empty answer"] if empty else []), cut_short(outcome.finish_reason)]
    return [(("" if empty else "\n\n") + "; ".join(filter(None, said)), "abandoned")] if any(said) else []


def _calls(answer: Answer | None) -> list[Part]:
    if answer is None or not answer.tools:
        return []
    lines = [f"{name}({json_text(arguments, None)})" for name, arguments in answer.tools]
    return [("\n\n" if answer.text else "", "text"), ("\n".join(lines), "tool")]
