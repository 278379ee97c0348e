"""What somebody should do about what `tracetui doctor` found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.store.signals import MOST_WAITING
from tracetui import format as fmt


def advice(report: Mapping[str, Any]) -> list[str]:
    """What somebody should do about it, a sentence each."""
    out = []
    sqlite, file, answering = report["versions"], report["file"], report["receiver"]
    if not sqlite["sqlite_full_text"]:
        out.append("this Python's SQLite has no full-text search (FTS5): use another build of Python")
    if sqlite["sqlite_wal_reset_bug"]:
        out.append(
            f"SQLite {sqlite['sqlite']} has the WAL-reset bug; our lock file avoids it, but do not checkpoint "
            "the file with other tools while it is being written (fixed in 3.51.3, 3.50.7 and 3.44.6)"
        )
    if file.get("network"):
        out.append(f"{file['path']} is on {file['filesystem']}: no WAL there, and news is noticed by polling")
    if file.get("note"):
        out.append(file["note"])
    if left_out := (file.get("ledger") or {}).get("sampled_out"):
        out.append(fmt.left_out(left_out))
    if lost := file.get("lost"):
        out.append(f"{fmt.count(lost)} spans were lost before they reached the file: see why beside their source")
    if waiting := file.get("spill_bytes"):
        out.append(fmt.spilled(waiting, file["path"]))
    if (waiting := file.get("not_looked_at")) and not answering.get("same_file"):  # who receives is at it
        out.append(f"{fmt.unlooked(waiting, MOST_WAITING)}: `tracetui signals --look` does")
    if file.get("wal_bytes"):
        out.append(f"to move the file, take {file['path']}* or fold it first: `tracetui check --fold`")
    out += _sending_on(answering.get("forward") or {})
    if answering.get("other_program"):
        out.append(
            f"{answering['address']} is taken by {answering['other_program']}; tracetui takes the next free port"
        )
    if taken := (answering.get("grpc") or {}).get("other_program"):
        out.append(f"{answering['grpc']['address']} is taken by {taken}; gRPC gets the next free port")
    if answering["listening"] and not answering.get("other_program") and not answering["same_file"]:
        out.append(f"the receiver on {answering['address']} writes another file: {answering['file']}")
    return out


def _sending_on(forward: Mapping[str, Any]) -> list[str]:
    """What became of `--forward`, where it is not as it should be."""
    out, url = [], forward.get("url")
    if forward.get("trouble"):
        waiting = (
            f"{forward['waiting_bodies']:,} bodies ({forward['waiting_bytes']:,} bytes) wait and will be tried again"
        )
        out.append(f"nothing can be sent on to {url} just now: {forward['trouble']}; {waiting}")
    if forward.get("refused"):
        lost = fmt.count(forward["refused"])
        out.append(f"{lost} spans and records were not sent on to {url}: see why beside the source forward")
    return out
