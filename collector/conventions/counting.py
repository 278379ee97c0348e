"""Token counts out of whatever a provider, a framework or a backend calls "usage", in our one meaning.

Three habits are told apart:
- details within a total (OpenAI, LangChain's usage_metadata): {"prompt_tokens", "prompt_tokens_details": {…}}
- raw numbers beside each other (Anthropic's API): {"input_tokens", "cache_read_input_tokens"}
- buckets (Langfuse's): {"input", "input_cache_read", "output", …}, each token in one of them

Where the sender gave a total, arithmetic decides, whatever the names are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collector.conventions.values import decoded, integer

_INPUT = ("input_tokens", "prompt_tokens", "input", "promptTokens", "inputTokens", "prompt_token_count",
          "promptTokenCount", "input_token_count")  # fmt: skip
_OUTPUT = ("output_tokens", "completion_tokens", "output", "completionTokens", "outputTokens",
           "candidates_token_count", "candidatesTokenCount", "output_token_count")  # fmt: skip
_TOTAL = ("total_tokens", "total", "totalTokens", "total_token_count", "totalTokenCount")
_IN_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details", "inputTokenDetails")
_OUT_DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details", "outputTokenDetails")
_READ = frozenset({"cached_tokens", "cache_read", "cacheReadTokens", "cache_read_tokens", "cache_read_input_tokens",
                   "cached_input_tokens", "cachedInputTokens", "cached"})  # fmt: skip
_WRITE = frozenset({"cache_write_tokens", "cache_creation", "cache_creation_input_tokens", "cache_write",
                    "cacheWriteTokens", "cache_write_input_tokens", "cache_creation_tokens"})  # fmt: skip
_EPHEMERAL = frozenset({"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"})
_REASONING = frozenset({"reasoning_tokens", "reasoning", "reasoningTokens", "thoughts_token_count"})
_AUDIO = frozenset({"audio_tokens", "audio", "audioTokens"})
_BESIDE = {
    **{f"input_{name}": "cache_read_tokens" for name in _READ},
    **{f"input_{name}": "cache_write_tokens" for name in _WRITE | _EPHEMERAL},
    **{f"input_{name}": "audio_input_tokens" for name in _AUDIO},
    **{f"output_{name}": "reasoning_tokens" for name in _REASONING},
    **{f"output_{name}": "audio_output_tokens" for name in _AUDIO},
    "cache_read_input_tokens": "cache_read_tokens", "cache_creation_input_tokens": "cache_write_tokens",
    "cache_read_tokens": "cache_read_tokens", "cache_creation_tokens": "cache_write_tokens",
    "cache_write_tokens": "cache_write_tokens", "cached_content_token_count": "cache_read_tokens",
    "cachedContentTokenCount": "cache_read_tokens", "thoughts_token_count": "reasoning_tokens",
    "thoughtsTokenCount": "reasoning_tokens", "reasoning_tokens": "reasoning_tokens",
}  # fmt: skip
_GEMINI = frozenset({"promptTokenCount", "prompt_token_count"})
"""Google's input includes what was cached; its output does not include thoughts."""


def from_details(said: Mapping[str, Any]) -> dict[str, int]:
    """Counts by the names of `Usage`'s fields, and "total_tokens" where nothing else was said."""
    given_in, given_out, total = _first(said, _INPUT), _first(said, _OUTPUT), _first(said, _TOTAL)
    within: dict[str, int] = {}
    for part, count in _details(said):
        within[part] = within.get(part, 0) + count
    beside: dict[str, int] = {}
    for key, value in said.items():
        ours = _BESIDE.get(key)
        tokens = None if ours is None or ours in within else integer(value)
        if ours is not None and tokens is not None:
            beside[ours] = beside.get(ours, 0) + tokens
    out = {**within, **beside}
    if given_in is not None:
        out["input_tokens"] = given_in
    if given_out is not None:
        out["output_tokens"] = given_out
    _include(out, beside, total, gemini=not _GEMINI.isdisjoint(said))
    if total is not None and given_in is None and given_out is None:
        out["total_tokens"] = total
    return out


def _include(out: dict[str, int], beside: dict[str, int], total: int | None, *, gemini: bool) -> None:
    """Add to input and output what stands beside them, unless the total says that it is in them already."""
    given_in, given_out = out.get("input_tokens"), out.get("output_tokens")
    audio_in, audio_out = beside.get("audio_input_tokens", 0), beside.get("audio_output_tokens", 0)
    more_in = 0 if gemini else beside.get("cache_read_tokens", 0) + beside.get("cache_write_tokens", 0) + audio_in
    more_out = beside.get("reasoning_tokens", 0) + audio_out
    sums = (given_in or 0) + (given_out or 0)
    thoughts = 0 if "reasoning_tokens" in beside else out.get("reasoning_tokens", 0)
    if given_out is not None and thoughts and _apart(total, sums, thoughts, given_out):
        out["output_tokens"] = given_out + thoughts  # LangSmith's `wrap_gemini`: Google's numbers under other names
        return
    if total is not None and total == sums:
        return
    if total is not None and total == sums + more_out:
        more_in = 0
    elif total is not None and total == sums + more_in:
        more_out = 0
    if given_in is not None:
        out["input_tokens"] = given_in + more_in
    if given_out is not None:
        out["output_tokens"] = given_out + more_out


def _apart(total: int | None, sums: int, thoughts: int, given_out: int) -> bool:
    """Whether thoughts that are told as a part of the output are not in its number."""
    return thoughts > given_out if total is None else total == sums + thoughts


def _details(said: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for names, side in ((_IN_DETAILS, "input"), (_OUT_DETAILS, "output")):
        for name in names:
            given = decoded(said.get(name))
            if isinstance(given, dict):
                yield from _of_side(given, side)
                break


def _of_side(given: dict[str, Any], side: str) -> Iterator[tuple[str, int]]:
    written = next((name for name in given if name in _WRITE and integer(given[name])), None)
    for name, value in given.items():
        count = integer(value)
        if count is None:
            continue
        if side == "input" and name in _READ:
            yield "cache_read_tokens", count
        elif side == "input" and (name == written or (name in _WRITE | _EPHEMERAL and written is None)):
            yield "cache_write_tokens", count
        elif side == "output" and name in _REASONING:
            yield "reasoning_tokens", count
        elif name in _AUDIO:
            yield f"audio_{side}_tokens", count


def _first(said: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    for name in names:
        count = integer(said.get(name))
        if count is not None:
            return count
    return None
