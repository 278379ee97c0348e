"""OpenAI's chat completions, completions and embeddings, and those of the many who speak like them."""

from __future__ import annotations

from typing import Any

from collector.protocols.llm import Said
from collector.protocols.llm.plainly import fields, plain, text, told

_NO_PARAMS = frozenset({"model", "messages", "prompt", "input", "tools", "functions", "encoding_format"})
_KEPT = ("role", "content", "tool_calls", "function_call", "refusal", "reasoning_content", "reasoning", "audio")
_TEXTS = frozenset({"content", "refusal", "reasoning_content", "reasoning"})


def params(body: dict[str, Any], without: frozenset[str]) -> dict[str, Any] | None:
    return {name: value for name, value in body.items() if name not in without and value is not None} or None


def chat_asked(body: dict[str, Any]) -> Said:
    return {
        "input": body.get("messages"),
        "tool_definitions": body.get("tools") or body.get("functions"),
        "params": params(body, _NO_PARAMS),
    }


def chat_answered(answer: Any) -> Said:
    said = told(answer)
    choices = [choice for choice in said.get("choices") or () if isinstance(choice, dict)]
    messages = [_message(fields(choice.get("message"))) for choice in choices]
    return _answered(said, messages, [choice.get("finish_reason") for choice in choices])


def _message(said: dict[str, Any]) -> dict[str, Any]:
    """What a later request says again as history, and nothing beside it."""
    return {"role": "assistant", **{name: said[name] for name in _KEPT if said.get(name)}}


def _answered(said: dict[str, Any], output: list[Any], reasons: list[Any]) -> Said:
    kept = {f"openai.response.{name}": said.get(name) for name in ("service_tier", "system_fingerprint")}
    usage = said.get("usage")
    return {
        "model": text(said.get("model")),
        "response_id": text(said.get("id")),
        "output": output or None,
        "finish_reasons": [str(reason) for reason in reasons if reason] or None,
        "usage": usage if isinstance(usage, dict) else None,
        "cost_usd": cost_of(usage) if isinstance(usage, dict) else None,
        "attributes": {name: value for name, value in kept.items() if isinstance(value, str)},
    }


def cost_of(usage: dict[str, Any]) -> float | None:
    """In dollars, where it is told: OpenRouter's (with what the model's own maker takes beside it, for those who bring
    their own key), Perplexity's total."""
    cost = usage.get("cost")
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    if usage.get("is_byok") is True:
        upstream = fields(usage.get("cost_details")).get("upstream_inference_cost")
        cost = sum(one for one in (cost, upstream) if isinstance(one, int | float))
    return float(cost) if isinstance(cost, int | float) and cost > 0 else None


class ChatGather:
    """A streamed chat completion: each choice's texts and tool calls, put together from their pieces."""

    def __init__(self) -> None:
        self.frame: dict[str, Any] = {}
        self.choices: dict[int, Choice] = {}

    @property
    def complete(self) -> bool:
        """Said to be finished; usage, which comes last, may be missing."""
        return bool(self.choices) and all(choice.reason for choice in self.choices.values())

    def take(self, item: Any) -> bool:
        said, fresh = fields(item), False
        frame = self.frame
        for name in ("id", "model", "service_tier", "system_fingerprint"):
            if name not in frame and said.get(name):
                frame[name] = said[name]
        usage = said.get("usage") or fields(said.get("x_groq")).get("usage")
        if usage is not None:
            frame["usage"] = plain(usage)
        for one in said.get("choices") or ():
            choice = fields(one)
            index = choice.get("index") or 0
            gathered = self.choices.get(index)
            if gathered is None:
                gathered = self.choices[index] = Choice()
            gathered.reason = choice.get("finish_reason") or gathered.reason
            if (delta := choice.get("delta")) is not None:
                fresh = gathered.take(fields(delta)) or fresh
            elif piece := text(choice.get("text")):
                fresh = gathered.take({"content": piece})
        return fresh

    def said(self) -> Said:
        choices = [self.choices[index] for index in sorted(self.choices)]
        return _answered(self.frame, [choice.message() for choice in choices], [choice.reason for choice in choices])


class Choice:
    """One choice of a streamed answer."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.texts: dict[str, list[str]] = {}
        self.blocks: list[Any] = []
        self.calls: dict[Any, dict[str, Any]] = {}
        self.whole: dict[str, Any] = {}

    def take(self, delta: dict[str, Any]) -> bool:
        fresh = False
        for name, value in delta.items():
            if not value or name == "role":
                continue
            if name in _TEXTS and type(value) is str:
                self.texts.setdefault(name, []).append(value)
            elif name == "content" and isinstance(value, list):
                for block in value:
                    self.block(plain(block))
            elif name == "tool_calls":
                for call in value:
                    self.call(fields(call))
            elif name in ("function_call", "audio"):
                merge(self.whole.setdefault(name, {}), plain(value))
            else:
                continue
            fresh = True
        return fresh

    def block(self, block: Any) -> None:
        """A list for content is Mistral's: pieces of a thought, which belong together, and whole blocks."""
        last = self.blocks[-1] if self.blocks else None
        if isinstance(block, dict) and isinstance(last, dict) and block.get("type") == last.get("type") == "thinking":
            said, more = last.get("thinking"), block.get("thinking")
            if isinstance(said, list) and isinstance(more, list):
                words = "".join(text(fields(one).get("text")) or "" for one in (*said, *more))
                last["thinking"] = [{"type": "text", "text": words}]
                return
        self.blocks.append(block)

    def call(self, piece: dict[str, Any]) -> None:
        """Calls are told apart by index; where a server leaves it out, an id begins a new one, and so does another
        id under the same index (Gemini numbers all of them 0)."""
        index = piece.get("index")
        if index is None:
            index = len(self.calls) - (0 if piece.get("id") or not self.calls else 1)
        elif index in self.calls and piece.get("id") and self.calls[index].get("id") not in (None, piece["id"]):
            index = ("again", piece["id"])
        merge(self.calls.setdefault(index, {}), {n: v for n, v in plain(piece).items() if n != "index"})

    def message(self) -> dict[str, Any]:
        said: dict[str, Any] = {"role": "assistant", **{name: "".join(got) for name, got in self.texts.items()}}
        if self.blocks:
            more = [{"type": "text", "text": said["content"]}] if "content" in said else []
            said["content"] = self.blocks + more
        if self.calls:
            said["tool_calls"] = list(self.calls.values())
        return {**said, **self.whole}


_NAMES = frozenset({"id", "type", "name"})


def merge(whole: dict[str, Any], piece: dict[str, Any]) -> None:
    """Add a piece of a tool call: texts are continued, names replaced."""
    for name, value in piece.items():
        before = whole.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            merge(before, value)
        elif isinstance(before, str) and isinstance(value, str) and name not in _NAMES:
            whole[name] = before + value
        else:
            whole[name] = value


def text_asked(body: dict[str, Any]) -> Said:
    return {"input": body.get("prompt"), "params": params(body, _NO_PARAMS)}


def text_answered(answer: Any) -> Said:
    said = told(answer)
    choices = [choice for choice in said.get("choices") or () if isinstance(choice, dict)]
    output = [{"role": "assistant", "content": choice.get("text") or ""} for choice in choices]
    return _answered(said, output, [choice.get("finish_reason") for choice in choices])


def embeddings_asked(body: dict[str, Any]) -> Said:
    given = body.get("input")
    if isinstance(given, list) and given and not isinstance(given[0], str):
        given = {"tokens": sum(len(one) if isinstance(one, list) else 1 for one in given)}
    return {"input": given, "params": params(body, _NO_PARAMS)}


def embeddings_answered(answer: Any) -> Said:
    """How many vectors, and of what length; not the vectors."""
    said = fields(answer)
    data = said.get("data") or []
    first = fields(data[0]).get("embedding") if data else None
    size = len(first) * 3 // 16 if isinstance(first, str) else len(first or ())  # base64 of four bytes each
    return {
        "model": text(said.get("model")),
        "output": {"embeddings": len(data), "dimensions": size},
        "usage": plain(fields(said.get("usage"))) or None,
    }
