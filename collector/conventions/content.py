"""What went in and what came out, from whichever attributes hold it.

Where several do, the first of these wins: structured messages (gen_ai.input.messages), messages in events, messages
flattened into attributes (gen_ai.prompt.N, llm.input_messages.N), what the kind is about (a query,
embedded texts, tool arguments), then `input.value` and `output.value`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from collector.conventions import flat
from collector.conventions.events import Said
from collector.conventions.found import Found
from collector.conventions.messages import conversation, messages, side, split_system, system
from collector.conventions.recorded import fuller_answer, fuller_request
from collector.conventions.values import by_mime, decoded, integer, mapping, shared, text
from collector.model import MODEL_KINDS, Content, Document, Message, Tool, Value


def content_of(found: Found, said: Said, kind: str | None, out: dict[str, Any]) -> None:
    """Fill `system`, `input` and `output` of `out`."""
    given, answer = _messages_in(found, said), _messages_out(found, said)
    if kind == "tool" and given and _is_call(given):
        given, answer = _of_tool(found, given, answer)
    head: tuple[Message, ...] = ()
    if "system" in found.slots:
        head = tuple(system(found.slots.get("system")))
    if given:
        leading, rest = split_system(given)
        out_input = Content(messages=rest) if rest else None
        if [one.parts for one in leading] != [one.parts for one in head]:  # some say them in both places
            head += leading
    else:
        out_input = _value_in(found, kind)
        if out_input is not None and out_input.messages:
            leading, rest = split_system(out_input.messages)
            head += leading
            out_input = Content(messages=rest) if rest else None
    if not head and "system_param" in found.slots:
        head = tuple(system(found.slots["system_param"]))
    if head:
        out["system"] = head
    if out_input is not None:
        out["input"] = out_input
    if "reasoning" in found.slots and (thought := text(found.slots["reasoning"])):
        answer = _with_reasoning(answer, thought)
    if answer:
        out["output"] = Content(messages=tuple(answer))
    elif (value := _value_out(found, kind)) is not None:
        out["output"] = value


def _with_reasoning(answer: list[Message], thought: str) -> list[Message]:
    """The answer with the reasoning that stands beside it."""
    part = {"type": "reasoning", "text": thought}
    if not answer:
        return [Message("assistant", (part,))]
    first = answer[0]
    if any(one["type"] == "reasoning" for one in first.parts):
        return answer
    return [replace(first, parts=(part, *first.parts)), *answer[1:]]


def _messages_in(found: Found, said: Said) -> list[Message]:
    slots = found.slots
    if "in_messages" in slots and _says(given := messages(slots["in_messages"], "user")):
        return given
    if "in_blob" in slots:
        given = _blob(slots["in_blob"], "user")
        if _says(given):
            return given
    if said.input:
        return said.input
    lists = found.lists
    if "prompts" in lists and _says(given := flat.prompt_messages(lists["prompts"], "user")):
        return given
    if "in" in lists and _says(given := flat.openinference_messages(lists["in"], "user")):
        return fuller_request(found, given)
    return []


def _says(given: list[Message]) -> bool:
    """Whether there is anything in them: a role alone (content left out on purpose, or a failed call) is nothing."""
    for message in given:  # noqa: SIM110 a generator would cost more than the loop
        if message.parts:
            return True
    return False


def _messages_out(found: Found, said: Said) -> list[Message]:
    slots = found.slots
    if "out_messages" in slots and _says(given := messages(slots["out_messages"], "assistant")):
        return given
    if "out_blob" in slots:
        given = _blob(slots["out_blob"], "assistant")
        if _says(given):
            return given
    if said.output:
        return said.output
    lists = found.lists
    if "completions" in lists and _says(given := flat.prompt_messages(lists["completions"], "assistant")):
        return given
    if "out" in lists and _says(given := flat.openinference_messages(lists["out"], "assistant")):
        return fuller_answer(found, given)
    return []


def _is_call(given: list[Message]) -> bool:
    """Whether messages on a tool's span are the call itself: nobody says anything but it."""
    return all(p["type"] in ("tool_call", "tool_result") for m in given for p in m.parts)


def _of_tool(found: Found, given: list[Message], answer: list[Message]) -> tuple[list[Message], list[Message]]:
    """The call that a tool's span puts into messages, into the slots of a call.

    Strands' first generation has the arguments in `gen_ai.tool.message`, which elsewhere holds the result.
    """
    slots = found.slots
    asked = next((p for m in given for p in m.parts), None)
    for p in (p for m in answer for p in m.parts):
        if p["type"] in ("tool_result", "text"):
            slots.setdefault("tool_result", p["result"] if p["type"] == "tool_result" else p["text"])
    if asked is not None and (asked["type"] == "tool_call" or answer):
        slots.setdefault("tool_arguments", asked.get("arguments", asked.get("result")))
        for slot, said in (("tool_id", asked.get("id")), ("tool_name", asked.get("name"))):
            if said is not None:
                slots.setdefault(slot, said)
    elif asked is not None:
        slots.setdefault("tool_result", asked["result"])
    return [], []


def _blob(value: Any, role: str) -> list[Message]:
    """`gen_ai.prompt` as one attribute: JSON of a list of messages or of a request, or just text."""
    value = decoded(value)
    return conversation(value, of_model=True, role=role) or messages(value, role)


def _value_in(found: Found, kind: str | None) -> Content | None:
    if "query" in found.slots:
        return Content(value=found.slots.get("query"))
    if "embeddings" in found.lists:
        texts = flat.embedded_texts(found.lists["embeddings"])
        if texts:
            return Content(value=texts[0] if len(texts) == 1 else list(texts))
    if kind in ("retriever", "reranker") and (query := _query(found)) is not None:
        return Content(value=query)
    if "in_value" in found.slots:
        return side(
            by_mime(found.slots.get("in_value"), found.slots.get("in_mime")), of_model=kind in MODEL_KINDS, role="user"
        )
    if "tool_arguments" in found.slots:
        return Content(value=decoded(found.slots.get("tool_arguments")))
    if kind == "prompt" and "template" in found.slots:
        variables = decoded(found.slots.get("template_variables"))
        return Content(value={"template": found.slots["template"], "variables": variables})
    if kind in MODEL_KINDS and "parameters" in found.slots:
        given = mapping(found.slots["parameters"]) or {}
        if text(given.get("inputText")) is not None:  # Amazon's own models
            return Content(value=given["inputText"])
    return None


def _query(found: Found) -> str | None:
    """The text that was looked for, from among a retriever's arguments."""
    given = decoded(found.slots.get("in_value"))
    if isinstance(given, dict) and isinstance(given.get("query_bundle"), dict):
        given = given["query_bundle"]  # LlamaIndex
    if not isinstance(given, dict):
        return None
    return text(given.get("query", given.get("query_str", given.get("question"))))


def _value_out(found: Found, kind: str | None) -> Content | None:
    if kind == "embedding" and (vectors := _vectors(found)) is not None:
        return vectors
    if "out_value" in found.slots:
        value = by_mime(found.slots.get("out_value"), found.slots.get("out_mime"))
        if kind in ("embedding", "retriever", "reranker") and (
            "embeddings" in found.lists or "documents" in found.lists
        ):
            return None  # the vectors, or the documents over again
        return side(value, of_model=kind == "llm", role="assistant")
    if "tool_result" in found.slots:
        return Content(value=decoded(found.slots.get("tool_result")))
    return None


def _vectors(found: Found) -> Content | None:
    """How many vectors came out, and of how many dimensions; the vectors themselves stay in the attributes."""
    slots = found.slots
    dimensions = integer(slots.get("dimensions"))
    vectors: Any = None
    if "vectors" in slots:
        vectors = decoded(slots["vectors"])
    elif "embeddings" in found.lists:
        vectors = [e["embedding.vector"] for e in flat.in_order(found.lists["embeddings"]) if "embedding.vector" in e]
    if isinstance(vectors, list) and vectors:
        first = decoded(vectors[0])
        if isinstance(first, list):
            return Content(value={"dimensions": dimensions or len(first), "count": len(vectors)})
        if isinstance(first, float | int):
            return Content(value={"dimensions": dimensions or len(vectors), "count": 1})
    return None if dimensions is None else Content(value={"dimensions": dimensions})


def tool_of(found: Found, kind: str | None, span_name: str) -> Tool | None:
    """The call that a tool's span ran. Its arguments are those of the tool where a wrapper's stand around them."""
    slots = found.slots
    name, call_id = text(found.slots.get("tool_name")), text(found.slots.get("tool_id"))
    arguments, result = found.slots.get("tool_arguments"), found.slots.get("tool_result")
    if kind != "tool":
        if "tool_arguments" in slots or "tool_result" in slots:
            return Tool(name, call_id, unwrapped(decoded(arguments)), decoded(result))
        return None
    if arguments is None:
        arguments = found.slots.get("in_value")
    if result is None:
        result = found.slots.get("out_value")
    if name is None:
        name = span_name.removeprefix("execute_tool ").strip() or None
    said = tool_message(decoded(result))
    if said is not None:
        return Tool(name, call_id or text(said.get("tool_call_id")), unwrapped(decoded(arguments)), _content(said))
    return Tool(name, call_id, unwrapped(decoded(arguments)), decoded(result))


def unwrapped(arguments: Value) -> Value:
    """{"args": [], "kwargs": {…}}, as decorators record a call, without the half that is empty."""
    if isinstance(arguments, dict) and arguments.keys() - {"sanitize_inputs_outputs"} == {"args", "kwargs"}:
        positional, named = arguments["args"], arguments["kwargs"]
        if not positional:
            return named
        if not named:
            return positional
    return arguments


def tool_message(result: Value) -> dict[str, Any] | None:
    """LangChain's message of a tool's answer, out of its envelopes; None where it is none."""
    said: Any = result
    if isinstance(said, dict) and said.keys() == {"output"}:
        said = said["output"]
    if not isinstance(said, dict):
        return None
    inner = said.get("kwargs" if "lc" in said else "data")
    if isinstance(inner, dict) and ("lc" in said or said.get("type") == "tool"):
        said = {"type": "tool", **inner}
    return said if said.get("type") == "tool" and "tool_call_id" in said else None


def _content(said: dict[str, Any]) -> Value:
    out: Value = decoded(said.get("content"))
    return out


def tool_output(result: Value) -> Value:
    """What the tool said, out of the message in which LangChain wraps it, or out of that message's repr()."""
    if isinstance(result, str):
        spelt = _TOOL_MESSAGE.fullmatch(result)
        return result if spelt is None else spelt[2]
    said = tool_message(result)
    return result if said is None else _content(said)


_TOOL_MESSAGE = re.compile(r"content=(['\"])(.*)\1 name='[^']*'(?: id='[^']*')? tool_call_id='[^']*'", re.DOTALL)


def definitions_of(found: Found) -> Value:
    if "definitions" in found.slots:
        said = found.slots.get("definitions")
        if not isinstance(said, list):
            said = shared(said)
        if not isinstance(said, list):
            return said  # type: ignore[no-any-return]
        each = [shared(one) for one in said]
        return each[0] if len(each) == 1 and isinstance(each[0], list) else each
    for family in ("tools", "functions"):
        if family in found.lists:
            return flat.tool_definitions(found.lists[family])
    return None


def _ranked_anew(after: tuple[Document, ...], candidates: flat.Elements) -> tuple[Document, ...]:
    """A reranker's documents, with where each stood among those it was given: by id, else by content."""
    stood: dict[str, int] = {}
    for rank, one in enumerate(flat.documents(candidates)):
        for name in (one.content, one.id):
            if name is not None:
                stood.setdefault(name, rank)
    return tuple([replace(one, rank_before=stood.get(one.id or "", stood.get(one.content or ""))) for one in after])


_LISTS = ("documents", "output", "results", "matches", "chunks", "nodes")


def _is_document(said: Any) -> bool:
    """An object with a content, or a text that is no program's name for an object ("<NodeWithScore(…)>")."""
    if isinstance(said, dict):
        return not said.keys().isdisjoint({"content", "text", "page_content", "id", "document"})
    return isinstance(said, str) and not said.startswith(("<", "Document("))


def documents_of(found: Found, kind: str | None) -> tuple[Document, ...]:
    if "documents" in found.lists:
        after = flat.documents(found.lists["documents"])
        return _ranked_anew(after, found.lists["candidates"]) if "candidates" in found.lists else after
    said = decoded(found.slots.get("documents"))
    if said is None and kind == "retriever":
        said = decoded(found.slots.get("out_value"))
        if isinstance(said, dict):
            said = next((said[name] for name in _LISTS if name in said), None)
        if not isinstance(said, list) or not all(_is_document(one) for one in said):
            return ()
    if isinstance(said, list):
        return tuple(
            [
                flat.document(one, rank) if isinstance(one, dict) else Document(content=text(one), rank=rank)
                for rank, one in enumerate(decoded(item) for item in said)
            ]
        )
    return ()
