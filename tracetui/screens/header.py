"""The line above a trace. Pure."""

from __future__ import annotations

from collector.store.rows import TraceRow
from tracetui import format as fmt
from tracetui.widgets.paint import Part


def trace_context(trace: TraceRow, now_ns: int, glyphs: fmt.Glyphs, width: int) -> tuple[list[Part], list[Part]]:
    """(left, right): whose run it is, and what it took so far."""
    left: list[Part] = [(f" {glyphs.back} ", "accent"), (fmt.plain(trace.name or "(no name)"), "strong")]
    if width >= 100:
        who = [trace.session_id, trace.user_id, trace.environment, *trace.tags[:3]]
        known = [fmt.clip(fmt.plain(text), 28) for text in who if text]
        left.append(("   " + f" {glyphs.dot} ".join(known), "quiet"))
    running = trace.status == "running"
    taken = fmt.duration(now_ns - trace.start_ns if running else trace.duration_ns, running=running)
    right: list[Part] = [
        (glyphs.states.get(trace.status, "?") + " ", trace.status),
        (f"{trace.status} " if width >= 100 or trace.status != "ok" else "", trace.status),
        (taken, "running" if running else "strong"),
    ]
    if trace.error_count:
        right.append((f"   {fmt.count(trace.error_count)} failed", "error"))
    if width >= 100:
        right.append((f"   {fmt.count(trace.llm_calls)} LLM  {fmt.count(trace.tool_calls)} tool", "quiet"))
        right.append((f"   {fmt.count(trace.span_count)} spans", "quiet"))
    used = trace.usage
    if used.input_tokens is not None or used.output_tokens is not None:
        right.append((f"   {fmt.tokens((used.input_tokens or 0) + (used.output_tokens or 0))}", "strong"))
        right.append((" tok", "quiet"))
        if used.cache_read_tokens and used.input_tokens and width >= 100:
            right.append((f" (cached {100 * used.cache_read_tokens // used.input_tokens}%)", "quiet"))
    if trace.llm_calls or trace.cost_nanousd is not None:
        right.append((f"   {fmt.money(trace.cost_nanousd)}", "strong"))
        if trace.unpriced_calls:
            right.append((f" +{trace.unpriced_calls}{' unpriced' if width >= 100 else ''}", "abandoned"))
    return left, [*right, (" ", "text")]
