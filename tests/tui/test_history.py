"""The filters asked for before: kept privately, each once, no more than fit."""

from __future__ import annotations

import stat
from pathlib import Path

from tracetui.history import MOST, MOST_CHARS, History


def test_the_newest_comes_first_and_each_once(tmp_path: Path) -> None:
    path = tmp_path / "state" / "filters"
    for text in ("kind:llm", "status:error", " kind:llm ", "", "a\nb", "x" * (MOST_CHARS + 1)):
        History(path).add(text)
    assert History(path).entries() == ["kind:llm", "status:error"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["filters"]


def test_it_is_bounded_and_two_explorers_share_it(tmp_path: Path) -> None:
    one, other = History(tmp_path / "filters"), History(tmp_path / "filters")
    assert one.entries() == other.entries() == []
    other.add("theirs")
    for number in range(MOST + 10):
        one.add(f"name:n{number}")
    assert len(one.entries()) == len(History(tmp_path / "filters").entries()) == MOST
    other.add("later")
    assert other.entries()[:2] == ["later", f"name:n{MOST + 9}"]


def test_a_file_that_cannot_be_read_or_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "filters").mkdir()
    history = History(tmp_path / "filters")
    history.add("kind:llm")
    assert history.entries() == ["kind:llm"]
    (tmp_path / "odd").write_bytes(b"\xff\xfe\x00\nkind:tool\n\x1b[31m\n" + b"y" * 5000)
    assert History(tmp_path / "odd").entries() == ["kind:tool"]
