"""One pass over a span's attributes: what fills which slot, and the lists that were flattened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.conventions.flat import Elements
from collector.conventions.names import FAMILIES, GENAI, OPENINFERENCE, REQUEST, TABLE
from collector.model import Value

_INDEX_DIGITS = 9


@dataclass(slots=True)
class Found:
    """`slots` holds (rank, value) by slot, `lists` the flattened ones by family, `params` what the call asked for."""

    slots: dict[str, tuple[int, Any]] = field(default_factory=dict)
    lists: dict[str, Elements] = field(default_factory=dict)
    params: dict[str, Value] = field(default_factory=dict)
    conventions: int = 0

    def get(self, slot: str) -> Any:
        held = self.slots.get(slot)
        return None if held is None else held[1]


def gather(attributes: Mapping[str, Value]) -> Found:
    found = Found()
    slots = found.slots
    table, families = TABLE, FAMILIES
    conventions = 0
    for key, value in attributes.items():
        known = table.get(key)
        if known is not None:
            if value is None or value == "":
                continue
            slot, rank, convention = known
            held = slots.get(slot)
            if held is None or rank < held[0]:
                slots[slot] = (rank, value)
            conventions |= convention
            continue
        head = key[: key.find(".", key.find(".") + 1)]
        family = families.get(head)
        if family is not None:
            if _element(found.lists, family[0], key[len(head) + 1 :], value):
                conventions |= family[1]
        elif head == REQUEST:
            found.params[key[len(REQUEST) + 1 :]] = value
            conventions |= GENAI
        elif key.startswith(("gen_ai.", "llm.")):
            conventions |= GENAI if key[0] == "g" else OPENINFERENCE
            if key.startswith("gen_ai.openai.request."):
                found.params[key[22:]] = value
        elif key.startswith("openai.request."):
            found.params[key[15:]] = value
    found.conventions = conventions
    return found


def _element(lists: dict[str, Elements], family: str, rest: str, value: Value) -> bool:
    """Put a leaf into its list. `rest` is what follows the list's name."""
    if family == "functions":  # llm.request.functions.N.name: the list's name has one word more
        name, _, rest = rest.partition(".")
        if name != "functions":
            return False
    index, _, leaf = rest.partition(".")
    if not index.isdecimal() or len(index) > _INDEX_DIGITS:
        return False
    elements = lists.get(family)
    if elements is None:
        elements = lists[family] = {}
    number = int(index)
    element = elements.get(number)
    if element is None:
        elements[number] = {leaf: value}
    else:
        element[leaf] = value
    return True
