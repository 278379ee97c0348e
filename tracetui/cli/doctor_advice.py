"""What somebody should do about what `tracetui doctor` found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
        out.append(
            f"{waiting:,} bytes of spans wait in {file['path']}.spill-*: the next traced program or collector reads "
            "them back, once the one that wrote them has ended"
        )
    if file.get("wal_bytes"):
        out.append(f"to move the file, take {file['path']}* or fold it first: `tracetui check --fold`")
    if answering.get("other_program"):
        out.append(
            f"{answering['address']} is taken by {answering['other_program']}; tracetui takes the next free port"
        )
    if taken := (answering.get("grpc") or {}).get("other_program"):
        out.append(f"{answering['grpc']['address']} is taken by {taken}; gRPC gets the next free port")
    if answering["listening"] and not answering.get("other_program") and not answering["same_file"]:
        out.append(f"the receiver on {answering['address']} writes another file: {answering['file']}")
    return out
