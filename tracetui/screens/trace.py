"""One trace: tree and waterfall, and the inspector beside or below."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from collector.errors import NotFound, TracetuiError
from collector.store import skeleton
from collector.store.rows import TraceRow
from tracetui import branches, loading
from tracetui import format as fmt
from tracetui.keymap import bindings
from tracetui.screens.base import LISTS, Facts
from tracetui.screens.copying import span_choices, trace_choices
from tracetui.screens.find import FindsInTrace
from tracetui.screens.following import Following
from tracetui.screens.hands import Export
from tracetui.screens.header import trace_context
from tracetui.screens.menu import Choice
from tracetui.screens.neighbours import HasNeighbours
from tracetui.screens.panes import TwoPanes
from tracetui.screens.trace_signals import SignalActions
from tracetui.widgets.divider import Divider
from tracetui.widgets.find_bar import FindBar
from tracetui.widgets.frame import ContextLine, KeyBar, Note
from tracetui.widgets.inspector import Inspector
from tracetui.widgets.line_list import LineList
from tracetui.widgets.waterfall import Waterfall

WIDE = 110
TAB = "tab"
"""The name that the inspector's tab is remembered under."""


class TraceScreen(Following, FindsInTrace, HasNeighbours, SignalActions, TwoPanes):
    """Opened with a trace id. A big trace shows its first lines at once and the rest when it is read."""

    BINDINGS = bindings("trace")

    key_groups = ("list", "trace", "screen", "app")

    def __init__(self, facts: Facts, trace_id: str, span_id: str | None = None) -> None:
        """`span_id`: where to put the cursor."""
        super().__init__(facts)
        self.trace_id = trace_id
        self._goto = skeleton.number(span_id) or None
        self.trace: TraceRow | None = None
        self._due = 0.0
        self._loading = False
        self._again = False
        self._supplying = False

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        with Container(id="panes"):
            yield Waterfall(self.facts.now_ns, id="waterfall")
            yield Divider(id="rule")
            yield Inspector(id="inspector")
        yield FindBar()
        yield KeyBar("list", "trace", "screen", "app", without=(*LISTS, "show_signals"))

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self._arrange(self.app.size.width)
        tab = self.facts.remembered.get(TAB)
        self.inspector.show_tab(tab - 1 if type(tab) is int else 0)
        self.waterfall.focus()
        self.reload()

    def on_resize(self, event: events.Resize) -> None:
        self._arrange(event.size.width)
        self.call_after_refresh(self.show_context)

    def _arrange(self, width: int) -> None:
        self.set_class(width < WIDE, "narrow")
        self.share_out()

    def panes(self) -> tuple[Widget, Widget]:
        return self.waterfall, self.inspector

    def most_lines(self) -> int | None:
        """All of a short trace; one that goes on has room for what comes, so that nothing below it moves."""
        outline = self.waterfall.outline
        return None if outline.running or not len(outline) else len(outline) + 2

    # Data.

    def reload(self) -> None:
        if self._loading:
            self._again = True
        else:
            self._loading = True
            self._load()

    def on_screen_resume(self) -> None:  # beside ExplorerScreen's own: a replay may have been sent from here
        self.learn_pointers()

    def restart(self) -> None:
        """Another file: nothing that was read counts."""
        self.trace = None
        self.reload()

    @work(group="tree")
    async def _load(self) -> None:
        """Load, and load again when news came meanwhile; the longer it takes, the longer the pause after it."""
        source = self.facts.source
        try:
            if self.trace is None:
                self._show(
                    await source.ask(lambda reader: loading.first(reader, self.trace_id, 2 * self.waterfall.page))
                )
                if not self.waterfall.outline.partial:
                    await self._learn_again()
                    return
            self._again = True
            while self._again:
                self._again = False
                began = time.monotonic()
                shown = self._shown()
                self._show(await source.ask_slowly(partial(loading.again, shown=shown)))
                await self._learn_again()
                took = time.monotonic() - began
                if took > 0.03:
                    await asyncio.sleep(2 * took)
        except NotFound:
            self.say("This trace is not in the file any more.")
        except TracetuiError as error:
            self.show_error(error)
        finally:
            self._loading = False
            for tree in self.query(Waterfall):  # none left where the screen went meanwhile
                tree.awaited = False

    async def _learn_again(self) -> None:
        """What was found, and what spans cost: a small trace is weighed as it is shown, a big one once a key asked."""
        tree = self.waterfall
        await self.find_again()
        if len(tree.outline) <= loading.AT_ONCE or tree.scene.heat in ("cost", "tokens"):
            await self.weigh()

    def _shown(self) -> loading.Shown:
        """What is on screen, for the reader's thread."""
        tree = self.waterfall
        assert self.trace is not None
        near = branches.unread(tree.outline, tree.lines, (), tree.top - tree.page, tree.top + 2 * tree.page)
        return loading.Shown(self.trace, tree.outline, tuple(near), frozenset(tree.folded), frozenset(tree.opened))

    def _show(self, loaded: loading.Loaded) -> None:
        self.trace = loaded.trace
        self.read_well()
        tree = self.waterfall
        if loaded.outline is not None:
            before = tree.selected_id
            tree.show(loaded.outline, loaded.rows, loaded.changed)
            self.cap()
            if self._goto is not None and self._goto in loaded.outline.ids:
                tree.go_to(self._goto)
                self._goto = None
            if before is not None and before == tree.selected_id and before in loaded.changed:
                self._inspect()
        if loaded.outline is not None:
            self.mark_signals(loaded.trace.span_count)
        self.show_context()

    def go_to_span(self, span_id: str) -> bool:
        ids, one = self.waterfall.outline.ids, skeleton.number(span_id)
        if one not in ids:
            return False
        self.waterfall.reveal(ids.index(one))
        self.waterfall.focus()
        return True

    @on(Waterfall.Wanted)
    def _wanted(self) -> None:
        self._supply()

    @work(group="rows")
    async def _supply(self) -> None:
        """Read the rows that came near the screen. One question at a time; scrolling on asks again."""
        if self._supplying:
            return
        self._supplying = True
        tree = self.waterfall
        try:
            while wanted := tree.wanted():
                rows = await self.facts.source.ask(partial(loading.rows, trace_id=self.trace_id, numbers=wanted))
                tree.supply(rows)
                if not rows:
                    return
        except TracetuiError as error:
            self.show_error(error)
        finally:
            self._supplying = False

    @work(exclusive=True, group="span")
    async def _inspect(self) -> None:
        index = self.waterfall.selected
        outline = self.waterfall.outline
        if index is None:
            return
        span_id = skeleton.name(outline.ids[index])
        if self.waterfall.lines[self.waterfall.cursor] < 0:
            noise = outline.noise_below[outline.parent[index]]
            told = f"{fmt.count(noise.spans)} {' and '.join(sorted(noise.kinds))} spans, {fmt.duration(noise.total_ns)}"
            self.inspector.show(None, [(told, "strong"), ("   enter or l shows them one by one", "quiet")])
            return
        if outline.is_ghost(index):
            text = "This span has not arrived. Others name it as their parent; it stands in for them until it does."
            self.inspector.show(None, [(text, "quiet")])
            return
        try:
            span = await self.facts.source.ask(lambda reader: reader.span(self.trace_id, span_id))
        except TracetuiError as error:
            self.inspector.show(None, [(fmt.plain(str(error)), "error")])
            return
        self.inspector.show(span)
        self.learn_pointers()
        if self.said and self._goto is None:
            self.inspector.seek(self.said)
            self.said = None

    @on(LineList.Moved, "#waterfall")
    def _moved(self) -> None:
        self._inspect()

    @on(LineList.Chosen, "#waterfall")
    def _chosen(self) -> None:
        if self.waterfall.lines and self.waterfall.lines[self.waterfall.cursor] < 0:
            self.waterfall.unfold()
        else:
            self.inspector.focus()

    @on(Waterfall.Changed)
    def _unseen(self) -> None:
        self.chip(self.waterfall.unseen)

    def tick(self) -> None:
        self.waterfall.tick()
        if self.waterfall.outline.running:
            self.show_context()

    def show_context(self) -> None:
        if self.trace is None:
            return
        glyphs = fmt.ASCII if getattr(self.app, "ascii_mode", False) else fmt.UNICODE
        paused = self.live_parts() if self.facts.paused else []
        left, right = trace_context(self.trace, self.facts.now_ns(), glyphs, self.size.width)
        for context in self.query(ContextLine):
            context.show([*left, ("  ", "text"), *paused], right)

    # Keys.

    def awaits(self, key: str) -> bool:
        """The tree is walked through at once; what acts on a span waits until the inspector has it."""
        if super().awaits(key):
            return True
        focused = self.focused
        at_once = self.in_field or (focused.typing if isinstance(focused, Inspector) else self.moves(key))
        return not at_once and self.acts(key) and self.works("span", "document", "find", "seek")

    def action_back(self) -> None:
        came_for_it = self.inspector.brought and not self.inspector.has_focus  # from a search: one key leads back to it
        if not came_for_it and self.inspector.end_finding():
            return
        if self.inspector.has_focus:
            self.waterfall.focus()
        elif not (self.stop_finding() or self.waterfall.leave_root()):
            self.dismiss(None)

    def action_replay(self) -> None:
        """Open the call for editing. Nothing is sent before another key."""
        from tracetui.screens.replay import open_replay

        open_replay(self, self.inspector.span)

    def action_other_pane(self) -> None:
        to_tree = self.inspector.has_focus
        if self._alone:
            self.leave_alone("tree" if to_tree else "inspector")
        (self.waterfall if to_tree else self.inspector).focus()

    def action_zoom_pane(self) -> None:
        """The pane that has the focus alone, and both again."""
        self.leave_alone("" if self._alone else "inspector" if self.inspector.has_focus else "tree")

    def action_all_messages(self) -> None:
        self.inspector.show_everything(not self.inspector.everything)

    def action_tab(self, number: int) -> None:
        self.inspector.show_tab(number - 1)
        self.facts.remembered.put(TAB, number)

    @on(Inspector.TabChosen)
    def _tab_chosen(self, event: Inspector.TabChosen) -> None:
        self.action_tab(event.tab + 1)

    def copy_choices(self) -> list[Choice]:
        span = self.inspector.span
        return [
            *trace_choices(self.trace_id),
            *(span_choices(span, self.inspector.here) if span is not None else []),
        ]

    def to_export(self) -> Export | None:
        trace_id = self.trace_id
        return Export(f"trace-{trace_id[:8]}", "this trace", lambda reader: [reader.trace(trace_id)])
