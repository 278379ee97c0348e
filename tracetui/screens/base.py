"""What all screens of the explorer share: the source, the clock, pause, and refreshing at a bounded rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from textual.message import Message
from textual.widgets import Input

from collector.errors import TracetuiError
from tracetui import format as fmt
from tracetui.history import History
from tracetui.keymap import KEYS, Key, bindings
from tracetui.remembered import Remembered
from tracetui.screens.hands import Hands
from tracetui.source import Source
from tracetui.widgets.frame import Empty, KeyBar, Note
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part

if TYPE_CHECKING:
    from tracetui.screens.menu import Choice
    from tracetui.screens.neighbours import Around

TICK_S = 0.25
LISTS = ("show_traces", "show_sessions", "show_costs", "show_overview", "show_errors", "show_signals")
"""Keys that the line of keys leaves out where there is no room for them, or they mean something else."""
LEADS_AWAY = ("back", "pause", "command", "search", "filter")
CLOCK_S = 5.0


@dataclass(slots=True)
class Facts:
    """What the screens know of the outside. `listening` is the receiver's address, `joined` says that it was
    running already; `notice` is a sentence to show until it is dismissed (a port taken, a variable to set);
    `expecting` says what will write the file, where we started it ourselves."""

    source: Source
    now_ns: Callable[[], int]
    exists: bool = True
    listening: str | None = None
    joined: bool = False
    notice: str = ""
    expecting: str = ""
    paused: bool = False
    history: History = field(default_factory=History)
    remembered: Remembered = field(default_factory=Remembered)


class ExplorerScreen(Hands):
    """Screens are told that the file changed; while paused, covered or hidden they remember it."""

    BINDINGS = bindings("screen")
    key_groups: ClassVar[tuple[str, ...]] = ("list", "screen", "app")

    class Search(Message):
        """The user wants to find something that was said."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class OpenSpan(Message):
        """The user wants to see this span in its trace (None: the trace)."""

        def __init__(
            self, trace_id: str, span_id: str | None, around: Around | None = None, said: str | None = None
        ) -> None:
            super().__init__()
            self.trace_id, self.span_id, self.around, self.said = trace_id, span_id, around, said

    class OpenConversation(Message):
        """The user wants to read this session."""

        def __init__(self, session_id: str) -> None:
            super().__init__()
            self.session_id = session_id

    class OpenTraces(Message):
        """The user wants the traces that a filter finds, and to come back."""

        def __init__(self, filter_text: str) -> None:
            super().__init__()
            self.filter_text = filter_text

    class Command(Message):
        """The user typed a command."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.facts = facts
        self._missed = False
        self._standing = ""

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self._tick)
        self.set_interval(CLOCK_S, self._look_again)

    def _tick(self) -> None:
        if self.in_sight and not self.facts.paused:
            self.tick()

    def _look_again(self) -> None:
        """Statuses also change with time alone: a process dies without writing."""
        if self.in_sight and not self.facts.paused:
            self.reload()

    def on_screen_resume(self) -> None:
        if self._missed and self.in_sight:  # else it goes, with the one that covered it
            self._missed = False
            self.reload()

    def file_changed(self, *, reopened: bool) -> None:
        """News from the tail."""
        if not self._stands:
            return
        if self.facts.paused or not self.in_sight:
            self._missed = True
        elif reopened:
            self.restart()
        else:
            self.reload()

    def facts_changed(self) -> None:
        """News from outside: who listens, what to say."""
        if self._stands:
            self.show_facts()

    def show_facts(self) -> None:
        self.show_context()
        self.read_well()

    @property
    def _stands(self) -> bool:
        """Whether it is neither on its way in nor out: one that comes in reads what there is to know."""
        return self.is_mounted and bool(self.children)

    @property
    def in_sight(self) -> bool:
        """Whether it is on top, or shines through what is. Textual's `is_current` also holds for the screen below an
        opaque one."""
        for screen in reversed(self.app.screen_stack):
            if screen is self:
                return True
            if screen.styles.background.a == 1:
                break
        return False

    def waits(self) -> bool:
        """Whether nobody sees this screen now: what was to be asked again is, once it is back."""
        if self.in_sight:
            return False
        self._missed = True
        return True

    def tick(self) -> None:
        """Four times a second: repaint what runs."""

    def reload(self) -> None:
        """Ask again for what is on screen."""

    def restart(self) -> None:
        """The file is another one."""
        self.reload()

    def show_context(self) -> None:
        """Fill the top line."""

    # Keys.

    def awaits(self, key: str) -> bool:
        """Whether this key has to wait for what is being read: it would act on what stood here before, or on
        nothing. Keys that lead away never wait."""
        focused = self.focused
        return isinstance(focused, LineList) and focused.behind and self.acts(key)

    def acts(self, key: str) -> bool:
        """Whether it does something with what is shown, or moves about in it."""
        return not any(
            key in one.keys.split(",") for one in self._key_table if one.group == "app" or one.action in LEADS_AWAY
        )

    def moves(self, key: str) -> bool:
        """Whether it only moves the cursor of the list that has the focus."""
        return isinstance(self.focused, LineList) and any(
            key in one.keys.split(",") for one in self._key_table if one.group == "list" and one.action != "choose"
        )

    @property
    def _key_table(self) -> tuple[Key, ...]:
        return getattr(self.app, "keys", KEYS)

    @property
    def in_field(self) -> bool:
        """Whether one is typing into a line: that acts on nothing that is read."""
        return isinstance(self.focused, Input)

    def works(self, *groups: str) -> bool:
        """Whether one of these groups of workers of this screen, or of its widgets, is at it."""
        return any(
            one.group in groups and not one.is_finished and (one.node is self or self in one.node.ancestors)
            for one in self.workers
        )

    def action_back(self) -> None:
        """Put away what is said of the file, or else go to the screen below; the first list has none."""
        if any(note.has_class("shown") for note in self.query(Note)):
            self.facts.notice = ""
            self.say("")
        elif len(self.app.screen_stack) > 1:
            self.dismiss(None)

    def action_pause(self) -> None:
        self.facts.paused = not self.facts.paused
        self.show_context()
        if not self.facts.paused:
            self._missed = False
            self.reload()

    def action_search(self) -> None:
        self.post_message(self.Search(""))

    def action_command(self) -> None:
        from tracetui.screens.command import CommandScreen

        self.app.push_screen(CommandScreen(self.key_groups), self._command)

    def _command(self, text: str | None) -> None:
        if text:
            self.post_message(self.Command(text))

    # Shared parts.

    def live_parts(self) -> list[Part]:
        """● live, paused, waiting: with the receiver's address where there is one."""
        glyph = fmt.ASCII.live if getattr(self.app, "ascii_mode", False) else fmt.UNICODE.live
        if self.facts.paused:
            return [(glyph + " paused", "abandoned"), ("  space resumes", "quiet")]
        if not self.facts.exists:
            return [(glyph + " waiting", "abandoned")]
        where = f" on {self.facts.listening}" if self.facts.listening else ""
        return [(glyph, "ok"), (" live" + where, "quiet")]

    def say(self, text: str) -> None:
        for note in self.query(Note):  # none left when the screen is going away
            note.say(text)

    def show_error(self, error: TracetuiError) -> None:
        """Say it over what is shown, until something is read again."""
        self._standing = str(error)
        self.say(self._standing)

    def read_well(self) -> None:
        """Something was read: what was wrong is over, what there is to know of the file is said once."""
        standing = self.facts.source.note or self.facts.notice
        if standing != self._standing:
            self._standing = standing
            self.say(standing)

    def empty_choices(self) -> list[Choice]:
        """What `y` offers where the screen is empty and names a line to type."""
        from tracetui.screens.empty import check, endpoint
        from tracetui.screens.menu import Choice

        lines = {"the endpoint variable": endpoint(self.facts), "the command": check(self.facts)}
        said = [one for one in self.query(Empty) if self.has_class("empty")]
        return [Choice(label, line) for label, line in lines.items() if any(one.says(line) for one in said)]

    def chip(self, count: int) -> None:
        self.query_one(KeyBar).chip(count)
