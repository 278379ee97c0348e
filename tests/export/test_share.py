"""`tracetui share`: whole traces, redacted, in a file of their own; what was found is counted, never shown."""

from __future__ import annotations

import json
import sqlite3
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from collector.model import Content, Message, Process, Reading, SpanPart
from collector.store import open_reader
from tests.builders import MS, T0, make_part, trace_id
from tests.store_read.files import write
from tests.tui.test_hands import PNG
from tracetui.cli import main

MAIL, OTHER_MAIL, PHONE = "ann.lee@example.com", "bob@example.org", "+49 151 23456789"
KEY = "sk-proj-" + "Ab1" * 16


def said(*texts: str) -> Content:
    picture = {"type": "image", "mime_type": "image/png", "data": PNG}
    parts = (*({"type": "text", "text": text} for text in texts), picture)
    return Content(messages=(Message("user", parts),))


def trace(n: int, *texts: str, name: str = "agent") -> list[SpanPart]:
    reading = Reading(kind="llm", model="gpt-4o", provider="openai", input=said(*texts), user_id=f"user {n}")
    first = T0 + n * 10**9
    return [
        make_part(1, trace=trace_id(n), name=name, start_ns=first, end_ns=first + MS, process_id="p1"),
        make_part(2, parent=1, trace=trace_id(n), name="chat", start_ns=first, end_ns=first + MS, reading=reading,
                  attributes={"note": f"call {PHONE}"}, process_id="p1"),
    ]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    texts = (f"I am {MAIL}, write to {MAIL} or {OTHER_MAIL}", f"key {KEY}")
    process = Process("p1", 4711, T0, host="secret-host", command="agent --customer acme")
    return write(tmp_path / "traces.db", *trace(1, *texts), *trace(2, "harmless", name="other"), processes=[process])


def run(*words: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main.cli, ["share", *(str(word) for word in words)])
    assert result.exit_code == code, result.output
    return result


def everything(path: Path) -> str:
    """Every text of a file, whatever table it is in."""
    raw = path.read_bytes()
    with sqlite3.connect(path) as connection:
        rows = [str(row) for (sql,) in connection.execute("select name from sqlite_master where type = 'table'")
                for row in connection.execute(f'select * from "{sql}"')]  # fmt: skip
    connection.close()
    return raw.decode("latin-1") + "\n".join(rows)


def test_a_share_holds_no_secret_and_counts_what_was_found(file: Path) -> None:
    result = run("--db", file, "-o", "out.db")
    assert "2 traces, 4 spans: written to out.db" in result.stdout
    found = dict(reversed(line.split()) for line in result.stdout.splitlines() if line.startswith("    "))
    assert found["EMAIL"] == "2"
    assert found["PHONE"] == "1"
    assert len(found) == 3
    assert "2 pictures or files" in result.stdout
    held = everything(Path("out.db"))
    for secret in (MAIL, OTHER_MAIL, PHONE, KEY, "secret-host", "acme", "user 1"):
        assert secret not in held, secret
        assert secret not in result.output
        assert secret in everything(file), secret
    assert stat.S_IMODE(Path("out.db").stat().st_mode) == 0o600
    assert sorted(path.name for path in Path().glob("out.db*")) == ["out.db"]


def test_equal_values_stay_equal_in_it_and_differ_between_shares(file: Path) -> None:
    marks = set()
    for name in ("one.db", "two.db"):
        run("--db", file, "-o", name)
        with open_reader(Path(name)) as reader:
            span = reader.span(trace_id(1), f"{2:016x}")
        assert span.input is not None
        words = str(span.input.messages[0].parts[0]["text"]).replace(",", "").split()
        assert words[2] == words[5] != words[7]
        marks.add(words[2])
        assert span.row.user_id is not None
        assert span.row.user_id.startswith("user-")
    assert len(marks) == 2


def test_one_trace_or_what_a_filter_finds(file: Path) -> None:
    run("--db", file, trace_id(2)[:31] + "2", "-o", "one.db")
    with open_reader(Path("one.db")) as reader:
        assert [row.name for row in reader.traces()] == ["other"]
        assert len(reader.tree_spans(trace_id(2))) == 2
    assert run("--db", file, "name:agent", "-o", "two.html").stdout.startswith("1 trace, 2 spans")
    page = Path("two.html").read_text()
    assert "<h1>agent</h1>" in page
    assert MAIL not in page
    assert "[EMAIL:" in page
    assert "# agent" in (run("--db", file, "name:agent", "-o", "x.md"), Path("x.md").read_text())[1]


def test_json_dry_run_and_profile(file: Path) -> None:
    told = json.loads(run("--db", file, "--dry-run", "--json", "--keep-users").stdout)
    assert told["output"] is None
    assert told["found"]["EMAIL"] == 2
    assert (told["traces"], told["spans"], told["files"], told["refused"]) == (2, 4, 2, 0)
    assert not Path("share.db").exists()
    told = json.loads(run("--db", file, "--profile", "default", "--json", "-o", "d.db", "--keep-users").stdout)
    assert "EMAIL" not in told["found"]
    assert MAIL in everything(Path("d.db"))
    assert "user 1" in everything(Path("d.db"))
    assert KEY not in everything(Path("d.db"))


def test_what_is_there_is_never_written_over(file: Path) -> None:
    Path("out.db").write_text("mine")
    assert "is there already" in str(run("--db", file, "-o", "out.db", code=1).exception)
    assert Path("out.db").read_text() == "mine"
    assert "no such trace" in str(run("--db", file, "name:nobody", code=1).exception)
    assert not Path("share.db").exists()
    assert "a page" in run("--db", file, "-o", "x.pdf", code=2).output
