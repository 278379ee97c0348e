"""`tracetui` under a real terminal: the receiver as its child, and who holds the port."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from collector.settings import Settings
from tracetui.child import News, Receiver


class Heard:
    """What a receiver's thread told, waited for with a deadline."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self.told = threading.Event()

    def __call__(self, news: News) -> None:
        self.news.append(news)
        self.told.set()

    def first(self) -> News:
        assert self.told.wait(30), "the receiver said nothing"
        return self.news[0]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def settings(path: Path, port: int) -> Settings:
    return Settings(db=path, http_port=port, grpc_port=0)


def test_the_receiver_starts_is_joined_for_its_own_file_and_ends_with_its_parent(tmp_path: Path) -> None:
    port, heard, joined, other = free_port(), Heard(), Heard(), Heard()
    first = Receiver(settings(tmp_path / "traces.db", port))
    first.start(heard)
    second = Receiver(settings(tmp_path / "traces.db", port))
    third = Receiver(settings(tmp_path / "other.db", port))
    try:
        assert heard.first() == News(f"127.0.0.1:{port}", False, "")
        second.start(joined)
        assert joined.first() == News(f"127.0.0.1:{port}", True, "")
        third.start(other)
        news = other.first()
        assert news.listening != f"127.0.0.1:{port}"
        assert not news.joined
        assert f"Port {port} is held by tracetui" in news.notice
        assert "traces.db" in news.notice
        assert f"set OTEL_EXPORTER_OTLP_ENDPOINT=http://{news.listening}" in news.notice
    finally:
        for receiver in (third, second, first):
            receiver.stop()
    with socket.socket() as free:
        assert free.connect_ex(("127.0.0.1", port)) != 0


def test_a_receiver_that_cannot_start_says_why(tmp_path: Path) -> None:
    heard = Heard()
    receiver = Receiver(settings(tmp_path / "no" / "such" / "folder" / "traces.db", free_port()))
    receiver.start(heard)
    news = heard.first()
    receiver.stop()
    assert news.listening is None
    assert news.notice.startswith("The receiver did not start: ")


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (200, 50)])
def test_the_explorer_paints_and_quits_in_a_real_terminal(tmp_path: Path, columns: int, lines: int) -> None:
    import pexpect

    env = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    child = pexpect.spawn(
        sys.executable, ["-m", "tracetui", str(tmp_path / "traces.db")], dimensions=(lines, columns), env=env,
        encoding="utf-8", timeout=20, codec_errors="replace",
    )  # fmt: skip
    try:
        child.expect("does not exist yet")
        child.send("q")
        child.expect(pexpect.EOF)
    finally:
        child.close()
    assert child.exitstatus == 0
