"""Model calls: cut answers, refusals, full windows, calls that nobody can count."""

from __future__ import annotations

import re
from collections.abc import Iterator

from collector.seen import text_of, tool_calls
from collector.signals.trace import Signal, Trace

CUT = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_length", "max_length", "token_limit", "incomplete"}
)
REFUSED = frozenset({"refusal", "content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii",
                     "guardrail_intervened", "content_filtered"})  # fmt: skip
TOO_LONG = re.compile(
    r"context_length|context window|maximum context|prompt is too long|too many tokens|max.{0,9}tokens", re.I
)
_REFUSAL = re.compile(
    r"\s*(?:i['’]?m (?:very |really |so )?sorry,? (?:but )?|sorry,? (?:but )?|i apologi[sz]e,? (?:but )?"
    r"|unfortunately,? )?"
    r"(?:i (?:can['’]?t|cannot|can not|won['’]?t|will not|am (?:not able|unable) to|must decline to)"
    r"|i['’]m (?:not able|unable) to)"
    r" (?:help|assist|comply|provide|support|fulfil|create|generate|engage|participate|continue|do that|discuss|share|"
    r"answer|give|write|produce)\b",
    re.I,
)


def _reason(reasons: tuple[str, ...], known: frozenset[str]) -> str | None:
    return next((one for one in reasons if one.lower() in known), None)


def truncated(trace: Trace) -> Iterator[Signal]:
    """The token limit cut the answer."""
    for span in trace.calls:
        if reason := _reason(span.finish_reasons, CUT):
            tokens = span.usage.output_tokens
            text = f"the answer was cut by its token limit (finish reason {reason}"
            yield Signal("truncated", span.span_id, text + (f", {tokens:,} output tokens)" if tokens else ")"))


def refusal(trace: Trace) -> Iterator[Signal]:
    """The model declined, or a filter stopped it."""
    for span in trace.calls:
        if reason := _reason(span.finish_reasons, REFUSED):
            yield Signal("refusal", span.span_id, f"finish reason {reason}")
            continue
        if tool_calls(span.output):
            continue
        for one in span.output:
            said = next((str(p.get("refusal")) for p in one.message.parts if p.get("refusal")), None)
            text = said or text_of(one.message)
            if said or _REFUSAL.match(text):
                yield Signal("refusal", span.span_id, f"“{' '.join(text[:120].split())}”")
                break


def window(trace: Trace) -> Iterator[Signal]:
    """A context near the model's window, or beyond it."""
    for span in trace.calls:
        if span.status == "error":
            if TOO_LONG.search(f"{span.error_type or ''} {span.status_message or ''}"):
                why = (span.status_message or span.error_type or "")[:120]
                yield Signal("window", span.span_id, f"the prompt was longer than the model takes: {why}")
            continue
        used = (span.usage.input_tokens or 0) + (span.usage.output_tokens or 0)
        size = trace.window(span.provider, span.model) if used else None
        # A call that went well with more than the window holds shows that the table is wrong about it.
        if size and trace.limits.window_share * size <= used <= size:
            text = f"{used:,} of {size:,} tokens of {span.model}'s window are in use ({used / size:.0%})"
            yield Signal("window", span.span_id, text)


def unmetered(trace: Trace) -> Iterator[Signal]:
    """A call with neither usage nor price: it is in no sum."""
    for span in trace.calls:
        told = span.usage or span.cost_nanousd is not None or span.span_id in trace.metered_below
        if (
            span.status == "ok"
            and span.end_ns is not None
            and not told
            and not any(one.usage for one in trace.above(span))
        ):
            yield Signal(
                "unmetered", span.span_id, f"neither tokens nor a cost of {span.model or 'this call'} are known"
            )
