"""A screen with a filter: the bar, what could be typed there, earlier filters, and saved views."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on, work

from collector.errors import FilterError, TracetuiError
from tracetui import format as fmt
from tracetui.keymap import bindings
from tracetui.screens.base import ExplorerScreen, Facts
from tracetui.source import Where
from tracetui.widgets.filter_bar import FilterBar
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part


class OffersTerms(ExplorerScreen):
    """Its FilterBar offers what may come next, from the file where that can be read."""

    def awaits(self, key: str) -> bool:
        """Tab takes what is offered for what was typed last."""
        return super().awaits(key) or (key == "tab" and self.works("offers"))

    @on(FilterBar.Typed)
    def _typed(self, event: FilterBar.Typed) -> None:
        self._offer(event.text, event.cursor)

    @work(exclusive=True, group="offers")
    async def _offer(self, text: str, cursor: int) -> None:
        source = self.facts.source
        try:
            found = await source.ask(lambda reader: reader.complete(text, cursor, source.views))
        except TracetuiError:
            from collector.store.complete import complete

            found = complete(None, text, cursor, source.views)
        self.query_one(FilterBar).offer(text, found)


class FilteredScreen(OffersTerms):
    """What is shown obeys `filter_text`. Subclasses have a FilterBar, and say with `filter_changed` what follows."""

    BINDINGS = bindings("lists")
    filters_traces: ClassVar[bool] = False
    """Whether the filter asks for traces, so that a search can take it along."""
    key_groups: ClassVar[tuple[str, ...]] = ("list", "lists", "screen", "app")

    def __init__(self, facts: Facts, *, filter_text: str = "") -> None:
        super().__init__(facts)
        self.filter_text = filter_text
        self._where: Where | None = None

    def filter_changed(self) -> None:
        """Show what the filter finds now."""
        raise NotImplementedError

    def filters(self) -> dict[str, Any]:
        """The argument that a question to the reader takes for the filter."""
        return {} if self._where is None else {"where": self._where}

    def context_left(self) -> list[Part]:
        """File, live state and filter."""
        name = fmt.plain(self.facts.source.path.rsplit("/", 1)[-1])
        left: list[Part] = [(" " + name, "strong"), ("  ", "text"), *self.live_parts()]
        if self.filter_text:
            left += [("   / ", "quiet"), (fmt.plain(self.filter_text), "accent")]
        return left

    def focus_list(self) -> None:
        self.query(LineList).first().focus()

    # Keys.

    def action_search(self) -> None:
        """Search, in what the filter finds where it is one of traces."""
        asks = self.filter_text if self.filters_traces else ""
        self.post_message(self.Search(f"trace:({asks}) " if asks else ""))

    async def action_filter(self) -> None:
        before = [text for text in self.facts.history.entries() if text != self.filter_text]
        await self.query_one(FilterBar).open(self.filter_text, before)
        self._offer(self.filter_text, len(self.filter_text))

    def action_back(self) -> None:
        bar = self.query_one(FilterBar)
        if bar.is_open:
            bar.close()
        elif self.filter_text:
            self.apply("")
        else:
            super().action_back()

    def action_session(self) -> None:
        self._only_lists()

    def action_columns(self) -> None:
        self._only_lists()

    def action_group(self) -> None:
        self._only_lists()

    def _only_lists(self) -> None:
        self.app.notify("That is for the list of traces: 1 shows it.", markup=False)

    def action_views(self) -> None:
        """Choose among the saved filters."""
        views = self.facts.source.views
        if not views:
            self.app.notify("No view is saved yet: V saves this filter under a name.", markup=False)
            return
        from tracetui.screens.menu import Choice, MenuScreen

        choices = [Choice(fmt.plain(name), f"view:{name}", about=text) for name, text in sorted(views.items())]
        self.app.push_screen(MenuScreen("Views", choices), self._apply_chosen)

    def _apply_chosen(self, text: str | None) -> None:
        if text is not None:
            self.apply(text)

    def action_save_view(self) -> None:
        """Give the filter a name, for ever."""
        from tracetui.screens.ask import AskScreen
        from tracetui.views import VIEW_NAME

        bar = self.query_one(FilterBar)
        text = bar.text.strip() if bar.is_open else self.filter_text
        if not text:
            self.app.notify("There is no filter to save: f writes one.", markup=False)
            return
        try:
            self.facts.source.parse(text)
        except FilterError as error:
            self.call_later(self._refuse, text, error)
            return
        question = AskScreen(f"Save {fmt.clip(fmt.plain(text), 48)} as", "a name: letters, digits, - and _", VIEW_NAME)
        self.app.push_screen(question, lambda name: self._save(name, text))

    def _save(self, name: str | None, text: str) -> None:
        if not name:
            return
        from tracetui.views import save_view

        views = self.facts.source.views
        before = views.get(name)
        try:
            views[name] = text
            self.facts.source.parse(f"view:{name}")  # it may name itself, or one that names it
            path = save_view(name, text)
        except (TracetuiError, OSError) as error:
            if before is None:
                del views[name]
            else:
                views[name] = before
            self.app.notify(fmt.plain(str(error)), severity="warning", markup=False)
            return
        instead = f" It was {before}." if before not in (None, text) else ""
        self.app.notify(fmt.plain(f"Saved as view:{name} in {path}.{instead}"), markup=False)

    # The bar.

    @on(FilterBar.Submitted)
    def _submitted(self, event: FilterBar.Submitted) -> None:
        self.apply(event.text)
        if not self.query_one(FilterBar).is_open:
            self.facts.history.add(event.text)

    @on(FilterBar.Saving)
    def _saving(self) -> None:
        self.action_save_view()

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self.focus_list()

    def apply(self, text: str) -> None:
        """Filter. A filter that cannot be read leaves all as it is, and says where it went wrong."""
        bar = self.query_one(FilterBar)
        text = text.strip()
        try:
            self._where = self.facts.source.parse(text) if text else None
        except FilterError as error:
            self.call_later(self._refuse, text, error)
            return
        bar.accept()
        self.filter_text = text
        self.focus_list()
        self.filter_changed()

    async def _refuse(self, text: str, error: FilterError) -> None:
        bar = self.query_one(FilterBar)
        if not bar.is_open:
            await bar.open(text)
        bar.refuse(error)
