"""Where exports go: whole files, and devices and pipes as they stand."""

from __future__ import annotations

import gzip
import json
import os
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.errors import StoreError
from collector.ingest import Ingest
from collector.model import Batch
from collector.protocols import native
from collector.settings import Settings
from tests.builders import make_llm
from tracetui.cli import main
from tracetui.files import destination, written


def test_a_file_is_there_when_it_is_complete_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl.gz"
    path.write_bytes(b"the one before")

    def break_off() -> None:
        with destination(path) as out:
            out.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert path.read_bytes() == b"the one before"
    with destination(path) as out:
        out.write(b"whole")
    assert gzip.decompress(path.read_bytes()) == b"whole"
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes among its files")
def test_what_is_no_plain_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with destination(pipe) as out:
        out.write(b"streamed")
    reader.join(20)
    assert (read, pipe.is_fifo()) == ([b"streamed"], True)


def test_a_link_stays_one_and_its_file_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "target.csv"
    target.write_text("old", "utf-8")
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    with destination(link) as out:
        out.write(b"new")
    assert (link.is_symlink(), target.read_text("utf-8")) == (True, "new")


def test_a_folder_that_is_not_there_is_named_and_so_is_the_file(tmp_path: Path) -> None:
    asked = tmp_path / "nowhere" / "out.jsonl"
    with pytest.raises(FileNotFoundError, match="there is no directory") as raised:
        written(asked, [(1, b"x")])
    assert raised.value.filename == str(asked)
    demo = CliRunner().invoke(main.cli, ["demo", "--headless", "--db", str(asked)])
    assert isinstance(demo.exception, StoreError)
    assert str(demo.exception) == f"cannot write {asked}: there is no directory {asked.parent}"


def test_what_a_program_had_no_time_to_write_is_told_beside_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    path.touch()
    waiting = tmp_path / "traces.db.spill-77"
    waiting.write_bytes(native.encode_batch(Batch("sdk", (make_llm(1),))))
    empty = CliRunner().invoke(main.cli, ["traces", "--db", str(path)])
    with Ingest(path, Settings(db=path)) as ingest:
        ingest.write(Batch("sdk", (make_llm(2),)))
    whole = CliRunner().invoke(main.cli, ["traces", "--db", str(path), "--json"])
    for ended in (empty, whole):
        assert f"{waiting.stat().st_size:,} bytes of spans wait in {path}.spill-*" in ended.stderr
    assert empty.exit_code == 1
    assert len(json.loads(whole.stdout)) == 1
    waiting.unlink()
    assert "spill" not in CliRunner().invoke(main.cli, ["traces", "--db", str(path)]).stderr
