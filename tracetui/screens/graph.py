"""The agent graph of a trace: who called whom, how often, at what cost."""

from __future__ import annotations

from functools import partial

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical

from collector.errors import NotFound, TracetuiError
from tracetui import format as fmt
from tracetui import trees
from tracetui.callers import CallGraph, GraphLine, call_graph, graph_lines
from tracetui.screens.base import Facts
from tracetui.screens.modal import Modal
from tracetui.source import Reader
from tracetui.weights import weigh
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Line, Part, clip_parts, parts_width

COLUMNS = (("CALLS", 7), ("TIME", 9), ("TOKENS", 8), ("COST", 10))
"""Right-aligned, in this order; the last ones give way where there is no room."""


class Graph(LineList):
    """One line a pair of caller and callee, as a tree of callers."""

    head = 1

    def __init__(self) -> None:
        super().__init__()
        self.graph_lines: list[GraphLine] = []
        self.notice = "reading"

    def say(self, notice: str) -> None:
        """Why there is no graph."""
        self.notice = notice
        self.refresh()

    def show(self, graph: CallGraph) -> None:
        self.graph_lines = graph_lines(graph, self.glyphs)
        self.styles.height = len(self.graph_lines) + self.head
        self.refresh()

    def line_count(self) -> int:
        return len(self.graph_lines)

    def _columns(self, width: int) -> tuple[int, int]:
        """(cells for the names, columns of numbers)."""
        count = next(n for n in (4, 3, 2, 1) if n == 1 or width - sum(size for _, size in COLUMNS[:n]) >= 34)
        return width - sum(size for _, size in COLUMNS[:count]) - 2, count

    def head_parts(self, y: int, width: int) -> list[Part]:
        if not self.graph_lines:
            return [(f"  {self.notice}", "quiet")]
        room, count = self._columns(width)
        titles = "".join(title.rjust(size) for title, size in COLUMNS[:count])
        return [("  " + "WHO CALLED WHOM".ljust(room), "quiet"), (titles, "quiet")]

    def line_parts(self, index: int, width: int) -> list[Part]:
        line, glyphs = self.graph_lines[index], self.glyphs
        room, count = self._columns(width)
        kind = line.actor.kind if line.actor.kind in glyphs.kinds else "span"
        calls = line.calls
        left: list[Part] = [
            (glyphs.cursor + " " if index == self.cursor else "  ", "accent"),
            (line.branch, "faint"),
            (glyphs.kinds[kind] + " ", kind),
            (fmt.plain(line.actor.label) or "(no name)", "error" if calls.errors == calls.calls else "text"),
        ]
        if calls.errors:
            left.append((f" {glyphs.states['error']}{fmt.count(calls.errors)}", "error"))
        if line.again:
            left.append((f" {glyphs.up} above", "quiet"))
        left = clip_parts(left, room + 2)
        unpriced = "" if calls.tokens is None else fmt.UNKNOWN
        figures = (f"{fmt.count(calls.calls)}×", fmt.duration(calls.taken_ns),
                   "" if calls.tokens is None else fmt.tokens(calls.tokens),
                   unpriced if calls.nanousd is None else fmt.money(calls.nanousd))  # fmt: skip
        numbers = "".join(text.rjust(size) for text, (_, size) in zip(figures[:count], COLUMNS, strict=False))
        return [*left, (" " * (room + 2 - parts_width(left)), "text"), (numbers, "text")]


class GraphScreen(Modal[int | None]):
    """`a`. Gives the number of the first span behind the chosen line, or None."""

    BINDINGS = [("escape,q,a", "cancel", "close")]  # noqa: RUF012 - Textual's way

    def __init__(self, facts: Facts, trace_id: str) -> None:
        super().__init__()
        self._facts, self._trace_id = facts, trace_id

    def compose(self) -> ComposeResult:
        with Vertical(id="graph"):
            yield Line(id="title")
            yield Graph()

    def on_mount(self) -> None:
        self._say("")
        self.query_one(Graph).focus()
        self._load()

    def _say(self, text: str) -> None:
        self.query_one("#title", Line).show([("  Agents and tools  ", "strong"), (text, "quiet")],
                                            [("enter to the first call, esc  ", "quiet")])  # fmt: skip

    @work(exclusive=True)
    async def _load(self) -> None:
        ask = partial(read_graph, trace_id=self._trace_id, now_ns=self._facts.now_ns())
        try:
            graph = await self._facts.source.ask_slowly(ask)
        except NotFound:
            self.query_one(Graph).say("This trace is not in the file any more.")
            return
        except TracetuiError as error:
            self.query_one(Graph).say(fmt.plain(str(error)))
            return
        if not graph.edges:
            self.query_one(Graph).say("Nothing has arrived that called anything.")
            return
        actors = len(graph.actors())
        self._say(f"{fmt.count(actors)} {'actor' if actors == 1 else 'actors'}")
        self.query_one(Graph).show(graph)

    @on(LineList.Chosen)
    def _chosen(self, event: LineList.Chosen) -> None:
        self.dismiss(self.query_one(Graph).graph_lines[event.index].calls.first)

    def action_cancel(self) -> None:
        self.dismiss(None)


def read_graph(reader: Reader, trace_id: str, now_ns: int) -> CallGraph:
    """The graph of a trace in the file."""
    outline = trees.outline(reader.skeleton(trace_id))
    return call_graph(outline, weigh(outline, reader.measures(trace_id)), now_ns)
