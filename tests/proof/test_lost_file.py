"""A file that is deleted under a running collector is made anew, and the collector says which file it writes."""

from __future__ import annotations

from pathlib import Path

import httpx

from collector.protocols import otlp
from collector.receiver import probe
from collector.store import open_reader
from tests.builders import TRACE, make_part, span_id
from tests.proof.processes import listening, started

COLLECT = ("-m", "tracetui", "collect", "--json", "--http-port", "0", "--grpc-port", "0", "--db")
PROTOBUF = {"content-type": "application/x-protobuf"}


def test_spans_sent_after_the_file_was_deleted_are_in_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with started(*COLLECT, str(path), cwd=tmp_path) as child:
        port = listening(child)["ports"]["http"]

        def send(n: int) -> None:
            body = otlp.encode_traces_protobuf([make_part(n)])
            url = f"http://127.0.0.1:{port}/v1/traces"
            assert httpx.post(url, content=body, headers=PROTOBUF, trust_env=False).status_code == 200

        def writes() -> bool:
            status = probe("127.0.0.1", port)
            assert status is not None
            return status.writes(path)

        send(1)
        assert writes()
        for file in tmp_path.glob("traces.db*"):
            file.unlink()
        assert not writes()
        send(2)
        assert writes()
        with open_reader(path) as reader:
            assert [row.span_id for row in reader.tree_spans(TRACE)] == [span_id(2)]
        child.terminate()
        assert child.wait(10) == 0
    with open_reader(path) as reader:
        assert [row.span_id for row in reader.tree_spans(TRACE)] == [span_id(2)]
