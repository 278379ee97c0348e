"""What looks wrong is found whoever sends it, and the same story that went well is left in peace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collector.ingest import Ingest
from collector.limits import Limits
from collector.model import SIGNALS
from collector.settings import Settings
from collector.store.opening import open_reader
from tests.signals.wires import WIRES, Did

AGENT = Did("agent", "agent")
TOOLS = [{"type": "function", "function": {"name": "get_order", "parameters": {
    "type": "object", "required": ["order_id"], "properties": {"order_id": {"type": "integer"}}}}}]  # fmt: skip


def user(text: str) -> Any:
    return ("user", text)


def llm(*asked: Any, out: Any = ("assistant", "Fine."), **more: Any) -> Did:
    return Did("llm", asked=asked, said=(out,), **more)


def tool(arguments: Any, result: Any, name: str = "get_order", **more: Any) -> Did:
    return Did("tool", name, arguments, result, **more)


def call(arguments: Any, name: str = "get_order", call_id: str = "c1") -> Any:
    return ("call", name, arguments, call_id)


def answered(result: Any, answer: str, asked: str = "Where is order 1234567?") -> list[Did]:
    return [llm(user(asked), call({"order_id": 1234567}), ("result", result, "c1"), out=("assistant", answer))]


def turns(clock: str) -> list[Did]:
    return [llm(("system", "It is 10:01."), user("a"), usage=(9000, 10), read=8000),
            llm(("system", f"It is {clock}."), user("a"), ("assistant", "Fine."), user("b"), usage=(9000, 10),
                read=0 if clock != "10:01" else 8900)]  # fmt: skip


STORIES: dict[str, tuple[list[Did], list[Did]]] = {
    # kind: (a story that has it and nothing else, one like it that has nothing)
    "loop": ([tool({"order_id": 7}, "open")] * 3, [tool({"order_id": 7}, state) for state in ("open", "paid", "sent")]),
    "retries": ([llm(user("a"), error="429: slow down")] * 3 + [llm(user("a"))],
                [llm(user("a"), error="429: slow down"), llm(user("a"))]),
    "truncated": ([llm(user("a"), finish="length")], [llm(user("a"))]),
    "ignored_result": (answered({"error": "not found"}, "It was delivered."), answered({"error": "x"}, "It failed.")),
    "window": ([llm(user("a"), usage=(124_000, 100))], [llm(user("a"), usage=(12_400, 100))]),
    "cache": (turns("10:02"), turns("10:01")),
    "swallowed": ([Did("chain", "save", error="disk full")],
                  [Did("chain", "save", error="disk full"), Did("chain", "save")]),
    "orphan": ([Did("chain", "step", parent=77)], [Did("chain", "step")]),
    "unmetered": ([llm(user("a"), usage=None, model="my-model")], [llm(user("a"), model="my-model")]),
    "invented": ([llm(user("Where is my order?"), out=call({"order_id": 4821371}))],
                 [llm(user("Where is order 4821371?"), out=call({"order_id": 4821371}))]),
    "borrowed": ([llm(user("I am user 54321."), ("assistant", "Hi."), user("This is user 12345. My orders?"),
                      out=call({"user_id": 54321}))],
                 [llm(user("I am user 54321."), ("assistant", "Hi."), user("My orders?"),
                      out=call({"user_id": 54321}))]),
    "misread": (answered({"temperature": 88, "unit": "F"}, "It is 88 °C."),
                answered({"temperature": 88, "unit": "F"}, "It is 88 °F, or 31 °C.")),
    "unknown_tool": ([llm(user("order 7?"), out=call({"order_id": 7}, "get_odrer"), tools=TOOLS)],
                     [llm(user("order 7?"), out=call({"order_id": 7}), tools=TOOLS)]),
    "bad_arguments": ([llm(user("order 7?"), out=call({"order_id": "seven"}), tools=TOOLS)],
                      [llm(user("order 7?"), out=call({"order_id": 7}), tools=TOOLS)]),
    "altered_arguments": ([llm(user("order 7?"), out=call({"order_id": 7})), tool({"order_id": 8}, "ok")],
                          [llm(user("order 7?"), out=call({"order_id": 7})), tool({"order_id": 7}, "ok")]),
    "refusal": ([llm(user("a"), out=("assistant", "I'm sorry, but I can't help with that."))],
                [llm(user("a"), out=("assistant", "I'm sorry for the delay. Here it is."))]),
    "empty_retrieval": ([Did("retriever", "search", "plans", ())], [Did("retriever", "search", "plans", ("A plan.",))]),
}  # fmt: skip


def test_every_kind_has_a_story() -> None:
    assert set(STORIES) == set(SIGNALS) - {"abandoned"}  # which is about a process, and told by our SDK


@pytest.mark.parametrize("wire", WIRES)
def test_each_kind_is_found_as_each_convention_sends_it_and_only_there(wire: str, tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    wanted: dict[int, set[str]] = {}
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        for number, (kind, stories) in enumerate(STORIES.items()):
            for at, story in enumerate(stories, 2 * number + 1):
                receipt = ingest.write(WIRES[wire](at, [AGENT, *story]))
                assert receipt.rejected == 0
                wanted[at] = {kind} if at % 2 else set()
    with open_reader(path) as reader:
        found = {at: {one.kind for one in reader.signals(f"{at:032x}", Limits())} for at in wanted}
    told = {f"{list(STORIES)[(at - 1) // 2]} {'has' if at % 2 else 'has not'}": kinds for at, kinds in found.items()}
    assert told == {f"{list(STORIES)[(at - 1) // 2]} {'has' if at % 2 else 'has not'}": k for at, k in wanted.items()}
