"""`tracetui doctor` tells the settings that are tables, and what sampling left out."""

from __future__ import annotations

import json
from pathlib import Path

from collector.settings import resolve
from tracetui.cli.doctor_advice import advice
from tracetui.cli.doctor_facts import settings_in_force


def test_doctor_prints_rules_tables_and_whether_a_mask_is_set(tmp_path: Path) -> None:
    (tmp_path / "tracetui.toml").write_text(
        'sample_rate = 0.5\n[[sampling]]\nname = "health*"\nrate = 0\n[environments.production]\nredact = "pii"\n'
        '[[environments.production.sampling]]\ntag = "x"\nrate = 0.5\n'
    )
    found = resolve(cwd=tmp_path, env={}, user_config=tmp_path / "none", mask=str.upper)
    told = settings_in_force(found)
    assert json.loads(json.dumps(told)) == told
    assert told["sampling"] == {"value": ["name health*: 0"], "origin": str(tmp_path / "tracetui.toml")}
    assert told["environments"]["value"] == {"production": {"redact": "pii", "sampling": ["tag x: 0.5"]}}
    assert told["mask"] == {"value": "set", "origin": "argument"}
    assert told["capture_content"] == {"value": "full", "origin": "default"}


def test_doctor_says_that_sums_are_of_what_was_kept() -> None:
    report = {
        "versions": {"sqlite_full_text": True, "sqlite_wal_reset_bug": False},
        "file": {"ledger": {"sampled_out": 1234}},
        "receiver": {"listening": False},
    }
    assert [said for said in advice(report) if said.startswith("1,234 spans were left out by sampling")]


def test_doctor_says_what_could_not_be_sent_on() -> None:
    forward = {
        "url": "https://far",
        "refused": 3,
        "waiting_bodies": 2,
        "waiting_bytes": 4096,
        "trouble": "answered 503",
    }
    report = {
        "versions": {"sqlite_full_text": True, "sqlite_wal_reset_bug": False}, "file": {},
        "receiver": {"listening": True, "same_file": True, "address": "here", "forward": forward},
    }  # fmt: skip
    assert advice(report) == [
        "nothing can be sent on to https://far just now: answered 503; "
        "2 bodies (4,096 bytes) wait and will be tried again",
        "3 spans and records were not sent on to https://far: see why beside the source forward",
    ]
    report["receiver"]["forward"] = {**forward, "refused": 0, "trouble": None}
    assert advice(report) == []


def test_keys_are_not_printed(tmp_path: Path) -> None:
    env = {
        "TRACETUI_FORWARD": "https://user:w0rd@far.test/otlp", "TRACETUI_FORWARD_HEADERS": "x-api-key=s3cret",
        "TRACETUI_TOKEN": "s3cret",
    }  # fmt: skip
    told = settings_in_force(resolve(cwd=tmp_path, env=env, user_config=tmp_path / "none"))
    assert told["forward"]["value"] == "https://…@far.test/otlp"
    assert told["forward_headers"]["value"] == {"x-api-key": "set"}
    assert not [secret for secret in ("w0rd", "s3cret") if secret in json.dumps(told)]
