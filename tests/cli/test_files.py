"""Where exports go: whole files, and devices and pipes as they stand."""

from __future__ import annotations

import gzip
import os
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.errors import StoreError
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
