"""An independent recount of a file, and a picture of it that two equal stores share. Plain and slow on purpose."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from math import log2
from pathlib import Path
from typing import Any

from collector.store import open_reader

MODEL_KINDS = {"llm", "embedding", "reranker"}
SUMS = ("cost_nanousd", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
ALL_SUMS = (*SUMS, "audio_input_tokens", "audio_output_tokens")
QUARTER = 900 * 10**9


def rows(path: Path, sql: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql)]


def picture(path: Path) -> dict[str, Any]:
    """Everything that equal stores have in common: not the order of arrival, not when it was."""
    with open_reader(path) as reader:
        spans = sorted(repr(part) for part in reader.parts())
    hidden = {"id", "seq", "state", "seen_ns"}
    out: dict[str, Any] = {"spans": spans}
    for table in ("spans", "traces", "sessions", "users", "rollups", "histograms", "scores"):
        found = [{k: v for k, v in row.items() if k not in hidden} for row in rows(path, f"select * from {table}")]
        out[table] = sorted(json.dumps(row, sort_keys=True) for row in found)
    return out


def sums(path: Path) -> tuple[int, ...]:
    """(spans of models, calls, tokens in, tokens out) of a file whose sums equal a recount."""
    audit(path)
    (told,) = rows(path, "select count(*) as n from spans where kind = 'llm'")
    (row,) = rows(path, f"select {', '.join(f'sum({n}) as {n}' for n in ('llm_calls', *SUMS[1:3]))} from traces")
    return told["n"], *row.values()


def audit(path: Path) -> None:
    """Assert that counted, below, traces, sessions, users, rollups and histograms equal a recount."""
    everything = rows(path, "select * from spans")
    spans = [s for s in everything if s["start_ns"] is not None]
    counted = expected_counted(everything)
    for span in spans:
        assert span["counted"] == counted[span["trace_id"], span["span_id"]], span
    traces = {t["trace_id"]: t for t in rows(path, "select * from traces")}
    by_trace = defaultdict(list)
    for span in spans:
        by_trace[span["trace_id"]].append(span)
    assert set(by_trace) == set(traces)
    for trace_id, mine in by_trace.items():
        check_trace(traces[trace_id], mine)
    for table, member, sums in (("sessions", "session_id", SUMS), ("users", "user_id", SUMS[:3])):
        check_groups(rows(path, f"select * from {table}"), member, traces.values(), sums)
    check_rollups(path, spans, traces)


def carries(span: dict[str, Any]) -> bool:
    known = any(span[name] is not None for name in ("cost_nanousd", "input_tokens", "output_tokens"))
    return known and span["start_ns"] is not None


def expected_counted(spans: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    by_id = {(s["trace_id"], s["span_id"]): s for s in spans}
    below = set()
    for span in spans:
        if carries(span):
            at, seen = (span["trace_id"], span["span_id"]), set()
            while by_id[at]["parent_id"] != at[1]:
                at = (at[0], by_id[at]["parent_id"])
                if at not in by_id or at in seen:
                    break
                seen.add(at)
                below.add(at)
    counted = {key: int(key not in below) for key in by_id}
    for call in expected_calls([s for s in spans if s["kind"] in MODEL_KINDS and s["start_ns"] is not None]):
        if len(call) > 1:
            owner = min(call, key=lambda s: (not carries(s), in_order(s)))
            for span in call:
                key = span["trace_id"], span["span_id"]
                counted[key] = int(span is owner and (carries(span) or key not in below))
    return counted


def in_order(span: dict[str, Any]) -> tuple[Any, ...]:
    return span["start_ns"], span["trace_id"], span["span_id"]


def expected_calls(spans: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Groups of spans that name a call alike, joined until none of them share a span."""
    groups: list[list[dict[str, Any]]] = []
    by_id = defaultdict(list)
    for span in spans:
        for name in ("response_id", "call_key"):
            if span[name]:
                by_id[name, span[name].split("/")[0] if name == "call_key" else span[name]].append(span)
    for (name, key), mine in by_id.items():
        near = [mine] if name == "call_key" else [alike for some in pieces(mine) for alike in agreeing(some)]
        for alike in near:
            groups += pieces(alike) if not key.startswith("t") or name != "call_key" else copies(alike)
    return joined(groups, lambda s: {(s["trace_id"], s["span_id"])})


def joined(groups: list[list[dict[str, Any]]], marks: Any) -> list[list[dict[str, Any]]]:
    """Join groups as long as two have a mark in common."""
    out: list[list[dict[str, Any]]] = []
    for group in groups:
        mine = list(group)
        while others := [o for o in out if set().union(*map(marks, o)) & set().union(*map(marks, mine))]:
            out = [o for o in out if o not in others]
            mine += [span for o in others for span in o if span not in mine]
        out.append(mine)
    return out


def agreeing(spans: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    def names(span: dict[str, Any]) -> set[str]:
        return {n.split("/")[-1].lower() for n in (span["model"], span["request_model"]) if n} or {""}

    return joined([[span] for span in spans], names)


def pieces(group: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    group = sorted(group, key=in_order)
    calls = [[group[0]]]
    for span in group[1:]:
        reach = max(s["end_ns"] or s["start_ns"] for s in calls[-1])
        if span["start_ns"] > reach + 2 * 10**9:
            calls.append([])
        calls[-1].append(span)
    return calls


def copies(group: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    ways = defaultdict(list)
    for span in sorted(group, key=in_order):
        ways[span["project"], span["source_id"] is not None, span["call_key"][-2:]].append(span)
    most = max(map(len, ways.values()))
    return [p for at in range(most) for p in pieces([way[at] for way in ways.values() if at < len(way)])]


def total(found: list[int | None]) -> int | None:
    known = [n for n in found if n is not None]
    return sum(known) if known else None


def unpriced(span: dict[str, Any]) -> bool:
    known = span["cost_nanousd"] is not None
    return not known and bool(span["counted"]) and span["kind"] in MODEL_KINDS and span["status"] == "ok"


def check_trace(trace: dict[str, Any], spans: list[dict[str, Any]]) -> None:
    want = {
        "span_count": len(spans),
        "running_count": sum(s["status"] == "running" for s in spans),
        "error_count": sum(s["status"] == "error" for s in spans),
        "llm_calls": sum(s["kind"] == "llm" and s["counted"] for s in spans),
        "tool_calls": sum(s["kind"] == "tool" for s in spans),
        "unpriced_calls": sum(map(unpriced, spans)),
        "start_ns": min(s["start_ns"] for s in spans),
        "end_ns": max((s["end_ns"] for s in spans if s["end_ns"] is not None), default=None),
    }
    for name in ALL_SUMS:
        want[name] = total([s[name] for s in spans if s["counted"]])
    from_root = sorted(spans, key=lambda s: (s["parent_id"] is not None, s["start_ns"], s["span_id"]))
    want["root_span_id"] = from_root[0]["span_id"]
    want["root_status"] = from_root[0]["status"]
    want["name"] = next((s["trace_name"] for s in from_root if s["trace_name"]), from_root[0]["name"])
    for name in ("session_id", "user_id", "service", "environment"):
        want[name] = next((s[name] for s in from_root if s[name] is not None), None)
    tags = sorted({tag for s in spans for tag in json.loads(s["tags"] or "[]")})
    metadata: dict[str, Any] = {}
    for span in reversed(from_root):
        metadata.update(json.loads(span["metadata"] or "{}"))
    assert json.loads(trace["tags"] or "[]") == tags
    assert json.loads(trace["metadata"] or "{}") == metadata
    assert {name: trace[name] for name in want} == want


def check_groups(groups: list[dict[str, Any]], member: str, traces: Any, sums: tuple[str, ...]) -> None:
    by_name = defaultdict(list)
    for trace in traces:
        if trace[member] is not None:
            by_name[trace[member]].append(trace)
    assert {g[member] for g in groups} == set(by_name)
    for group in groups:
        mine = by_name[group[member]]
        want = {"trace_count": len(mine), "first_ns": min(t["start_ns"] for t in mine),
                "last_ns": max(t["start_ns"] for t in mine)}  # fmt: skip
        for name in (
            "error_count",
            "llm_calls",
            "unpriced_calls",
            *(("span_count", "tool_calls") if len(sums) > 3 else ()),
        ):
            want[name] = sum(t[name] for t in mine)
        for name in sums:
            want[name] = total([t[name] for t in mine])
        assert {name: group[name] for name in want} == want


def check_rollups(path: Path, spans: list[dict[str, Any]], traces: dict[str, dict[str, Any]]) -> None:
    want: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    buckets: dict[tuple[Any, ...], int] = defaultdict(int)
    for s in spans:
        key = (s["start_ns"] // QUARTER, s["model"] or "", s["provider"] or "", s["service"] or "",
               s["environment"] or "", s["kind"], traces[s["trace_id"]]["dims"])  # fmt: skip
        row = want[key]
        row["spans"] += 1
        row["errors"] += s["status"] == "error"
        row["duration_ns"] += s["duration_ns"] or 0
        row["unpriced_calls"] += unpriced(s)
        if s["counted"]:
            row["calls"] += s["kind"] in MODEL_KINDS
            for name in ALL_SUMS:
                row[name] += s[name] or 0
        for metric, value in (("duration", s["duration_ns"]), ("ttft", s["ttft_ns"])):
            if value is not None:
                buckets[*key, metric, int(4 * log2(value)) if value > 1 else 0] += 1
    names = ("quarter", "model", "provider", "service", "environment", "kind", "dims")
    found = {tuple(r[n] for n in names): r for r in rows(path, "select * from rollups")}
    assert set(found) == set(want)
    for key, row in want.items():
        assert {name: found[key][name] for name in row} == dict(row)
    keys = {row["key"]: key for key, row in found.items()}
    stored = {(*keys[h["key"]], h["metric"], h["bucket"]): h["n"] for h in rows(path, "select * from histograms")}
    assert stored == {k: n for k, n in buckets.items() if n}
    check_days(path, found.values(), stored)


def check_days(path: Path, quarters: Any, stored: dict[tuple[Any, ...], int]) -> None:
    """Days are the sums of their quarter hours."""
    names = ("model", "provider", "service", "environment", "kind", "dims")
    want: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in quarters:
        for name, value in row.items():
            if name not in (*names, "key", "quarter"):
                want[row["quarter"] // 96, *(row[n] for n in names)][name] += value
    found = {(r["day"], *(r[n] for n in names)): r for r in rows(path, "select * from days")}
    assert set(found) == set(want)
    for key, sums in want.items():
        assert {name: found[key][name] for name in sums} == dict(sums)
    buckets: dict[tuple[Any, ...], int] = defaultdict(int)
    for (quarter, *rest), n in stored.items():
        buckets[quarter // 96, *rest] += n
    ids = {row["id"]: key for key, row in found.items()}
    of_days = {(*ids[h["id"]], h["metric"], h["bucket"]): h["n"] for h in rows(path, "select * from day_histograms")}
    assert of_days == dict(buckets)
