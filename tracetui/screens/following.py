"""What lines of the inspector lead to: other spans, files and pictures, the editor, the span as OTLP."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Any, cast

from textual import on, work
from textual.app import SuspendNotSupported
from textual.screen import Screen

from collector.errors import TracetuiError
from collector.export.shared import held
from collector.store.pointers import Pointer, pointing_at
from tracetui import editor, opener
from tracetui import format as fmt
from tracetui.screens.base import ExplorerScreen, Facts
from tracetui.screens.copying import as_text as value_text
from tracetui.widgets.inspector import Inspector
from tracetui.widgets.lines import Here
from tracetui.widgets.text import as_text

STAYS_S = 0.1
ABSENT = "Its name was recorded, its bytes were not: files are sent by themselves here, and this one did not come."


class Following(Screen[None]):
    """The part of a trace's screen that goes where the inspector points."""

    facts: Facts
    trace_id: str

    @property
    def inspector(self) -> Inspector:
        return self.query_one(Inspector)

    def go_to_span(self, span_id: str) -> bool:
        """Put the tree's cursor on a span of this trace; False where it has none such."""
        raise NotImplementedError

    # Links and replays.

    @on(Inspector.Followed)
    def _followed(self, event: Inspector.Followed) -> None:
        if event.trace_id == self.trace_id and self.go_to_span(event.span_id):
            return
        self._leave_for(event.trace_id, event.span_id)

    @work(group="follow", exclusive=True)
    async def _leave_for(self, trace_id: str, span_id: str) -> None:
        """Open another trace, if the file has it."""
        try:
            await self.facts.source.ask(lambda reader: reader.trace(trace_id))
            if trace_id == self.trace_id:
                raise TracetuiError(f"this trace has no span {span_id}")
        except TracetuiError as error:
            self._say(error)
            return
        self.post_message(ExplorerScreen.OpenSpan(trace_id, span_id))

    @work(group="pointers", exclusive=True)
    async def learn_pointers(self) -> None:
        """Which spans replay the one that the inspector shows, or link to it, once one stays with it."""
        span = self.inspector.span if self.query(Inspector) else None
        if span is None:
            return
        row = span.row
        await asyncio.sleep(STAYS_S)

        def question(reader: Any) -> list[Pointer]:
            return pointing_at(reader, row.trace_id, row.span_id, row.start_ns)

        with suppress(TracetuiError):  # the span itself is there
            found = await self.facts.source.ask_slowly(cast(Any, question))
            for inspector in self.query(Inspector):  # none left where the screen went meanwhile
                inspector.supply_pointers(row.span_id, found)

    # The span as OTLP.

    @on(Inspector.RawWanted)
    def _raw_wanted(self, event: Inspector.RawWanted) -> None:
        self._read_otlp(event.span.row.trace_id, event.span.row.span_id)

    @work(group="otlp", exclusive=True)
    async def _read_otlp(self, trace_id: str, span_id: str) -> None:
        def question(reader: Any) -> str:
            from collector.protocols import otlp

            parts = list(reader.parts_named([(trace_id, span_id)]))
            if not parts:
                return "{}"
            text = otlp.encode_traces(parts)
            if any(part.logs for part in parts):  # its log records, which OTLP sends apart, beside it
                text = text[:-1] + b"," + otlp.encode_logs(parts)[1:]
            return text.decode("utf-8", "replace")

        try:
            text = await self.facts.source.ask_slowly(cast(Any, question))
        except TracetuiError as error:
            self._say(error)
            return
        self.inspector.supply_otlp(span_id, text)

    # Editor.

    def action_edit(self) -> None:
        """Leave the screen to the user's editor, with the value on the inspector's line, else what the tab shows."""
        span, here = self.inspector.span, self.inspector.here
        if span is None:
            self.app.notify("There is nothing to edit on this line.", markup=False)
            return
        try:
            words = editor.command(os.environ)
            if here.value is not None:
                text = value_text(here.value)
                suffix = ".json" if text[:1] in ("{", "[") else ".md"
            else:
                text, suffix = as_text(span, self.inspector.tab)
            with self.app.suspend():
                editor.show(text, suffix, words)
        except (TracetuiError, SuspendNotSupported) as error:
            said = str(error) or "This terminal cannot be left to an editor."
            self.app.notify(fmt.plain(said), severity="warning", markup=False)
        self.app.refresh(layout=True)

    # Files and addresses.

    def action_open(self) -> None:
        """Open the file on the inspector's line outside, else the first that the span holds."""
        here = self.inspector.here
        if here.media is None:
            found = (line.here for line in self.inspector.lines if line.here.media is not None)
            here = next(found, Here())
        if here.media is None:
            self.app.notify("There is no file or picture here to open.", markup=False)
            return
        self._open(here.media)

    @on(Inspector.Viewed)
    def _viewed(self, event: Inspector.Viewed) -> None:
        assert event.here.media is not None
        self._view(event.here.media)

    @work(group="open", exclusive=True)
    async def _view(self, part: dict[str, Any]) -> None:
        """A picture in the terminal where it can be shown; of anything else what it is."""
        from tracetui.screens.picture import PictureScreen, can_show, decode

        why = can_show(self.app, part)
        if why:
            self.app.notify(f"{why} o opens it outside.", markup=False)
            return
        try:
            data = await self._data(part)
            decoded = None if data is None else await asyncio.to_thread(decode, data)
        except TracetuiError as error:
            self._say(error)
            return
        if decoded is None:
            elsewhere = "The picture was not recorded, only where it is. o opens that outside."
            self.app.notify(elsewhere if part.get("url") else ABSENT, markup=False)
            return
        name = fmt.plain(str(part.get("name") or part.get("mime_type") or ""))
        await self.app.push_screen(PictureScreen(decoded, name))

    @work(group="open", exclusive=True)
    async def _open(self, part: dict[str, Any]) -> None:
        """Only ever after a key: what a trace names is foreign."""
        try:
            command = opener.words(os.environ)
            data = await self._data(part)
            if data is None and not part.get("url"):
                raise opener.NotOpened(ABSENT)
            if data is None:
                target = opener.address(str(part.get("url") or ""))
            else:
                target = str(opener.kept(data, str(part.get("mime_type") or "")))
            opener.show(target, command, os.environ)
        except (TracetuiError, OSError) as error:
            self._say(error)
            return
        self.app.notify(fmt.plain(f"Opening {target} with {command[0]}"), markup=False)

    async def _data(self, part: dict[str, Any]) -> bytes | None:
        """The bytes of a file where the file of traces has them; None where it only names it."""
        kept = held(part)
        if kept is not None:
            return await asyncio.to_thread(opener.decoded, kept[1])
        file_id = part.get("file_id")
        if not isinstance(file_id, str):
            return None

        def question(reader: Any) -> bytes | None:
            from collector.store.library import Library

            library = Library(reader)
            row = library.media(file_id)
            return library.blob(row.hash) if row is not None and row.hash is not None else None

        return await self.facts.source.ask_slowly(cast(Any, question))

    def _say(self, error: Exception) -> None:
        self.app.notify(fmt.plain(str(error)), severity="warning", markup=False)
