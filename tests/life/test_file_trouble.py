"""A file that cannot be had: the program goes on, what is lost is counted and said once, and the exit is on time."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from tests.life.program import (
    EXIT_S,
    SLACK_S,
    environment,
    run,
    seconds_of_exit,
    spans,
    statuses,
    warnings_of,
    write,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file systems")

WORK = """
@observe
def work(n): return n

"""
END = "\nprint(time.monotonic())\n"

LOCK = """
import sqlite3
with span("first"): pass
flush()
other = sqlite3.connect(os.environ["TRACETUI_DB"], isolation_level=None)
other.execute("begin immediate")
"""
NEXT = "pass\nwith span('next program'): pass\nassert __import__('collector').flush(50)"


def on_time(ended: subprocess.CompletedProcess[str]) -> bool:
    return seconds_of_exit(ended) < EXIT_S + SLACK_S


def test_a_full_queue_spills_and_is_read_back_by_the_same_program(tmp_path):
    code = f"""{WORK}
configure(queue_bytes=20_000)
{LOCK}
for n in range(300): work(n)
assert any("spill" in name for name in os.listdir())
other.execute("rollback"); other.close()
deadline = time.monotonic() + 30
while any("spill" in name for name in os.listdir()) and time.monotonic() < deadline:
    work(-1); flush()
"""
    ended = run(tmp_path, code)
    assert not list(tmp_path.glob("*.spill*"))
    found = [part.reading.output.value for part in parts(tmp_path) if part.name == "work"]
    assert sorted(n for n in found if n >= 0) == list(range(300))
    assert "dropped" not in ended.stderr


def parts(folder):
    from collector.store import open_reader

    with open_reader(folder / "traces.db") as reader:
        return [part for part in reader.parts() if part.end_ns is not None]


def test_an_exit_beside_a_locked_file_is_on_time_and_the_next_program_reads_what_was_spilled(tmp_path):
    ended = run(tmp_path, WORK + LOCK + "for n in range(50): work(n)\nwith span('open'): pass" + END)
    assert on_time(ended)
    assert len(warnings_of(ended)) <= 1
    run(tmp_path, NEXT)
    assert not list(tmp_path.glob("*.spill*"))
    assert len(spans(tmp_path / "traces.db")) == 53


@pytest.mark.slow
def test_an_exit_beside_a_locked_file_and_a_long_queue_is_on_time_and_what_is_lost_is_said_once(tmp_path):
    ended = run(tmp_path, WORK + LOCK + "for n in range(15_000): work(n)" + END)
    assert on_time(ended)
    told = [row for row in warnings_of(ended) if "dropped" in row]
    run(tmp_path, NEXT)
    kept = len(spans(tmp_path / "traces.db")) - 2
    lost = lost_by_the_ledger(tmp_path / "traces.db")
    assert len(told) == bool(lost)
    assert kept > 0
    assert kept + lost == 15_000


def lost_by_the_ledger(db):
    from collector.store import open_reader

    with open_reader(db) as reader:
        return sum(row.n for row in reader.ledger() if row.reason.startswith("lost before the file"))


def test_what_was_lost_at_an_exit_is_in_the_ledger_with_the_next_program(tmp_path):
    """An exit that may not wait at all: it spills a first piece, and a line that counts the rest."""
    code = f"""{WORK}
configure(exit_wait_s=0.0)
{LOCK}
for n in range(1_000): work(n)
"""
    ended = run(tmp_path, code + END)
    assert len([row for row in warnings_of(ended) if "dropped" in row]) == 1
    run(tmp_path, NEXT)
    kept, lost = len(spans(tmp_path / "traces.db")) - 2, lost_by_the_ledger(tmp_path / "traces.db")
    assert kept > 0
    assert lost > 0
    assert kept + lost == 1_000
    for _ in range(2):  # and counted once
        run(tmp_path, NEXT)
    assert lost_by_the_ledger(tmp_path / "traces.db") == lost


@pytest.mark.parametrize("how", ["deleted", "deleted with its -wal", "replaced"])
def test_a_file_that_goes_away_is_made_or_taken_anew(tmp_path, how):
    change = {
        "deleted": "os.unlink('traces.db')",
        "deleted with its -wal": "[os.unlink(name) for name in os.listdir() if name.startswith('traces.db')]",
        "replaced": "os.replace('other.db', 'traces.db')",
    }[how]
    if how == "replaced":
        run(tmp_path, "pass\nwith span('of another file'): pass", TRACETUI_DB=str(tmp_path / "other.db"))
    code = f"""
with span("before"): pass
assert flush()
{change}
with span("after"): pass
assert flush()
with span("at exit"): pass
"""
    ended = run(tmp_path, code + END)
    assert on_time(ended)
    assert warnings_of(ended) == []
    want = {"after", "at exit"} | ({"of another file"} if how == "replaced" else set())
    assert set(statuses(tmp_path / "traces.db")) == want


def test_a_directory_that_goes_away_is_told_once(tmp_path):
    (tmp_path / "sub").mkdir()
    code = f"""{WORK}
import shutil
work(0)
assert flush()
shutil.rmtree("sub")
for n in range(20): work(n)
assert not flush(1)
for n in range(20): work(n)
assert not flush(1)
"""
    ended = run(tmp_path, code + END, TRACETUI_DB=str(tmp_path / "sub" / "traces.db"))
    assert on_time(ended)
    causes = [row.split(":")[1].split()[0] for row in warnings_of(ended)]
    assert sorted(causes) == ["dropped", "write"]


@pytest.mark.slow
def test_a_file_may_not_grow_and_the_program_goes_on(tmp_path):
    """The limit stands in for a full disk: the file, its -wal and the spill file each hit it."""
    code = f"""{WORK}
import resource
configure(queue_bytes=200_000)
work("x"); flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
for n in range(2500): work(os.urandom(600).hex())
print(sum(n for cause, n in __import__("collector.sdk.api").sdk.api.QUEUE.failures.items() if "dropped" in cause) > 0)
"""
    ended = run(tmp_path, code + END)
    assert ended.stdout.split()[0] == "True"
    assert on_time(ended)
    causes = [row.split(":")[1].split()[0] for row in warnings_of(ended)]
    assert len(causes) == len(set(warnings_of(ended)))
    assert causes.count("dropped") == 1
    run(tmp_path, NEXT)
    assert len(spans(tmp_path / "traces.db")) > 100


def on_tmpfs(folder, size: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run a program with `disk` being a small file system of its own."""
    (folder / "disk").mkdir()
    shell = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
    inside = ["unshare", "-Urm", "sh", "-c", shell, str(folder / "disk")]
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("needs a user namespace that may mount")
    return subprocess.run(
        [*inside, sys.executable, str(write(folder, code))], cwd=folder, capture_output=True, text=True, timeout=60,
        env=environment(folder, TRACETUI_DB=str(folder / "disk" / "traces.db")), check=True,
    )  # fmt: skip


def test_on_a_full_disk_the_rest_is_dropped_and_counted_in_the_file_when_there_is_room_again(tmp_path):
    code = f"""{WORK}
from collector.store import open_reader
configure(queue_bytes=200_000)
work(0); assert flush()
fill = open("disk/filler", "wb", buffering=0)
try:
    while fill.write(bytes(10_000)) == 10_000: pass
except OSError: pass
fill.close()
for n in range(1, 2001): work(n)
assert not flush(1)
os.unlink("disk/filler")
work(2001)
deadline = time.monotonic() + 30
while not flush() and time.monotonic() < deadline: pass
with open_reader(os.environ["TRACETUI_DB"]) as reader:
    stored = len(reader.spans(limit=10_000))
    lost = sum(row.n for row in reader.ledger() if row.outcome == "rejected")
print(stored + lost, lost > 0)
"""
    ended = on_tmpfs(tmp_path, "3m", code)
    assert ended.stdout == "2002 True\n"
    assert len([row for row in warnings_of(ended) if "dropped" in row]) == 1
    assert len(warnings_of(ended)) <= 3


def test_an_exit_on_a_full_disk_is_on_time(tmp_path):
    code = f"""{WORK}
work(0); flush()
fill = open("disk/filler", "wb", buffering=0)
try:
    while fill.write(bytes(10_000)) == 10_000: pass
except OSError: pass
for n in range(1000): work(n)
"""
    ended = on_tmpfs(tmp_path, "3m", code + "fill.close()" + END)
    assert on_time(ended)
    (told,) = [row for row in warnings_of(ended) if "dropped" in row]
    assert "No space left" in told


def test_a_read_only_file_system_is_told_once(tmp_path):
    code = f"""{WORK}
import subprocess
subprocess.run(["mount", "-o", "remount,ro", "disk"], check=True)
work(1)
print(flush(1))
"""
    ended = on_tmpfs(tmp_path, "3m", code + END)
    assert ended.stdout.split()[0] == "False"
    assert on_time(ended)
    causes = [row.split(":")[1].split()[0] for row in warnings_of(ended)]
    assert sorted(causes) == ["dropped", "write"]
    assert "Read-only" in ended.stderr


WITHOUT_POWER = """
import ctypes
if os.geteuid() == 0 and sys.platform == "linux":  # root writes where it may not: give that power away
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    assert ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)()) == 0
"""


def test_a_directory_that_may_not_be_written_is_told_once(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    code = f"{WITHOUT_POWER}{WORK}\nfor n in range(20): work(n)\nprint(flush(1), work(7), flush(1))"
    ended = run(tmp_path, code + END, TRACETUI_DB=str(closed / "traces.db"))
    assert ended.stdout.split()[:3] == ["False", "7", "False"]
    assert on_time(ended)
    causes = [row.split(":")[1].split()[0] for row in warnings_of(ended)]
    assert sorted(causes) == ["dropped", "write"]
    assert list(closed.iterdir()) == []


NETWORK = """
import collector.store.files as files
files.filesystem_of = lambda path: "nfs4"
"""


def test_on_a_network_file_system_spans_arrive_without_a_wal(tmp_path):
    code = f"""{NETWORK}{WORK}
with span("outer"):
    work(0)
    assert flush()
    print(os.path.exists("traces.db-wal"))
    pid = os.fork()
    if not pid:
        work(1); flush()
        os._exit(0)
    os.waitpid(pid, 0)
    work(2)
"""
    ended = run(tmp_path, code + END)
    assert ended.stdout.split()[0] == "False"
    assert on_time(ended)
    assert warnings_of(ended) == []
    with closing(sqlite3.connect(tmp_path / "traces.db")) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("delete",)
    assert len(spans(tmp_path / "traces.db")) == 4


def test_a_network_file_system_without_locks_is_told_once_and_its_spans_are_spilled(tmp_path):
    code = f"""{NETWORK}{WORK}
import errno
import collector.store.lock as lock
def refuses(fd): raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
lock._try_lock = refuses
for n in range(5): work(n)
print(flush(1), flush(1))
"""
    ended = run(tmp_path, code + END)
    assert ended.stdout.split()[:2] == ["False", "False"]
    assert on_time(ended)
    assert len(warnings_of(ended)) == 1
    run(tmp_path, NEXT)

    assert len(spans(tmp_path / "traces.db")) == 6
