"""The tail on real files: SQLite written by another connection, files that come, go and are replaced."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.errors import StoreError
from tracetui.tail import Tail, watch


class Version:
    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)

    def data_version(self) -> int:
        return self.connection.execute("pragma data_version").fetchone()[0]


class News:
    """What the tail told, waited for with a deadline."""

    def __init__(self) -> None:
        self.told: list[bool] = []
        self.at: list[float] = []
        self.changed = threading.Condition()

    def __call__(self, reopened: bool) -> None:
        with self.changed:
            self.told.append(reopened)
            self.at.append(time.monotonic())
            self.changed.notify_all()

    def wait(self, condition: Callable[[list[bool]], object]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self.told), 5), self.told


def make_file(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode = wal")
    connection.execute("create table t(x)")
    connection.commit()
    return connection


def write(connection: sqlite3.Connection) -> None:
    with connection:
        connection.execute("insert into t values (1)")


@pytest.fixture
def tailing(tmp_path: Path) -> Iterator[Callable[..., News]]:
    tails: list[Tail] = []

    def begin(path: Path, **options: float) -> News:
        @contextmanager
        def open_reader() -> Iterator[Version]:
            try:
                version = Version(path)
            except sqlite3.Error as e:
                raise StoreError(str(e)) from e
            try:
                yield version
            finally:
                version.connection.close()

        news = News()
        tails.append(Tail(str(path), open_reader, news, **options))
        tails[0].start()
        return news

    yield begin
    for tail in tails:
        tail.stop()


def test_a_commit_is_noticed(tmp_path: Path, tailing: Callable[..., News]) -> None:
    connection = make_file(tmp_path / "traces.db")
    news = tailing(tmp_path / "traces.db")
    news.wait(lambda told: len(told) == 1)
    for count in (2, 3, 4):
        write(connection)
        news.wait(lambda told, count=count: len(told) >= count)
    assert not any(news.told)
    connection.close()


def test_many_commits_are_told_at_the_frame_rate(tmp_path: Path, tailing: Callable[..., News]) -> None:
    connection = make_file(tmp_path / "traces.db")
    news = tailing(tmp_path / "traces.db", frame_s=0.05)
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        write(connection)
    took = time.monotonic() - began
    assert 2 <= len(news.told) <= took / 0.05 + 2
    connection.close()


def test_a_file_that_is_not_there_is_waited_for(tmp_path: Path, tailing: Callable[..., News]) -> None:
    news = tailing(tmp_path / "traces.db")
    connection = make_file(tmp_path / "traces.db")
    news.wait(lambda told: any(told))
    told = len(news.told)
    write(connection)
    news.wait(lambda now: len(now) > told)
    connection.close()


def test_a_replaced_file_is_opened_again(tmp_path: Path, tailing: Callable[..., News]) -> None:
    path, other = tmp_path / "traces.db", tmp_path / "other.db"
    make_file(path).close()
    connection = make_file(other)
    news = tailing(path)
    connection.execute("pragma wal_checkpoint(truncate)")
    os.replace(other, path)
    news.wait(lambda told: any(told))
    connection.close()


def test_a_vanished_file_is_told(tmp_path: Path, tailing: Callable[..., News]) -> None:
    path = tmp_path / "traces.db"
    make_file(path).close()
    news = tailing(path)
    path.unlink()
    news.wait(lambda told: any(told))


def test_without_a_directory_to_watch_the_poll_does(tmp_path: Path) -> None:
    watch(str(tmp_path / "not" / "there.db"), threading.Event())()


def test_only_the_file_and_its_wal_wake(tmp_path: Path) -> None:
    wake = threading.Event()
    end = watch(str(tmp_path / "traces.db"), wake)
    (tmp_path / "something.else").write_text("x")
    assert not wake.wait(0.05)
    (tmp_path / "traces.db-wal").write_text("x")
    assert wake.wait(5)
    end()
