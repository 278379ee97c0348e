"""What a span said and did, as a conversation. Pure: a `SpanDetail` in, lines out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.model import Document as Hit
from collector.model import Message
from collector.store.rows import SpanDetail
from tracetui import format as fmt
from tracetui.widgets import media
from tracetui.widgets.lines import Document, as_json
from tracetui.widgets.paint import Part

ROLE_COLUMN = 11
ASSISTANT = ("assistant", "model", "ai")


def conversation(page: Document, span: SpanDetail, *, everything: bool, glyphs: fmt.Glyphs) -> None:
    """The Messages tab: what is new in this turn, or all of it; a tool's call and result; a retrieval's hits."""
    put_in = span.input.messages if span.input else ()
    put_out = span.output.messages if span.output else ()
    if not put_in and not put_out:
        _without_messages(page, span, glyphs)
        return
    shown = put_in if everything else put_in[len(put_in) - new_in_turn(put_in) :]
    hidden = len(put_in) - len(shown)
    talk = Talk(page, glyphs, *_pairs(put_in, put_out, hidden))
    if everything:
        for number, message in enumerate(span.system):
            talk.message(message, f"s{number}")
    if hidden or everything:
        title = "all messages" if everything else "new in this turn"
        page.rule(title, f"{len(shown) + len(put_out)} of {len(put_in) + len(put_out)}")
    for number, message in enumerate(shown, start=hidden):
        talk.message(message, f"i{number}")
    for number, message in enumerate(put_out):
        talk.message(message, f"o{number}")
    if not put_out:
        _value_answer(page, span, talk.indent)
    if span.documents:
        hits(page, span.documents)


def _value_answer(page: Document, span: SpanDetail, indent: int) -> None:
    if span.output is not None and span.output.value is not None:
        page.add(("assistant", "role-assistant"))
        page.value(span.output.value, indent=min(indent, 2), fold="out")
    elif span.row.status == "running":
        page.add((f"assistant {fmt.RUNNING}", "running"))


def new_in_turn(messages: Sequence[Message]) -> int:
    """How many messages at the end are what this call was for: those after the model's last answer, and that
    answer too where they are results of the tools it called."""
    for number, message in enumerate(reversed(messages)):
        if message.role in ASSISTANT:
            tail = messages[len(messages) - number :]
            return number + any(part.get("type") == "tool_result" for last in tail for part in last.parts)
    return len(messages)


def _pairs(put_in: Sequence[Message], put_out: Sequence[Message], hidden: int) -> tuple[dict[str, Any], set[str]]:
    """(the result of each call, the results that stand under a call), by place; the first `hidden` messages are not
    shown. A result belongs to the nearest call of its id before it: models that count their calls anew in every
    answer use an id many times."""
    results: dict[str, Any] = {}
    under: set[str] = set()
    waiting: dict[str, tuple[str, bool]] = {}
    said = [(f"i{number}", message) for number, message in enumerate(put_in)]
    said += [(f"o{number}", message) for number, message in enumerate(put_out)]
    for position, (key, message) in enumerate(said):
        for number, part in enumerate(message.parts):
            place, call_id = f"{key}.{number}", str(part.get("id") or "")
            if call_id and part.get("type") == "tool_call":
                waiting[call_id] = place, position >= hidden
            elif part.get("type") == "tool_result" and call_id in waiting:
                call, is_shown = waiting.pop(call_id)
                results[call] = part.get("result")
                if is_shown:
                    under.add(place)
    return results, under


@dataclass(slots=True)
class Talk:
    """Lays out messages. `results` are tool results by the place of their call; the parts at the places `under` are
    such results, and stand under their call."""

    page: Document
    glyphs: fmt.Glyphs
    results: dict[str, Any] = field(default_factory=dict)
    under: set[str] = field(default_factory=set)
    lead: Part | None = None

    @property
    def indent(self) -> int:
        """Roles stand in a column of their own where there is room, else on a line of their own."""
        return ROLE_COLUMN if self.page.width >= 70 else 2

    def message(self, message: Message, key: str) -> None:
        """One message, but for results that stand under their calls."""
        self.page.message = message
        self._message(message, key)
        self.page.message = None

    def _message(self, message: Message, key: str) -> None:
        places = (f"{key}.{number}" for number in range(len(message.parts)))
        parts = [(place, part) for place, part in zip(places, message.parts, strict=True) if place not in self.under]
        if not parts:
            return
        role = "assistant" if message.role in ASSISTANT else fmt.plain(message.role) or "?"
        ink = f"role-{role}" if role in ("user", "assistant", "tool") else "role-system"
        self.lead = (role, ink)
        if self.indent < ROLE_COLUMN:
            name = f" {fmt.plain(message.name)}" if message.name else ""
            self.page.add((role, ink), (name, "quiet"))
            self.lead = None
        for place, part in parts:
            self.part(part, place, "quiet" if ink == "role-system" else "text")
            self.lead = None

    def part(self, part: dict[str, Any], fold: str, ink: str) -> None:
        kind = part.get("type")
        if kind == "text":
            text = str(part.get("text") or "")
            if as_json(text) is None:
                self.page.text(text, ink, indent=self.indent, fold=fold, lead=self.lead, markdown=True)
            else:
                self.page.value(text, indent=self.indent, fold=fold, lead=self.lead)
        elif kind == "reasoning":
            self.reasoning(str(part.get("text") or ""), fold)
        elif kind == "tool_call":
            self.call(part, fold)
        elif kind == "tool_result":
            self.page.value(part.get("result"), indent=self.indent, fold=fold, lead=self.lead)
        elif kind in ("image", "audio", "file"):
            media.add(self.page, part, self.margin(self.indent))
        else:
            self.page.value(part.get("data", part), indent=self.indent, fold=fold, lead=self.lead)

    def margin(self, indent: int) -> Part:
        return (fmt.fit(self.lead[0], indent), self.lead[1]) if self.lead else (" " * indent, "text")

    def reasoning(self, text: str, fold: str) -> None:
        """Reasoning starts folded: a line that says how much there is."""
        opened = self.page.is_open(fold, starts_open=False)
        sign = self.glyphs.opened if opened else self.glyphs.closed
        size = f"{fmt.count(len(text))} characters" if text else "not disclosed"
        self.page.add(self.margin(self.indent), (f"{sign} reasoning ", "accent"), (size, "quiet"), fold=fold)
        if opened:
            self.page.text(text, "quiet", indent=self.indent + 2, fold=fold + "t", opened=True, markdown=True)

    def call(self, part: dict[str, Any], fold: str, indent: int | None = None) -> None:
        """A tool call as one reads code, its result under it."""
        indent = self.indent if indent is None else indent
        name = fmt.plain(str(part.get("name") or "?"))
        sign: Part = (f"{self.glyphs.kinds['tool']} ", "tool")
        short = one_line_arguments(part.get("arguments"))
        if short is not None and fmt.cells(name) + fmt.cells(short) + indent + 4 <= self.page.width:
            self.page.add(self.margin(indent), sign, (name, "strong"), (f"({short})", "text"))
        else:
            self.page.add(self.margin(indent), sign, (name, "strong"), ("(", "quiet"))
            self.page.value(part.get("arguments"), indent=indent + 4, fold=fold)
            self.page.add((" " * indent + "  )", "quiet"))
        if fold in self.results:
            arrow: Part = (" " * (indent + 2) + self.glyphs.arrow, "quiet")
            self.page.value(self.results[fold], indent=indent + 4, fold=fold + "r", lead=arrow)


def one_line_arguments(arguments: Any) -> str | None:
    """`city="Patiala", days=3`; None where they are no flat object."""
    if arguments is None or arguments == {}:
        return ""
    if not isinstance(arguments, dict) or any(isinstance(value, dict | list) for value in arguments.values()):
        return None
    texts = (f"{key}={json.dumps(value, ensure_ascii=False, default=str)}" for key, value in arguments.items())
    return fmt.plain(", ".join(texts))


def _without_messages(page: Document, span: SpanDetail, glyphs: fmt.Glyphs) -> None:
    if span.tool is not None:
        results = {} if span.tool.result is None else {"call": span.tool.result}
        name, arguments = span.tool.name or span.row.name, unwrapped(span.tool.arguments)
        Talk(page, glyphs, results).call({"name": name, "arguments": arguments}, "call", indent=0)
        if span.row.status == "running" and not results:
            page.add(("  " + fmt.RUNNING, "running"))
    elif span.documents:
        if span.input is not None and span.input.value is not None:
            page.value(span.input.value, indent=8, fold="in", lead=("query", "quiet"))
            page.gap()
        hits(page, span.documents)
    else:
        sides(page, span)


def unwrapped(arguments: Any) -> Any:
    """Arguments recorded as {"args": [], "kwargs": {…}} read as the keyword arguments they are."""
    if isinstance(arguments, dict) and set(arguments) == {"args", "kwargs"} and not arguments["args"]:
        return arguments["kwargs"]
    return arguments


def hits(page: Document, documents: Sequence[Hit]) -> None:
    """Documents of a retrieval, in the order they came."""
    page.rule("documents", str(len(documents)))
    for number, hit in enumerate(documents):
        score = "" if hit.score is None else f"{hit.score:.3g}"
        rank = number if hit.rank is None else hit.rank
        before = "" if hit.rank_before is None else f"  was {hit.rank_before + 1}"
        page.add(
            (f"{rank + 1:>2} ", "quiet"), (f"{score:>6} ", "json-number"), (fmt.plain(hit.id or ""), "strong"),
            (before, "quiet"),
        )  # fmt: skip
        if hit.content:
            page.text(hit.content, indent=10, fold=f"doc{number}")
        if hit.metadata:
            page.value(hit.metadata, indent=10, fold=f"docm{number}")


def sides(page: Document, span: SpanDetail) -> None:
    """Input and output as values, whole."""
    for title, side in (("input", span.input), ("output", span.output)):
        page.gap()
        page.rule(title)
        if side is None:
            waiting = title == "output" and span.row.status == "running"
            page.add((fmt.RUNNING, "running") if waiting else ("not recorded", "quiet"))
        elif side.messages:
            page.value(message_values(side.messages), fold=title, name=title)
        else:
            page.value(side.value, fold=title, name=title)
            media.list_within(page, side.value)


def message_values(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Messages in the public JSON shape."""
    return [{"role": message.role, "parts": list(message.parts)} for message in messages]
