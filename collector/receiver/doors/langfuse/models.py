"""Models and their prices: those that the file has seen or the settings price, by tracetui's own price list. They are
changed in the settings, under [prices], not here."""

from __future__ import annotations

import re
import time
from typing import Any

from starlette.responses import Response

from collector.errors import NotFound
from collector.model import Usage
from collector.pricing import Prices
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langfuse import asking
from collector.receiver.doors.langfuse.shapes import EPOCH
from collector.store import lookup
from collector.store.lookup import SPANS, Is

MANY = 1_000_000
"""Tokens whose price is asked for: what they cost in nano-dollars, by MANY and 1e9, is dollars a token."""


async def models(call: Call) -> Response:
    asking.only(call, "")
    seen = await call.ask(lambda reader: lookup.distinct(reader, SPANS, [Is("model", "set")], "model"))
    own = {name for name in call.house.settings.prices if not re.search(r"[*?\[/]", name)}
    names = sorted({*map(str, seen), *own})
    first = asking.offset_of(call)
    some = names[first : first + asking.limit_of(call)]
    return json_response({"data": [_model(call, name) for name in some], "meta": asking.meta(call, len(names))})


async def model(call: Call) -> Response:
    """Any model that the list knows, seen or not."""
    found = _model(call, call.path["id"])
    if not found["prices"]:
        raise NotFound(f"the price list knows no model {call.path['id']!r}; settings may, under [prices]")
    return json_response(found)


def _model(call: Call, name: str) -> dict[str, Any]:
    prices: Prices = call.house.keep("langfuse-prices", lambda: Prices(call.house.settings.prices))
    now = time.time_ns()
    plain = prices.quote(None, name, Usage(MANY, 0), now)
    asked = {
        "input": Usage(MANY, 0), "output": Usage(0, MANY), "input_cached_tokens": Usage(MANY, 0, MANY),
        "input_cache_creation": Usage(MANY, 0, 0, MANY),
    }  # fmt: skip
    found = {kind: prices.quote(None, name, usage, now)[0] for kind, usage in asked.items()}
    each = {kind: cost / MANY / 1e9 for kind, cost in found.items() if cost is not None}
    tier = {"id": name, "name": "Standard", "isDefault": True, "priority": 0, "conditions": [], "prices": each}
    return {
        "id": name, "modelName": name, "matchPattern": f"(?i)^({re.escape(name)})$", "startDate": None,
        "unit": "TOKENS", "inputPrice": each.get("input"), "outputPrice": each.get("output"), "totalPrice": None,
        "tokenizerId": None, "tokenizerConfig": None, "isLangfuseManaged": plain[1] == "table", "createdAt": EPOCH,
        "prices": {kind: {"price": price} for kind, price in each.items()}, "pricingTiers": [tier] if each else [],
    }  # fmt: skip
