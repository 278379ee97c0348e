"""What a file is, is told from its bytes; a bad line costs only itself."""

from __future__ import annotations

import gzip
import io
import json
import random
import zlib
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.errors import DecodeError, TooLarge
from collector.importers import files, frames, lines
from collector.importers.inflate import zstd
from collector.model import Batch, Resource, Scope, SpanPart
from collector.protocols import jsonbody, native, otlp
from tests.builders import make_part, span_id
from tracetui.cli import main
from tracetui.cli.import_ import Bar


def make_sent(n: int) -> SpanPart:
    return make_part(n, resource=Resource({"service.name": "app"}), scope=Scope("lib"), attributes={"n": n})


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def span_ids(batches: list[Batch]) -> list[str]:
    return [part.span_id for batch in batches for part in batch.parts]


def refusals(batches: list[Batch]) -> list[str]:
    return [refusal.reason for batch in batches for refusal in batch.refused]


LINES = [otlp.encode_traces([make_sent(n)]) for n in (1, 2)]
BOTH = [span_id(1), span_id(2)]


def test_otlp_json_lines_are_read(tmp_path):
    batches = list(files.read(write(tmp_path / "x", b"\n".join(LINES) + b"\n")))
    assert span_ids(batches) == BOTH
    assert {batch.source for batch in batches} == {"import"}


def test_lines_of_otlp_become_few_large_batches(tmp_path):
    lines = b"".join(otlp.encode_traces([make_sent(n)]) + b"\n" for n in range(1, 451))
    batches = list(files.read(write(tmp_path / "x", lines)))
    assert [len(batch.parts) for batch in batches] == [400, 50]
    assert span_ids(batches) == [span_id(n) for n in range(1, 451)]


def test_metrics_between_spans_and_logs_are_counted_as_at_the_door(tmp_path):
    log = {"timeUnixNano": "1", "body": {"stringValue": "said"}, "traceId": "01" * 16, "spanId": "02" * 8}
    records = {"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]}
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": []}}]}]}]}
    lines = [json.dumps(metrics).encode(), LINES[0], json.dumps(records).encode(), json.dumps(metrics).encode()]
    batches = list(files.read(write(tmp_path / "x", b"\n".join(lines))))
    assert span_ids(batches) == [BOTH[0], "02" * 8]
    assert refusals(batches) == ["metrics are not stored"] * 2
    alone = list(files.read(write(tmp_path / "y", json.dumps([metrics], indent=1).encode())))
    assert refusals(alone) == ["metrics are not stored"]


def test_one_pretty_printed_otlp_document_is_read(tmp_path):
    pretty = json.dumps(json.loads(LINES[0]), indent=2).encode()
    assert span_ids(list(files.read(write(tmp_path / "x.txt", b"\xef\xbb\xbf\n" + pretty)))) == BOTH[:1]


def test_a_json_list_of_otlp_documents_is_read(tmp_path):
    assert span_ids(list(files.read(write(tmp_path / "x", b"[" + b",\n".join(LINES) + b"]")))) == BOTH


def test_otlp_protobuf_is_read(tmp_path):
    body = otlp.encode_traces_protobuf([make_sent(1), make_sent(2)])
    assert span_ids(list(files.read(write(tmp_path / "x.pb", body)))) == BOTH


def test_gzip_is_told_by_its_bytes_not_by_its_name(tmp_path):
    packed = gzip.compress(b"\n".join(LINES))
    assert span_ids(list(files.read(write(tmp_path / "x.jsonl", packed)))) == BOTH


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_a_packed_file_that_breaks_off_gives_what_came_before_and_says_so(tmp_path, pack):
    many = b"\n".join(otlp.encode_traces([make_sent(n)]) for n in range(1, 3000))
    read: list[Batch] = []
    with pytest.raises(DecodeError, match=f"{pack.__module__.split('.')[-1].lstrip('_')} file that breaks off"):
        read.extend(files.read(write(tmp_path / "x", pack(many)[:-2000])))
    assert span_ids(read)[:2] == BOTH


def test_what_came_before_the_break_is_all_there_is_and_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    body = b"".join(otlp.encode_traces([make_sent(n)]) + b"\n" for n in range(1, 800))
    packed = gzip.compress(body, 0)
    path = write(tmp_path / "x.gz", packed[: len(packed) - 70_000])
    whole = zlib.decompressobj(31).decompress(path.read_bytes()).count(b"\n")
    done = CliRunner().invoke(main.cli, ["import", str(path), "--db", "t.db", "--json"])
    assert done.exit_code == 1
    stored = json.loads(done.stdout)["stored"]
    assert whole - stored in (0, 1)
    assert f"{stored} stored" in done.stderr
    assert "what came before is imported" in done.stderr


def test_a_line_that_is_too_long_costs_only_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LINE_BYTES", 5000)
    content = b"\n".join([LINES[0], b'{"x": "' + b"a" * 12_000 + b'"}', LINES[1]])
    batches = list(files.read(write(tmp_path / "x", content)))
    assert span_ids(batches) == BOTH
    assert refusals(batches) == ["a line that is too long"]


def test_a_line_is_put_together_from_blocks_and_too_heavy_a_one_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BLOCK_BYTES", 16)
    monkeypatch.setattr(jsonbody, "LIGHT_BYTES", 1000)
    monkeypatch.setattr(lines, "MEMORY_BYTES", 100_000)
    heavy = b'{"x": [' + b"{}," * 2000 + b"{}]}"
    batches = list(files.read(write(tmp_path / "x", b"\n".join([LINES[0], heavy, LINES[1]]))))
    assert span_ids(batches) == BOTH
    assert refusals(batches) == [lines.HEAVY]
    record = json.dumps({"type": "user", "uuid": "u", "sessionId": "s", "timestamp": "2026-11-21T00:00:00Z"}).encode()
    log = b"\n".join([record, heavy, record])
    assert lines.HEAVY in refusals(list(files.read(write(tmp_path / "log", log))))
    with pytest.raises(TooLarge, match="small pieces"):
        list(files.read(write(tmp_path / "document", b"[" + heavy + b"]")))


def test_a_document_with_what_json_has_not_is_read_as_python_does(tmp_path):
    document = b'{"resourceSpans": [], "x": NaN,\n"resourceLogs": []}'
    assert list(files.read(write(tmp_path / "x", document))) == []


# --- the Collector's file exporter where it writes no lines


def framed(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(4, "big") + message for message in messages)


PROTO = [otlp.encode_traces_protobuf([make_sent(n)]) for n in (1, 2)]


@pytest.mark.parametrize(
    "content",
    [framed(*PROTO), framed(*map(zstd.compress, PROTO)), framed(*map(zstd.compress, LINES))],
    ids=["proto", "proto+zstd", "json+zstd"],
)
def test_messages_behind_their_length_are_read(tmp_path, content):
    assert span_ids(list(files.read(write(tmp_path / "x", content)))) == BOTH
    for pack in (gzip.compress, zstd.compress):
        assert span_ids(list(files.read(write(tmp_path / "y", pack(content))))) == BOTH
    cut = list(files.read(write(tmp_path / "x", content[:-5])))
    assert (span_ids(cut), refusals(cut)) == (BOTH[:1], ["a message that breaks off"])


def test_a_message_that_is_damaged_costs_only_itself(tmp_path):
    packed = [zstd.compress(one) for one in PROTO]
    broken = packed[0][:8] + b"\xff" * 8 + packed[0][16:]
    batches = list(files.read(write(tmp_path / "x", framed(packed[0], broken, packed[1]))))
    assert span_ids(batches) == BOTH
    (reason,) = refusals(batches)
    assert reason.startswith("OTLP that cannot be read: it ")


def test_a_message_that_is_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "PLAIN_BYTES", 10_000)
    batches = list(files.read(write(tmp_path / "x", framed(zstd.compress(b" " * 50_000), zstd.compress(PROTO[0])))))
    assert span_ids(batches) == BOTH[:1]
    assert refusals(batches) == ["OTLP that cannot be read: it breaks off, or inflates to too much"]


def test_a_bad_line_costs_only_itself(tmp_path):
    content = b"\n".join([LINES[0], b"{broken", b'{"type": "poem"}', LINES[1]])
    batches = list(files.read(write(tmp_path / "x", content)))
    assert span_ids(batches) == BOTH
    assert refusals(batches) == ["a line that is neither native nor OTLP JSON"] * 2


def test_a_stream_that_cannot_seek_is_read():
    class Pipe(io.BytesIO):
        def seek(self, *args: int) -> int:
            raise AssertionError("a pipe cannot seek")

    assert span_ids(list(files.read_stream(Pipe(b"\n".join(LINES)), "stdin"))) == BOTH


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"SQLite format 3\x00" + b"\x00" * 100, "open it with `tracetui"),
        (b'{"hello": 1}\n{"hello": 2}', "neither a native line nor OTLP"),
        (b'{\n"hello": 1}', "neither native lines nor OTLP"),
        (b"{\nno", "begins like JSON but is not"),
        (b"once upon a time", "is neither JSON lines"),
        ("{}\n".encode("utf-16"), "is text in UTF-16"),
    ],
)
def test_what_nobody_reads_is_a_sentence(tmp_path, content, message):
    with pytest.raises(DecodeError, match=message):
        list(files.read(write(tmp_path / "x", content)))


def test_a_missing_file_is_an_os_error_with_its_name(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(files.read(tmp_path / "none"))


@pytest.mark.parametrize("packed", [False, True])
def test_the_bar_of_an_import_moves_within_one_large_file(tmp_path, packed):
    path = tmp_path / ("large.jsonl.gz" if packed else "large.jsonl")
    noise = random.Random(1)  # does not pack
    lines = [native.encode(make_part(n, attributes={"x": noise.randbytes(2000).hex()})) for n in range(1, 1500)]
    body = "\n".join(lines).encode()
    path.write_bytes(gzip.compress(body, 1) if packed else body)
    size, seen = path.stat().st_size, []
    bar = Bar({path: size})
    move = bar._move
    for batch in files.read(path, told=partial(move, path)):
        assert batch.parts
        seen.append(bar.done)
    assert seen == sorted(seen)
    assert len({at for at in seen if 0 < at < size}) >= 2, "it moved, before it was at its end"
    assert seen[-1] == size
    move(path, None)
    assert bar.done == size
