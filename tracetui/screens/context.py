"""The context view: how the prompts of a conversation grew, what fills them, where the cacheable beginning broke."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.events import Resize

from collector.context import Step
from collector.errors import TracetuiError
from collector.pricing import Prices
from tracetui import contexts
from tracetui import format as fmt
from tracetui.keymap import bindings
from tracetui.screens.base import Facts
from tracetui.screens.paced import Paced
from tracetui.source import Reader
from tracetui.widgets.frame import ContextLine, Empty, KeyBar, Note
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part, clip_parts, parts_width

CHART = 4


class Calls(LineList):
    """The growth chart on top, then a line a call."""

    def __init__(self) -> None:
        super().__init__(id="calls")
        self.chain: contexts.Chain | None = None
        self.head = CHART + 2

    @property
    def _ascii(self) -> bool:
        return self.glyphs is fmt.ASCII

    def show(self, chain: contexts.Chain, at: int) -> None:
        self.chain = chain
        self.cursor = self.top = 0
        self.refresh()
        self.move_to(at)

    def line_count(self) -> int:
        return len(self.chain.steps) if self.chain else 0

    def head_parts(self, y: int, width: int) -> list[Part]:
        if self.chain is None:
            return [("  reading …", "quiet")] if y == 0 else []
        if y < CHART:
            lines = contexts.growth_lines(self.chain.steps, max(width - 12, 1), CHART, ascii_mode=self._ascii)
            label = fmt.tokens(self.chain.largest) if y == 0 else "0" if y == CHART - 1 else ""
            return [(f"  {label:>6} ", "quiet"), (lines[y], "accent")]
        if y == CHART:
            signs = contexts.ASCII_SIGNS if self._ascii else contexts.SIGNS
            return [("  ", "text"), *((f"{sign} {name}  ", contexts.INKS[name]) for name, sign in signs.items())]
        return [
            ("  " + "CALL".ljust(self._room(width)) + "TOKENS".rjust(7) + "MORE".rjust(8) + "CACHED".rjust(7), "quiet")
        ]

    @staticmethod
    def _room(width: int) -> int:
        return 20 if width < 100 else 32

    def line_parts(self, index: int, width: int) -> list[Part]:
        assert self.chain is not None
        step, room = self.chain.steps[index], self._room(width)
        name: list[Part] = clip_parts([(fmt.plain(step.call.name) or "(no name)", "text")], room - 1)
        left: list[Part] = [
            (self.glyphs.cursor + " " if index == self.cursor else "  ", "accent"),
            *name,
            (" " * (room - parts_width(name)), "text"),
            (("~" if step.estimated else "") + fmt.tokens(step.tokens), "strong"),
        ]
        left.insert(-1, (" " * (room + 9 - parts_width(left)), "text"))
        left += [(contexts.growth(step).rjust(8), "text"), (contexts.share(step).rjust(7), "quiet"), ("  ", "text")]
        marks: list[Part] = []
        if step.broken is not None:
            over = f" {fmt.money(step.over_nanousd)}" if step.over_nanousd else ""
            where = f" {step.broken.index}" if step.broken.part == "message" and width >= 100 else ""
            part = "compacted" if step.compacted else step.broken.part + where
            marks = [(f" {self.glyphs.warn} {part}{over}", "abandoned")]
        cells = max(width - parts_width(left) - (18 if width < 100 else 24), 4)
        return [*left, *contexts.bar(step, self.chain.largest, cells, ascii_mode=self._ascii), *marks]


class Told(LineList):
    """What the call under the cursor did."""

    def __init__(self) -> None:
        super().__init__(id="told")
        self._step: Step | None = None
        self._lines: list[Part] = []

    def show(self, step: Step) -> None:
        self._step, self.cursor, self.top = step, 0, 0
        self._fold()

    def on_resize(self) -> None:
        self._fold()

    def _fold(self) -> None:
        """What it says in sentences is wrapped; a message, which the trace has whole, keeps to its line."""
        if self._step is None:
            return
        width, lines = max(self.size.width - 3, 10), contexts.told(self._step)
        changes, most = len(self._step.changes), contexts.MOST_CHANGES
        rows = len(lines) - (changes if changes <= most else most + 1)
        self._lines = [(row, ink) for text, ink in lines[:rows] for row in fmt.wrap(text, width)]
        self._lines += lines[rows:]
        self.refresh()

    @property
    def shows_cursor(self) -> bool:
        return False

    def line_count(self) -> int:
        return len(self._lines)

    def line_parts(self, index: int, width: int) -> list[Part]:
        return [("  ", "text"), self._lines[index]]


class ContextScreen(Paced):
    """`c` inside a trace. Enter goes to the call, in the trace; tab to the changes, `n` to the next conversation."""

    BINDINGS = bindings("context")
    key_groups = ("list", "context", "screen", "app")

    def __init__(self, facts: Facts, trace_id: str, span_id: str | None, go: Callable[[str], None]) -> None:
        """`span_id`: the call to begin at; `go` takes the id of the span that was chosen."""
        super().__init__(facts)
        self._trace_id, self._span_id, self._go = trace_id, span_id, go
        self._chains: list[contexts.Chain] = []
        self._at = 0
        self._seq = -1

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        yield Calls()
        yield Told()
        yield Empty()
        yield KeyBar("list", "context", "screen", "app")

    @property
    def calls(self) -> Calls:
        return self.query_one(Calls)

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.calls.focus()
        self.show_context()
        self.load()  # `reload` waits until this is over

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.show_context)

    def reload(self) -> None:
        if self.is_mounted:
            self.load()

    def restart(self) -> None:
        self._seq = -1
        self.reload()

    async def look(self) -> None:
        """Prompts are read again only where the trace has changed: of a long conversation that takes seconds."""
        source, trace_id, known, shown = self.facts.source, self._trace_id, self._seq, self._chains
        price = Prices(source.prices or {}).cost

        def question(reader: Reader) -> tuple[int, list[contexts.Chain] | None]:
            seq = reader.trace(trace_id).seq
            if seq == known:
                return seq, None
            found = contexts.chains_of(reader.seen(trace_id), price, reader.seen_before(trace_id))
            return seq, None if found and found == shown else found

        try:
            self._seq, found = await source.ask_slowly(question)
        except TracetuiError as error:
            self.show_error(error)
            return
        self.read_well()
        if found is None:
            return
        self.set_class(not found, "empty")
        if not found:
            self.query_one(Empty).say([[("No model call of this trace has its prompt in the file.", "text")]])
        else:
            chosen = self._span_id or (self._call().call.span_id if self._chains else None)
            self._chains, self._span_id = found, None
            self._show(chosen)

    def _show(self, span_id: str | None) -> None:
        """Show the conversation that has this call, at it; else the one that is shown, at its end."""
        for at, chain in enumerate(self._chains):
            ids = [step.call.span_id for step in chain.steps]
            if span_id in ids:
                self._at = at
                self.calls.show(chain, ids.index(str(span_id)))
                break
        else:
            self._at = min(self._at, len(self._chains) - 1)
            self.calls.show(self._chains[self._at], len(self._chains[self._at].steps) - 1)
        self._tell()
        self.show_context()

    def _call(self) -> Step:
        return self._chains[self._at].steps[self.calls.cursor]

    @on(LineList.Moved, "#calls")
    def _tell(self) -> None:
        if self._chains:
            self.query_one(Told).show(self._call())

    @on(LineList.Chosen, "#calls")
    def _chosen(self) -> None:
        if self._chains:
            span_id = self._call().call.span_id
            self.dismiss(None)
            self._go(span_id)

    def show_context(self) -> None:
        left: list[Part] = [(" context", "strong")]
        right: list[Part] = []
        if self._chains:
            chain = self._chains[self._at]
            left += [("  ", "text"), (fmt.plain(chain.name), "accent")]
            if len(self._chains) > 1:
                left.append((f"  {self._at + 1} of {len(self._chains)} conversations", "quiet"))
            right = [
                (fmt.count(len(chain.steps)), "strong"),
                (" call  " if len(chain.steps) == 1 else " calls  ", "quiet"),
                (fmt.tokens(chain.largest), "strong"),
                (" tok at most ", "quiet"),
            ]
            if chain.over_nanousd:
                right.append((f" {fmt.money(chain.over_nanousd)} for broken prefixes ", "abandoned"))
        for context in self.query(ContextLine):
            context.show(left, right)

    # Keys.

    def action_next_chain(self) -> None:
        self._turn(1)

    def action_previous_chain(self) -> None:
        self._turn(-1)

    def _turn(self, by: int) -> None:
        if len(self._chains) > 1:
            self._at = (self._at + by) % len(self._chains)
            self._show(None)
        else:
            self.say("This trace has one conversation.")

    def action_other_pane(self) -> None:
        told = self.query_one(Told)
        (self.calls if told.has_focus else told).focus()

    def action_back(self) -> None:
        self.dismiss(None)
