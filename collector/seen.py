"""A trace as its readers look at it: plain values of its spans, whoever keeps them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, overload

from collector.model import Document, Message, Tool, Usage, Value

NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Said:
    """A message and its name: equal names are equal messages (of the same role and parts)."""

    key: str
    message: Message


class Unread(Said):
    """A message that is read when somebody asks what it says: of a history that comes again with every call, most
    never is. `read` gives the message of a name."""

    __slots__ = ("_read",)
    _read: Callable[[str], Message]

    def __init__(self, key: str, read: Callable[[str], Message]) -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "_read", read)

    @property
    def message(self) -> Message:
        return self._read(self.key)


class Upto(Sequence[Said]):
    """The first messages of a list that others are the beginning of, too: each call of a conversation resends the one
    before, so that lists of their own would take the square of its length."""

    __slots__ = ("_of", "end")

    def __init__(self, of: list[Said], end: int) -> None:
        self._of, self.end = of, end

    @property
    def place(self) -> int:
        """Which list it is of."""
        return id(self._of)

    def __len__(self) -> int:
        return self.end

    def __iter__(self) -> Iterator[Said]:
        return islice(iter(self._of), self.end)

    @overload
    def __getitem__(self, at: int) -> Said: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Said]: ...
    def __getitem__(self, at: int | slice) -> Said | Sequence[Said]:
        if isinstance(at, slice):
            start, stop, step = at.indices(self.end)
            return self._of[start:stop:step] if step > 0 else self._of[: self.end][at]
        if not -self.end <= at < self.end:
            raise IndexError(at)
        return self._of[at if at >= 0 else self.end + at]

    def with_one(self, said: Said) -> Upto:
        """These and one more; the same list still, where nothing else goes on from here."""
        of = self._of if len(self._of) == self.end else self._of[: self.end]
        of.append(said)
        return Upto(of, self.end + 1)

    def in_common(self, other: Sequence[Said]) -> int:
        """How many messages both begin with for sure, because they stand in one list; 0 where that is not known."""
        return min(self.end, other.end) if isinstance(other, Upto) and other._of is self._of else 0


@dataclass(frozen=True, slots=True)
class Seen:
    """One span as the rules look at it. Fields mean what they mean in `model.Reading` and in the store's rows;
    `input_value` and `output_value` are what a side holds that is no conversation."""

    span_id: str
    parent_id: str | None = None
    name: str = ""
    kind: str = "span"
    status: str = "ok"
    start_ns: int = 0
    end_ns: int | None = None
    provider: str | None = None
    model: str | None = None
    usage: Usage = NO_USAGE
    cost_nanousd: int | None = None
    counted: bool = True
    error_type: str | None = None
    status_message: str | None = None
    agent_name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    system: Sequence[Said] = ()
    input: Sequence[Said] = ()
    output: Sequence[Said] = ()
    input_value: Value = None
    output_value: Value = None
    tool: Tool | None = None
    tool_name: str | None = None
    tool_definitions: Value = None
    documents: tuple[Document, ...] = ()
    finish_reasons: tuple[str, ...] = ()
    metadata: Mapping[str, Any] | None = None


def in_common(a: Sequence[Said], b: Sequence[Said]) -> int:
    """How many messages two histories begin with alike."""
    known = a.in_common(b) if isinstance(a, Upto) else 0
    most = min(len(a), len(b))
    if known == most:
        return most
    pairs = zip(a[known:most], b[known:most], strict=True)
    return next((at for at, (x, y) in enumerate(pairs, known) if x is not y and x.key != y.key), most)


def text_of(message: Message) -> str:
    """What it says in words: its text parts."""
    return "\n".join(str(part.get("text") or "") for part in message.parts if part.get("type") == "text")


def tool_calls(said: Sequence[Said]) -> list[dict[str, Any]]:
    return [part for one in said for part in one.message.parts if part.get("type") == "tool_call"]


def tool_results(said: Sequence[Said]) -> list[dict[str, Any]]:
    return [part for one in said for part in one.message.parts if part.get("type") == "tool_result"]


def unwrapped(value: Value) -> Value:
    """Arguments without the frame that decorators put around them."""
    if isinstance(value, dict) and set(value) == {"args", "kwargs"} and not value["args"]:
        return value["kwargs"]
    return value
