"""Rows of costs as the public JSON shape, as flat columns for CSV, and as words. Pure."""

from __future__ import annotations

from collector.store.cost_rows import CostRow, Latency, Stat
from collector.store.costs import Costs
from tracetui import format as fmt
from tracetui.pieces import Json
from tracetui.shapes import dollars, rfc3339, usage_json


def cost_json(row: CostRow, found: Costs) -> Json:
    """One group. `by` maps what was grouped by to its text, null where not known. Of a stretch of time there are
    `start` and `end`; what was not asked for is null."""
    shape: Json = {"by": {one.name: key or None for one, key in zip(found.by, row.keys, strict=False)}}
    times = [found.times[key] for one, key in zip(found.by, row.keys, strict=False) if one.is_time]
    if times:
        start, end = max(start for start, _ in times), min(end for _, end in times)
        shape |= {"start": rfc3339(start), "start_ns": start, "end": rfc3339(end), "end_ns": end}
    split = row.split
    return shape | {
        "trace_count": row.traces,
        "span_count": row.spans,
        "error_count": row.errors,
        "error_rate": row.error_rate,
        "calls": row.calls,
        "llm_calls": row.llm_calls,
        "unpriced_calls": row.unpriced_calls,
        "usage": usage_json(row.usage),
        "cached": row.cached,
        "cost_usd": dollars(row.cost_nanousd),
        "cost_per_call_usd": _dollars(row.per_call_nanousd),
        "cost_per_trace_usd": _dollars(row.per_trace_nanousd),
        "cost_per_minute_usd": _dollars(row.per_minute_nanousd),
        "minutes": row.minutes,
        "cost_split_usd": None
        if split is None
        else {name: dollars(getattr(split, name)) for name in type(split).__slots__ if name != "saved"},
        "cache_saved_usd": None if split is None else dollars(split.saved),
        "duration": _latency(row.duration),
        "ttft": _latency(row.ttft),
        "scores": {name: _stat(one) for name, one in row.scores.items()},
        "metadata": {name: _stat(one) for name, one in row.metadata.items()},
    }


def flat(row: CostRow, found: Costs) -> dict[str, object]:
    """The same as columns with names like `usage.input_tokens`; texts that a spreadsheet would take for a formula get
    a quote before them."""
    out: dict[str, object] = {}

    def put(name: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                put(f"{name}.{key}" if name else str(key), inner)
        else:
            out[_harmless(name)] = _harmless(value) if isinstance(value, str) else value

    shape = cost_json(row, found)
    put("", shape.pop("by"))
    put("", shape)
    return out


def _harmless(text: str) -> str:
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _latency(one: Latency) -> Json:
    return {"p50_ns": one.p50_ns, "p95_ns": one.p95_ns, "p99_ns": one.p99_ns, "count": one.count}


def _stat(one: Stat) -> Json:
    return {"mean": one.mean, "deviation": one.deviation, "count": one.count}


def _dollars(nanousd: float | None) -> float | None:
    return None if nanousd is None else nanousd / 1e9


def percent(part: float | None) -> str:
    """`44%`, – when not known."""
    return fmt.UNKNOWN if part is None else f"{100 * part:.0f}%"


def share(row: CostRow, total: CostRow) -> str:
    if row.cost_nanousd is None or not total.cost_nanousd:
        return fmt.UNKNOWN
    return percent(row.cost_nanousd / total.cost_nanousd)
