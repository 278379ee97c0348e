from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.ingest import Ingest
from collector.protocols.native import decode
from collector.protocols.otlp import decode_traces
from collector.redact import Redactor
from collector.redact.sample import LOOKED_AT, SAMPLE_CHARS, sample
from collector.settings import Settings
from collector.store import open_reader
from tests.redact.corpus import SECRETS

KEEP = 6
"""So many characters of a secret are shown by its format alone (`sk-pro`, `https:`)."""


def shown(text: str) -> str:
    return sample(text, Redactor(b"k" * 32).text)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("seen", [8, 12, 20])
def test_a_secret_that_the_end_of_a_sample_would_halve_is_not_in_it(name: str, seen: int) -> None:
    secret = SECRETS[name]
    text = "x " * ((SAMPLE_CHARS - seen) // 2) + secret + " and so on"
    assert secret[KEEP:seen] not in shown(text)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_the_end_of_what_is_looked_at_halves_is_not_shown(name: str) -> None:
    secret = SECRETS[name]
    for seen in (8, 12, 20):
        before = "-----BEGIN PRIVATE KEY-----\n" + "A" * (LOOKED_AT - 29 - seen) + "\n"
        assert secret[KEEP:seen] not in shown(before + secret + " and so on")


def test_a_sample_is_short_and_what_is_no_secret_stays() -> None:
    text = "a span without an id " * 1000
    assert shown(text) == text[:SAMPLE_CHARS] == sample(text)
    assert shown("x" * 100_000) == ""


def test_the_ledger_never_holds_half_a_secret(tmp_path: Path) -> None:
    secret = SECRETS["openai project"]
    path = tmp_path / "traces.db"
    document = {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "x" * 260 + " " + secret}]}]}]}
    with Ingest(path, Settings(db=path), redactor=Redactor(b"k" * 32)) as ingest:
        ingest.write(decode_traces(json.dumps(document).encode(), "application/json"))
        ingest.write(decode([json.dumps({"type": "span", "name": "x" * 260 + " " + secret})]))
    with open_reader(path) as reader:
        told = [row for row in reader.ledger() if row.outcome == "rejected"]
    assert len(told) == 2
    for row in told:
        assert row.sample is not None
        assert secret[:12] not in row.sample
        assert secret[:12] not in row.reason
