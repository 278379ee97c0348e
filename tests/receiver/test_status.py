"""What the status and `tracetui doctor` tell of every source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector.model import Rank, SpanPart
from collector.protocols import otlp
from tests.receiver.running import running, settings_for
from tracetui.cli.main import cli

JSON = {"content-type": "application/json"}
PROTOBUF = {"content-type": "application/x-protobuf"}


def body(**attributes: Any) -> bytes:
    part = SpanPart("a" * 32, "b" * 16, Rank.FINISHED, 2, name="n", start_ns=1, end_ns=2, attributes=attributes)
    return otlp.encode_traces_protobuf([part])


def test_every_source_is_told_with_reasons_samples_and_unmapped_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(settings_for(tmp_path), real=True) as up:
        sent = body(**{"gen_ai.request.model": "m", "acme.odd": 1})
        assert up.client.post("/v1/traces", content=sent, headers=PROTOBUF).is_success
        assert up.client.post("/v1/traces", content=sent, headers=PROTOBUF).is_success
        assert up.client.post("/v1/traces", content=b"{", headers=JSON).status_code == 400
        assert up.client.post("/v1/metrics", content=b"", headers=PROTOBUF).is_success
        assert up.client.get("/v1/status", headers={"host": "evil.example"}).status_code == 403
        said = up.client.get("/v1/status?keys=1").json()
        assert "unmapped_keys" not in up.client.get("/v1/status").json()
        [source] = said["sources"]
        reasons = {why["reason"]: why for why in source.pop("reasons")}
        last = datetime.fromisoformat(source.pop("last_seen"))
        assert timedelta() <= datetime.now(UTC) - last < timedelta(minutes=1)
        assert source == {
            "source": "otlp-http", "received": 4, "stored": 1, "duplicate": 1, "clipped": 0, "rejected": 2,
            "sampled_out": 0, "conventions": {"genai": 1},
        }  # fmt: skip
        assert set(reasons) == {"the body is not what its type says", "metrics are not stored"}
        assert reasons["the body is not what its type says"]["sample"].startswith("/v1/traces: an OTLP body")
        assert [one["key"] for one in said["unmapped_keys"]] == ["acme.odd"]
        assert said["turned_away"] == {"403 foreign Host": 1}
        monkeypatch.setenv("TRACETUI_HTTP_PORT", str(up.status.http_port))
        told = CliRunner().invoke(cli, ["doctor", "--db", str(tmp_path / "traces.db")]).output
    assert "from otlp-http: 4 received, 1 stored, 1 duplicate, 2 rejected; last 20" in told
    assert "  read as genai 1" in told
    assert "  1 rejected, the body is not what its type says: /v1/traces: an OTLP body" in told
    assert "  acme.odd " in told


def test_a_file_that_is_gone_does_not_keep_the_receiver_from_saying_who_it_is(tmp_path: Path) -> None:
    with running(settings_for(tmp_path)) as up:  # whose file is empty, and so none of ours
        said = up.client.get("/v1/status").json()
    assert (said["service"], said["sources"]) == ("tracetui", [])
