"""Taking things along from a screen: `y` copies, `x` exports, `S` saves a picture. Nothing is taken without a key, and
each says what became of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual import work
from textual.await_complete import AwaitComplete
from textual.messages import Prune
from textual.screen import Screen

from collector.errors import TracetuiError
from tracetui import format as fmt
from tracetui.screens.modal import STYLES, forget_questions, may_leave

if TYPE_CHECKING:
    from collector.store.reader import Reader
    from collector.store.rows import TraceRow
    from tracetui.clipboard import Delivered
    from tracetui.screens.base import Facts
    from tracetui.screens.menu import Choice

WRITTEN_S = 10.0
"""A path stays long enough to be read and typed."""


class Export:
    """What a screen would export: `name` begins the file's, `traces` finds them when they are wanted."""

    def __init__(self, name: str, about: str, traces: Callable[[Reader], Iterable[TraceRow]]) -> None:
        self.name, self.about, self.traces = name, about, traces


class Hands(Screen[None]):
    """What all screens of the explorer can do with what they show."""

    CSS_PATH = STYLES

    facts: Facts

    async def on_prune(self, event: Prune) -> None:
        forget_questions(self)

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Leave, unless that was done already."""
        return super().dismiss(result) if may_leave(self) else AwaitComplete()

    def copy_choices(self) -> list[Choice]:
        """What `y` offers."""
        return []

    def empty_choices(self) -> list[Choice]:
        """What it offers where there is nothing of the file to copy."""
        return []

    def to_export(self) -> Export | None:
        """What `x` writes."""
        return None

    def found_by(self, filter_text: str, name: str, about: str) -> Export:
        """The traces that a filter finds, whole."""
        where: Any = self.facts.source.parse(filter_text)

        def traces(reader: Reader) -> Iterable[TraceRow]:
            from collector.export.whole import found

            return found(reader, where)

        return Export(f"{name}-{stamp()}", about, traces)

    # Copy.

    def action_copy_menu(self) -> None:
        from tracetui.screens.menu import ChoiceScreen

        choices = self.empty_choices() or self.copy_choices()
        if choices:
            self.app.push_screen(ChoiceScreen("Copy", choices), self._copy)
        else:
            self.app.notify("Nothing to copy here.", markup=False)

    def _copy(self, choice: Choice | None) -> None:
        if choice is None:
            return
        try:
            text = choice.given()
        except TracetuiError as error:
            self.app.notify(fmt.plain(str(error)), severity="warning", markup=False)
            return
        self._deliver(text)

    @work(thread=True, group="copy")
    def _deliver(self, text: str) -> None:
        from tracetui import clipboard

        try:
            done = clipboard.deliver(text, os.environ, clipboard.folder())
        except OSError as error:
            said = f"Not copied: no clipboard can be reached, and no file written ({error.strerror})."
            self.app.call_from_thread(self.app.notify, said, severity="error", markup=False)
            return
        self.app.call_from_thread(self._delivered, text, done)

    def _delivered(self, text: str, done: Delivered) -> None:
        self.app._clipboard = text  # what ctrl+v puts into our own input lines
        driver = self.app._driver
        if done.sequence and driver is not None:
            driver.write(done.sequence)  # ours from end to end: base64 is all that a trace brings into it
        self.say_done(done.sentence)

    # Export.

    def action_export(self) -> None:
        from tracetui.screens.menu import Choice, ChoiceScreen

        export = self.to_export()
        if export is None:
            self.app.notify("There is nothing to export here; open a trace, or list some.", markup=False)
            return
        from collector.export.formats import FORMATS

        choices = [Choice(one.name, one.about) for one in FORMATS]
        self.app.push_screen(ChoiceScreen(f"Export {export.about}", choices), partial(self._export, export))

    def _export(self, export: Export, choice: Choice | None) -> None:
        if choice is not None:
            self._write(export, choice.label)

    @work(thread=True, group="export")
    def _write(self, export: Export, form: str) -> None:
        """In a thread with a reader of its own: a long export holds up no screen."""
        from collector.export.formats import BY_NAME, of_traces
        from tracetui import files

        path = files.unused(Path.cwd(), export.name, BY_NAME[form].suffix)
        try:
            with self.facts.source.open_reader() as opened:
                reader = cast(Any, opened)
                count = files.written(path, of_traces(reader, form, export.traces(reader)))
        except (TracetuiError, OSError) as error:
            said = f"Not exported: {error if isinstance(error, TracetuiError) else error.strerror} ({path})"
            self.app.call_from_thread(self.app.notify, fmt.plain(said), severity="error", markup=False)
            return
        said = f"{fmt.count(count)} span{'' if count == 1 else 's'} written to {path}"
        self.app.call_from_thread(self.say_done, said, WRITTEN_S)

    # Picture.

    def action_screenshot(self) -> None:
        from tracetui import files

        path = files.unused(Path.cwd(), f"tracetui-{stamp()}", ".svg")
        try:
            files.written(path, [(0, self.app.export_screenshot().encode("utf-8", "replace"))])
        except OSError as error:
            self.app.notify(fmt.plain(f"No picture: {error.strerror} ({path})"), severity="error", markup=False)
            return
        self.say_done(f"This screen is in {path}", WRITTEN_S)

    def say_done(self, said: str, for_s: float | None = None) -> None:
        """What became of the last key, in place of what was said before it: four of them hide a small screen."""
        self.app.clear_notifications()
        self.app.notify(fmt.plain(said), timeout=for_s, markup=False)


def stamp() -> str:
    """The local time, for a name of a file."""
    return datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
