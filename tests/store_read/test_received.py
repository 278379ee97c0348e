from __future__ import annotations

from collector.store.received import Reason, by_source
from collector.store.rows import LedgerRow

ROWS = [
    LedgerRow(500_001, "otlp-http", "", "received", "", 10, None),
    LedgerRow(500_001, "otlp-http", "", "rejected", "an all-zero id", 1, "the latest"),
    LedgerRow(500_001, "otlp-http", "genai", "stored", "", 6, None),
    LedgerRow(500_000, "langfuse", "", "received", "", 99, None),
    LedgerRow(500_000, "langfuse", "", "stored", "merged with another part of its span", 40, None),
    LedgerRow(500_000, "langfuse", "langfuse", "stored", "", 59, None),
    LedgerRow(500_000, "otlp-http", "", "received", "", 5, None),
    LedgerRow(500_000, "otlp-http", "", "rejected", "an all-zero id", 2, "an older one"),
    LedgerRow(500_000, "otlp-http", "", "rejected", "nested too deep", 9, None),
    LedgerRow(500_000, "otlp-http", "genai+openinference", "stored", "", 7, None),
]


def test_sources_are_summed_over_hours_the_busiest_first() -> None:
    langfuse, otlp = by_source(ROWS, {"langfuse": 500_000 * 3_600_000_000_000 + 61_000_000_000})
    assert (langfuse.source, langfuse.counts["stored"], langfuse.conventions) == ("langfuse", 99, {"langfuse": 59})
    assert langfuse.reasons == [], "to be merged is no reason to look at"
    assert otlp.counts == {
        "received": 15, "stored": 13, "duplicate": 0, "clipped": 0, "rejected": 12, "sampled_out": 0,
    }  # fmt: skip
    assert list(otlp.conventions.items()) == [("genai+openinference", 7), ("genai", 6)]
    assert otlp.reasons == [
        Reason("rejected", "nested too deep", 9, None), Reason("rejected", "an all-zero id", 3, "the latest"),
    ]  # fmt: skip
    assert langfuse.to_json()["last_seen"] == "2027-01-15T08:01:01Z"
    assert otlp.to_json()["last_seen"] == "2027-01-15T09:00:00Z"  # an older file knows the hour


def test_an_empty_ledger_has_no_sources() -> None:
    assert by_source([], {}) == []
