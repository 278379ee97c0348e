"""One session as a conversation: its turns across traces, the gaps between them, what they took. Live."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult

from collector.errors import NotFound, TracetuiError
from collector.store.conversation import Conversation, Turn, conversation
from tracetui import format as fmt
from tracetui import talk
from tracetui.keymap import bindings
from tracetui.screens import empty
from tracetui.screens.base import Facts
from tracetui.screens.hands import Export
from tracetui.screens.lists import session_filter
from tracetui.screens.menu import Choice
from tracetui.screens.paced import Paced
from tracetui.widgets.frame import ContextLine, Empty, KeyBar, Note
from tracetui.widgets.line_list import LineList
from tracetui.widgets.lines import Document
from tracetui.widgets.paint import Part

if TYPE_CHECKING:
    from collector.store import reader as stored

MORE_TURNS = 100
LABEL_CELLS = 12
WIDEST = 140
"""Text is not laid out wider: long lines are hard to read."""


class Talk(LineList):
    """The lines of the conversation. `places` says of each which turn it belongs to, -1 for none."""

    awaited = True

    def __init__(self, now_ns: Callable[[], int]) -> None:
        super().__init__(id="talk")
        self.now_ns = now_ns
        self._grow: list[tuple[int, Turn]] = []
        self.found: Conversation | None = None
        self.toggled: set[str] = set()
        self.lines: list[list[Part]] = []
        self.places: list[int] = []
        self.folds: list[str] = []

    def show(self, found: Conversation) -> None:
        """Another state of it; at its end the cursor stays at the end, else on its turn."""
        follow = not self.lines or self.cursor >= len(self.lines) - 1
        was = self.turn
        self.found, self.awaited = found, False
        self._lay_out()
        if follow:
            self.cursor = max(len(self.lines) - 1, 0)
        elif was is not None:
            self._to_trace(was.trace.trace_id)
        self.show_cursor()
        self.refresh()

    @property
    def turn(self) -> Turn | None:
        """The turn that the cursor stands on."""
        at = self.places[self.cursor] if self.cursor < len(self.places) else -1
        return self.found.turns[at] if self.found is not None and 0 <= at < len(self.found.turns) else None

    def _to_trace(self, trace_id: str) -> None:
        turn = self.turn
        if self.found is None or (turn is not None and turn.trace.trace_id == trace_id):
            return
        for line, at in enumerate(self.places):
            if at >= 0 and self.found.turns[at].trace.trace_id == trace_id:
                self.cursor = line
                return

    def on_resize(self) -> None:
        if self.found is not None:
            self._lay_out()
        super().on_resize()

    def toggle(self, fold: str) -> None:
        self.toggled ^= {fold}
        self._lay_out()
        self.show_cursor()
        self.refresh()

    def _lay_out(self) -> None:
        assert self.found is not None
        self.lines, self.places, self.folds, self._grow = [], [], [], []
        earlier = self.found.earlier
        if earlier:
            self._add(
                [(f" {fmt.ELLIPSIS} {fmt.count(earlier)} earlier; ", "quiet"), ("enter shows more", "accent")], -1
            )
        for at, turn in enumerate(self.found.turns):
            self._add_turn(at, turn)

    def _add(self, line: list[Part], at: int, fold: str = "") -> None:
        self.lines.append(line)
        self.places.append(at)
        self.folds.append(fold)

    def _add_turn(self, at: int, turn: Turn) -> None:
        trace, quiet = turn.trace, talk.gap(turn)
        if at:
            self._add([(f"   {self.glyphs.dot} {quiet}", "quiet")] if quiet else [], -1 if quiet else at - 1)
        if trace.status == "running":
            self._grow.append((len(self.lines), turn))
        self._add(self._head_of(turn), at)
        page = Document(min(self.size.width, WIDEST) - 3, self.toggled)
        for who, role, text in (("user", "role-user", turn.asked), ("assistant", "role-assistant", turn.answered)):
            if text is not None:
                fold = f"{trace.trace_id} {who}"
                page.text(text, indent=LABEL_CELLS, fold=fold, lead=(who, role))
            elif who == "assistant" and trace.status == "running":
                page.text(fmt.RUNNING, "running", indent=LABEL_CELLS, lead=(who, role))
        if turn.tools:
            page.text(talk.tools(turn), "quiet", indent=LABEL_CELLS, lead=("tools", "role-tool"))
        if turn.asked is None and turn.answered is None and trace.status != "running":
            page.add(("nothing was recorded of what was said", "quiet"))
        for line in page.lines:
            self._add([("   ", "text"), *line.parts], at, line.fold)

    def _head_of(self, turn: Turn) -> list[Part]:
        trace = turn.trace
        begun = fmt.clock(trace.start_ns)[:19]
        return [
            (f" {self.glyphs.states.get(trace.status, '?')} ", trace.status),
            (f"{begun}  ", "quiet"),
            (fmt.clip(fmt.plain(trace.name or "(no name)"), 40), "strong"),
            (f"   {talk.took(turn, self.now_ns())}", "quiet"),
            (f"  {talk.failed(turn)}", "error"),
        ]

    def tick(self) -> None:
        """What runs grows."""
        for line, turn in self._grow:
            self.lines[line] = self._head_of(turn)
            self.refresh_index(line)

    def line_count(self) -> int:
        return len(self.lines)

    def line_parts(self, index: int, width: int) -> list[Part]:
        return self.lines[index]

    def step(self, by: int) -> None:
        """To the first line of the next turn, or the one before."""
        if not self.places:
            return
        here = self.places[self.cursor]
        starts = [n for n, at in enumerate(self.places) if at >= 0 and (n == 0 or self.places[n - 1] != at)]
        if by > 0:
            self.move_to(next((n for n in starts if n > self.cursor), self.cursor))
        else:
            self.move_to(next((n for n in reversed(starts) if n < self.cursor and self.places[n] <= here), 0))


class SessionScreen(Paced):
    """Opened with a session id."""

    BINDINGS = bindings("session")
    key_groups = ("list", "session", "screen", "app")

    def __init__(self, facts: Facts, session_id: str) -> None:
        super().__init__(facts)
        self.session_id = session_id
        self.found: Conversation | None = None
        self._limit = MORE_TURNS

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        yield Talk(self.facts.now_ns)
        yield Empty()
        yield KeyBar("list", "session", "screen", "app")

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.query_one(Talk).focus()
        self.show_context()
        self.load()

    def reload(self) -> None:
        if self.is_mounted:
            self.load()

    def tick(self) -> None:
        self.query_one(Talk).tick()

    async def look(self) -> None:
        known = {turn.trace.trace_id: turn for turn in self.found.turns} if self.found is not None else {}
        name, limit = self.session_id, self._limit
        try:
            found = await self.facts.source.ask_slowly(
                lambda reader: conversation(cast("stored.Reader", reader), name, limit=limit, known=known)
            )
        except TracetuiError as error:
            self._failed(error)
            return
        self.read_well()
        self.set_class(False, "empty")
        self.found = found
        self.query_one(Talk).show(found)
        self.show_context()

    def _failed(self, error: TracetuiError) -> None:
        if self.found is not None:
            self.show_error(error)
            return
        self.set_class(True, "empty")
        lines = empty.unreadable(self.facts, error)
        if isinstance(error, NotFound):
            lines = [[("No session ", "strong"), (fmt.plain(self.session_id), "accent"), (" in this file.", "strong")]]
        self.query_one(Empty).say(lines)

    def show_context(self) -> None:
        left: list[Part] = [(" ‹ ", "accent"), (fmt.clip(fmt.plain(self.session_id), 40), "strong")]
        right: list[Part] = []
        if self.found is not None:
            row = self.found.session
            if row.user_id:
                left.append((f"   {fmt.clip(fmt.plain(row.user_id), 24)}", "quiet"))
            right = [(talk.turns(row.trace_count), "strong")]
            if row.trace_count > 1:
                right.append((f"  over {fmt.duration(row.last_ns - row.first_ns)}", "quiet"))
            if row.error_count:
                right.append((f"   {fmt.count(row.error_count)} failed", "error"))
            used = [n for n in (row.usage.input_tokens, row.usage.output_tokens) if n is not None]
            if used:
                right += [(f"   {fmt.tokens(sum(used))}", "strong"), (" tok", "quiet")]
            right.append((f"   {fmt.money(row.cost_nanousd)}", "strong"))
            if row.unpriced_calls:
                right.append((f" +{fmt.count(row.unpriced_calls)} unpriced", "abandoned"))
        left += [("   ", "text"), *self.live_parts()]
        for context in self.query(ContextLine):
            context.show(left, [*right, (" ", "text")])

    # Keys.

    def action_back(self) -> None:
        self.dismiss(None)

    @on(LineList.Chosen)
    def _chosen(self, event: LineList.Chosen) -> None:
        talk_list = self.query_one(Talk)
        if talk_list.folds[event.index]:
            talk_list.toggle(talk_list.folds[event.index])
        elif talk_list.turn is not None:
            self.post_message(self.OpenSpan(talk_list.turn.trace.trace_id, None))
        elif event.index == 0 and self.found is not None and self.found.earlier:
            self._limit += MORE_TURNS
            self.load(now=True)

    def action_next_turn(self) -> None:
        self.query_one(Talk).step(1)

    def action_previous_turn(self) -> None:
        self.query_one(Talk).step(-1)

    def action_its_traces(self) -> None:
        self.post_message(self.OpenTraces(session_filter(self.session_id)))

    def to_export(self) -> Export:
        return self.found_by(session_filter(self.session_id), "session", "the traces of this session")

    def copy_choices(self) -> list[Choice]:
        choices = [Choice("session id", self.session_id)]
        turn = self.query_one(Talk).turn
        if turn is not None:
            choices.append(Choice("trace id", turn.trace.trace_id))
            choices += [
                Choice(name, text) for name, text in (("question", turn.asked), ("answer", turn.answered)) if text
            ]
        if self.found is not None:
            choices.append(Choice("as Markdown", "\n".join(talk.markdown(self.found))))
        return choices
