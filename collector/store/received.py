"""What became of what arrived, by source: the ledger's rows summed up for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from collector.store.rows import LedgerRow

HOUR_NS = 3_600_000_000_000
SEEN = "seen:"
"""Before a source, in `meta`: when anything last came from it (Unix ns). The ledger itself has only its hour."""
OUTCOMES = ("received", "stored", "duplicate", "clipped", "rejected", "sampled_out")


@dataclass(slots=True)
class Reason:
    """Why something was cut, rejected or left out: how often, and one line of the latest."""

    outcome: str
    reason: str
    count: int
    sample: str | None


@dataclass(slots=True)
class SourceSum:
    """One door's sums over the whole file: parts of spans. `conventions` says as what the stored ones were read.

    `last_ns` is when anything last came: Unix ns, of files of older versions the beginning of that hour.
    """

    source: str
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    conventions: dict[str, int] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    last_ns: int = 0

    def to_json(self) -> dict[str, Any]:
        """{"source", "received", …, "conventions": {name: stored}, "reasons": […], "last_seen": RFC 3339}."""
        reasons = [asdict(reason) for reason in self.reasons]
        last_seen = datetime.fromtimestamp(self.last_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        said = {"source": self.source, **self.counts, "conventions": self.conventions, "reasons": reasons}
        return said | {"last_seen": last_seen}


def by_source(rows: Iterable[LedgerRow], seen: Mapping[str, int]) -> list[SourceSum]:
    """The sums of a ledger, whose rows come newest first: the busiest source first, its most frequent reason first.

    `seen` is the reader's `last_seen()`.
    """
    found: dict[str, SourceSum] = {}
    reasons: dict[tuple[str, str, str], Reason] = {}
    for row in rows:
        one = found.setdefault(row.source, SourceSum(row.source))
        one.counts[row.outcome] = one.counts.get(row.outcome, 0) + row.n
        one.last_ns = max(one.last_ns, row.hour * HOUR_NS, seen.get(row.source, 0))
        if row.outcome == "stored" and row.convention:
            one.conventions[row.convention] = one.conventions.get(row.convention, 0) + row.n
        if row.reason and row.outcome != "stored":
            known = reasons.get((row.source, row.outcome, row.reason))
            if known is None:
                known = reasons[row.source, row.outcome, row.reason] = Reason(row.outcome, row.reason, 0, row.sample)
                one.reasons.append(known)
            known.count += row.n
    for one in found.values():
        one.reasons.sort(key=lambda reason: (-reason.count, reason.reason))
        one.conventions = dict(sorted(one.conventions.items(), key=lambda item: -item[1]))
    return sorted(found.values(), key=lambda one: (-one.counts["received"], one.source))
