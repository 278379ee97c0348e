"""One pass over a span's attributes: what fills which slot, and the lists that were flattened.

What to do with a key is worked out once and remembered: the keys of a program are few, and come again with every span.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.conventions.flat import Elements
from collector.conventions.found import Found
from collector.conventions.names import FAMILIES, GENAI, REQUEST, TEXTS, TOKENS
from collector.conventions.registry import HEARD_KEYS, HEARD_PREFIXES, META, PARAMS, SLOT_OF, whose
from collector.conventions.values import integer, text
from collector.model import Value

_INDEX_DIGITS = 9
_REMEMBERED = 16_384
_LONG_KEY = 200

Plan = tuple[int, str, int, str, int]
"""(what to do, slot or family, rank or index, the key's leaf in its list, convention)"""
_TEXT, _COUNT, _SLOT, _ELEMENT, _PARAM, _META, _NOTHING, _UNKNOWN = range(8)


def gather(attributes: Mapping[str, Value]) -> Found:
    texts: dict[str, str] = {}
    counts: dict[str, int] = {}
    slots: dict[str, Any] = {}
    lists: dict[str, Elements] = {}
    params: dict[str, Value] = {}
    meta: dict[str, Value] = {}
    ranks: dict[str, int] = {}
    conventions = 0
    plans = _plans.get
    for key, value in attributes.items():
        what, name, rank, leaf, convention = plans(key) or _plan(key)
        if what >= _NOTHING:
            conventions |= convention
            continue
        if what == _ELEMENT:
            elements = lists.get(name)
            if elements is None:
                elements = lists[name] = {}
            element = elements.get(rank)
            if element is None:
                elements[rank] = {leaf: value}
            else:
                element[leaf] = value
            conventions |= convention
            continue
        if value is None or value == "":
            continue
        conventions |= convention
        if what == _PARAM:
            params[name] = value
            continue
        if what == _META:
            meta[name] = value
            continue
        if ranks.get(name, 99) <= rank:
            continue
        if what == _TEXT:
            if type(value) is not str:
                value = text(value)
                if value is None:
                    continue
            texts[name] = value
        elif what == _COUNT:
            count = value if type(value) is int and value >= 0 else integer(value)
            if count is None:
                continue
            counts[name] = count
        else:
            slots[name] = value
        ranks[name] = rank
    return Found(texts, counts, slots, lists, params, meta, conventions)


def is_known(key: str) -> bool:
    """Whether some convention knows the key: reads it, or knows that it says nothing we have a field for."""
    return (_plans.get(key) or _plan(key))[0] != _UNKNOWN


def _plan(key: str) -> Plan:
    plan = _worked_out(key)
    if len(key) <= _LONG_KEY:
        if len(_plans) >= _REMEMBERED:
            _plans.clear()
            _plans.update(_KNOWN)
        _plans[key] = plan
    return plan


def _worked_out(key: str) -> Plan:
    head = key[: key.find(".", key.find(".") + 1)]
    if head in FAMILIES:
        family, convention = FAMILIES[head]
        plan = _element(family, key[len(head) + 1 :], convention)
        if plan is not None:
            return plan
    if key.startswith("gen_ai.request.functions."):
        plan = _element("functions", key[len(REQUEST) + 1 :], GENAI)
        if plan is not None:
            return plan
    if head == REQUEST:
        return (_PARAM, key[len(REQUEST) + 1 :], 0, "", GENAI)
    for prefix in ("gen_ai.openai.request.", "openai.request.", "gen_ai.retrieval.", "reranker."):
        if key.startswith(prefix):
            return (_PARAM, key[len(prefix) :], 0, "", GENAI if prefix[0] == "g" else 0)
    for what, prefixes in ((_META, META), (_PARAM, PARAMS)):
        for prefix in prefixes:
            if key.startswith(prefix):
                return (what, key[len(prefix) :], 0, "", whose(key))
    heard = key in HEARD_KEYS or key.startswith(HEARD_PREFIXES) or key.startswith(OF_OTHERS)
    return (_NOTHING if heard else _UNKNOWN, "", 0, "", whose(key))


OF_OTHERS = (
    "server.", "client.", "network.", "net.", "url.", "http.", "db.", "rpc.", "messaging.", "code.", "thread.",
    "process.", "exception.", "otel.", "host.", "telemetry.", "service.", "os.", "cloud.", "k8s.", "container.",
    "faas.", "peer.", "user_agent.", "source.", "destination.", "enduser.", "jsonrpc.", "tls.", "tracetui.",
    "langsmith.run.", "langsmith.answer.", "langsmith.extra.",
    "tool.", "graph.node.", "llm.prompt_template.", "llm.user", "llm.headers", "llm.is_streaming", "llm.chat.",
    "anthropic.", "openai.api.", "openai.response.", "gen_ai.openai.response.", "gen_ai.openai.api_",
    "gen_ai.is_streaming", "gen_ai.client.",
    "gen_ai.latency.", "gen_ai.system_fingerprint", "gen_ai.usage.num_sequences", "gen_ai.usage.type",
    "gen_ai.evaluation.", "eval.",
    "gen_ai.usage.details.", "gen_ai.usage.text.", "gen_ai.usage.image.", "gen_ai.usage.video.",
    "gen_ai.token.type", "gen_ai.tool.type", "gen_ai.tool.description", "gen_ai.output.type",
    "gen_ai.agent.", "gen_ai.execute_tool.", "gen_ai.workflow.", "gen_ai.prompt.variable.", "message.tool_calls.",
    "llm.cost.prompt_details.", "llm.cost.completion_details.", "prompt.vendor", "prompt.url", "instructor.",
    "agno.", "agent_framework.", "az.",
)  # fmt: skip
"""OpenTelemetry's names outside of GenAI, and what its GenAI and OpenInference say that no field of ours is for."""


def _element(family: str, rest: str, convention: int) -> Plan | None:
    """A leaf of a list. `rest` is what follows the list's name."""
    if family == "functions":  # llm.request.functions.N.name: the list's name has one word more
        name, _, rest = rest.partition(".")
        if name != "functions":
            return None
    index, _, leaf = rest.partition(".")
    if not (index.isascii() and index.isdecimal()) or len(index) > _INDEX_DIGITS:
        return None
    return (_ELEMENT, family, int(index), leaf, convention)


def _what(slot: str) -> int:
    return _TEXT if slot in TEXTS else _COUNT if slot in TOKENS else _SLOT


_KNOWN: dict[str, Plan] = {
    key: (_what(slot), slot, rank, "", convention) for key, (slot, rank, convention) in SLOT_OF.items()
}
_plans: dict[str, Plan] = dict(_KNOWN)
