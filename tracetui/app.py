"""The application: screens, the tail that wakes them, and nothing that a screen can do itself."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import App
from textual.message import Message

from tracetui import format as fmt
from tracetui import themes
from tracetui.keymap import KEYS, bindings, remapped
from tracetui.screens.base import ExplorerScreen, Facts
from tracetui.screens.lists import TracesScreen
from tracetui.screens.modal import STYLES
from tracetui.source import Source
from tracetui.tail import Tail
from tracetui.ways import Ways
from tracetui.widgets.paint import NoColour
from tracetui.widgets.window_list import WindowList

if TYPE_CHECKING:
    from textual.command import Provider

THEME = "theme"
"""The name that the chosen theme is remembered under."""
LATER_S = 1.0
LATER = ("tracetui.screens.trace", "tracetui.screens.search", "tracetui.screens.help", "tracetui.screens.errors")
"""Imported after the first list is shown: a third of what stands before it."""


def key_commands() -> type[Provider]:
    """What the palette offers beside Textual's own."""
    from tracetui.palette import KeyCommands

    return KeyCommands


class Explorer(Ways):
    """`tracetui`: explores one file. `open_trace` starts inside that trace."""

    CSS_PATH = "tracetui.tcss"
    TITLE = "tracetui"
    BINDINGS = bindings("app")
    COMMANDS: ClassVar[set[Any]] = {key_commands}
    NOTIFICATION_TIMEOUT: ClassVar[float] = 4.0
    _worn = ""

    class Tailed(Message):
        """The file changed. Later news supersede earlier ones, unless those said that it was replaced."""

        def __init__(self, reopened: bool) -> None:
            super().__init__()
            self.reopened = reopened

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Explorer.Tailed) and (self.reopened or not message.reopened)

    class ReceiverNews(Message):
        """Who receives, and where; from the thread that looks after the child."""

        def __init__(self, listening: str | None, joined: bool, notice: str) -> None:
            super().__init__()
            self.listening, self.joined, self.notice = listening, joined, notice

    def __init__(
        self,
        source: Source,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        ascii_mode: bool = False,
        listening: str | None = None,
        joined: bool = False,
        notice: str = "",
        open_trace: str | None = None,
        filter_text: str = "",
        tail: bool = True,
        keys: Mapping[str, str] | None = None,
        theme: str | None = None,
    ) -> None:
        """`keys` is a key map of the user's, see `keymap.remapped` (SettingsError); `theme` is the setting (None: the
        one that was chosen last). SettingsError where there is none of that name."""
        super().__init__()
        for one in themes.OWN:
            self.register_theme(one)
        self.keys = remapped(keys or {})
        # Our inks are true colours already; Textual's own filter would walk every line again to find that out.
        self._filters[:] = [NoColour()] if self.no_color else []
        self.ascii_mode = ascii_mode
        exists = os.path.exists(source.path) or not tail
        self.facts = Facts(source, now_ns, exists, listening, joined, notice)
        self._wear(themes.known(theme, self.available_themes) if theme else self._worn_before())
        self._open_trace = open_trace
        self._filter_text = filter_text
        self._crashed_on, self._last_words = "none", ""
        self._tail = Tail(source.path, source.open_reader, self._file_changed) if tail else None

    def get_default_screen(self) -> TracesScreen:
        """The first screen, in place of an empty one below it."""
        return TracesScreen(self.facts, filter_text=self._filter_text)

    def on_mount(self) -> None:
        changed = (key for key, own in zip(self.keys, KEYS, strict=True) if key is not own)
        self.set_keymap({f"{key.group}.{key.action}": key.keys for key in changed})
        if self._open_trace is not None:
            self.open_trace(self._open_trace)
        self.set_timer(LATER_S, self._settle)

    @on(WindowList.Loaded)
    @on(WindowList.Failed)
    def _first_look(self) -> None:
        """Looking out for changes, and the imports it takes, begin when the first lines are painted."""
        if self._tail is not None and not self._tail.started:
            self.call_after_refresh(self._tail.begin)

    def _settle(self) -> None:
        if self._tail is not None:
            self._tail.begin()
        self._import_the_rest()

    # Theme.

    def _worn_before(self) -> str:
        """What the environment names, or was chosen in the explorer before: if there is still one of that name."""
        wanted = os.environ.get("TEXTUAL_THEME") or self.facts.remembered.get(THEME)
        return wanted if isinstance(wanted, str) and wanted in self.available_themes else themes.DEFAULT

    def _wear(self, name: str) -> None:
        """Have the theme on before the first style is computed: a change of it computes them all again."""
        self._worn = name
        self.set_reactive(App.theme, name)
        self.stylesheet.set_variables(self.get_css_variables())

    def action_command_palette(self) -> None:
        from tracetui.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.inks(self.current_theme) if self._worn else {}  # Textual asks before there is a theme of ours

    def watch_theme(self, name: str) -> None:
        if name != self._worn:
            self._worn = name
            self.facts.remembered.put(THEME, name)

    @work(thread=True)
    def _import_the_rest(self) -> None:
        """Screens that are not the first one: after the first picture, before they are asked for."""
        for name in LATER:
            import_module(name)
        self.call_later(self._read_styles)
        if not gc.isenabled():
            gc.freeze()  # what is loaded stays: walking it again and again would hold frames up by 30 ms
            gc.enable()

    def _read_styles(self) -> None:
        """Those of the screens to come. Else the first of them would have all styles worked out anew."""
        if not self.stylesheet.has_source(str(STYLES)):
            self.stylesheet.read(STYLES)
            self.stylesheet.parse()

    def on_unmount(self) -> None:
        if self._tail is not None:
            self._tail.stop()
        self.facts.source.close()

    # Trouble.

    def _fatal_error(self) -> None:
        """Textual's own shows the values of variables, which hold what traces hold. A sentence and a report do."""
        from tracetui.crash import kind, save

        if self._last_words:  # what follows from the first one says nothing new
            return
        error = self._exception or RuntimeError()
        first = kind(error)
        with suppress(Exception):  # the way out must stay free
            self._crashed_on = type(self.screen).__name__
        path = save(error, self._crashed_on)
        said = [
            f"tracetui stopped: {type(first).__name__}: {fmt.clip(fmt.plain(str(first)), 300)}",
            f"Nothing is lost: what was traced is in {fmt.plain(self.facts.source.path)}, which the screen only reads.",
            f"A report (versions and lines of code, nothing of your traces) is in {path}" if path else
            "No report could be written.",
        ]  # fmt: skip
        self._last_words = "\n".join(said)
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """When the terminal is the shell's again. As it is: a path that was wrapped could not be copied."""
        if self._last_words:
            print(self._last_words, file=sys.__stderr__, flush=True)
            self._last_words = ""
        super()._print_error_renderables()

    # News from the file.

    def _file_changed(self, reopened: bool) -> None:
        """In the tail's thread."""
        self.post_message(self.Tailed(reopened))

    @on(Tailed)
    def _tailed(self, event: Tailed) -> None:
        if event.reopened:
            self.facts.exists = os.path.exists(self.facts.source.path)
            self.facts.source.forget()
        for screen in self.screen_stack:
            if isinstance(screen, ExplorerScreen):
                screen.file_changed(reopened=event.reopened)

    @on(ReceiverNews)
    def _receiver_news(self, event: ReceiverNews) -> None:
        self.facts.listening, self.facts.joined = event.listening, event.joined
        self.facts.notice = event.notice
        for screen in self.screen_stack:
            if isinstance(screen, ExplorerScreen):
                screen.facts_changed()
