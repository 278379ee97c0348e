"""Every format of an export, from a real file with whatever a trace may bring."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shutil
import stat
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from collector.export import formats, perfetto
from collector.model import Content, Document, Event, LogRecord, Message, Reading, Score, SpanPart, Tool, Usage
from collector.store import open_reader
from tests.builders import MS, T0, make_part, trace_id
from tests.store_read.files import write
from tests.tui.hostile import CONTROL_STRINGS, HOSTILE
from tracetui.cli import main

ATTACKS = [
    "<script>document.title='owned'</script>", "</pre></style><img src=x onerror=\"document.title='owned'\">",
    "```\n# heading ![x](http://evil.example/p.png)\n````", '" onmouseover="document.title=\'owned\'" x="', "&lt;b&gt;",
    "=HYPERLINK(\"http://evil.example\")", "]]></script>",
]  # fmt: skip
NASTY = [*HOSTILE, *CONTROL_STRINGS, *ATTACKS]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def agent(trace: str = trace_id(1), text: str = "Where is my order?", start_ns: int = T0) -> list[SpanPart]:
    """An agent that asks a model, runs two tools at once, and fails in one; every field holds `text`."""
    call = {"type": "tool_call", "id": "c1", "name": text, "arguments": {text: text}}
    picture = {"type": "image", "mime_type": "image/png", "data": PNG, "name": text}
    remote = {"type": "image", "url": "https://evil.example/p.png"}
    asked = Content(messages=(Message("user", ({"type": "text", "text": text}, picture, remote), name=text),))
    said = Content(messages=(Message("assistant", ({"type": "reasoning", "text": text}, call)),))
    llm = Reading(kind="llm", model=text, provider="openai", usage=Usage(1200, 80), input=asked, output=said,
                  system=(Message("system", ({"type": "text", "text": text},)),), cost_nanousd=1_500_000,
                  session_id=text, user_id=text, tags=(text,), metadata={text: text})  # fmt: skip
    tool = Reading(kind="tool", tool=Tool(text, "c1", {"q": text}, text))
    stack = {"exception.type": text, "exception.message": text, "exception.stacktrace": text}
    failed = Reading(kind="retriever", documents=(Document(text, text, 0.25),), error_type=text)

    def at(n: int, parent: int | None, begin: int, end: int, **more: Any) -> SpanPart:
        return make_part(n, parent=parent, trace=trace, name=more.pop("name", text), start_ns=start_ns + begin * MS,
                         end_ns=start_ns + end * MS, **more)  # fmt: skip

    return [
        at(1, None, 0, 1000, name=f"root {text}", attributes={text: text, "n": float("nan")}),
        at(2, 1, 10, 400, reading=llm), at(3, 1, 400, 700, reading=tool),
        at(4, 1, 450, 900, reading=failed, status="error", status_message=text,
           events=(Event(start_ns + 500 * MS, "exception", stack),)),
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two traces."""
    scores = (Score("s1", "quality", T0, trace_id(1), value=0.5),)
    return write(tmp_path / "traces.db", *agent(), *agent(trace_id(2), "later", T0 + 10**9), scores=scores)


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = [part for n, text in enumerate(NASTY, start=1) for part in agent(trace_id(n), text, T0 + n * 10**9)]
    return write(tmp_path_factory.mktemp("nasty") / "traces.db", *parts)


def exported(path: Path, form: str) -> str:
    with open_reader(path) as reader:
        return b"".join(data for _, data in formats.spans_found(reader, form, None)).decode()


def run(*words: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main.cli, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result


def test_csv_has_a_row_a_span_with_inputs_and_outputs(file: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(file, "csv"), newline="")))
    assert [row["span_id"][-1] for row in rows] == ["1", "2", "3", "4"] * 2
    llm, tool = rows[1], rows[2]
    assert (llm["input_tokens"], llm["output_tokens"], llm["cost_usd"]) == ("1200", "80", "0.001500000")
    assert json.loads(llm["input"])[1]["parts"][0] == {"type": "text", "text": "Where is my order?"}
    assert json.loads(llm["output"])[0]["parts"][1]["arguments"] == {"Where is my order?": "Where is my order?"}
    assert json.loads(tool["input"]) == {"q": "Where is my order?"}
    assert tool["output"] == "Where is my order?"
    assert rows[3]["status"] == "error"


def test_no_cell_of_a_csv_is_a_formula(nasty: Path) -> None:
    rows = list(csv.reader(io.StringIO(exported(nasty, "csv"), newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "+", "\t"))]
    assert any(cell.startswith("'=HYPERLINK") for row in rows for cell in row)


def test_markdown_tells_the_whole_tree(file: Path) -> None:
    text = exported(file, "md")
    assert text.count("\n## ") == 2
    assert text.count("\n### ") == 6
    assert "- score quality: 0.5" in text
    assert "1,200 tokens in, 80 out" in text
    assert "$0.0015" in text
    assert text.index("**input**") < text.index("**output**")


def test_nothing_foreign_in_markdown_is_markdown(nasty: Path) -> None:
    """Outside of fences there is no link, picture, tag or heading that a trace brought."""
    outside, fence = [], ""
    for line in exported(nasty, "md").split("\n"):
        mark = re.match("`{3,}", line)
        if mark and (not fence or line == fence):
            fence = "" if fence else mark[0]
        elif not fence:
            outside.append(line)
    assert not fence
    text = "\n".join(outside)
    assert all(char == "\n" or char.isprintable() for char in text)
    live = re.sub("`[^`\n]*`", "", re.sub(r"\\.", "", text)).replace("[image]", "")
    assert not re.search(r"[\[<`]", live)
    assert len(re.findall("^# ", text, re.MULTILINE)) == len(NASTY)


class Page(HTMLParser):
    """What a browser would make of the page: its tags with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def test_html_is_one_page_that_runs_and_fetches_nothing(nasty: Path) -> None:
    page = Page(exported(nasty, "html"))
    assert {tag for tag, _ in page.tags} <= set(
        "html head meta title style body section h1 h2 dl dt dd details summary span small i div pre p b img".split()
    )
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("href", "srcset")]
        assert tag != "img" or str(attributes["src"]).startswith("data:image/png;base64,iVBOR")
    said = "".join(page.said)
    for attack in ATTACKS:
        assert attack.replace("\n", "") in said.replace("\n", "")
    assert all(char in "\n\t" or char.isprintable() for char in said)
    assert len([tag for tag, _ in page.tags if tag == "section"]) == len(NASTY)


def test_a_page_tells_what_happened_in_a_span_and_when(tmp_path: Path) -> None:
    event = Event(T0 + 5 * MS, "retry", {"attempt": 2})
    log = LogRecord(T0 + 2 * MS, "gen_ai.choice", {"index": 0}, {"gen_ai.system": "openai"})
    path = write(tmp_path / "t.db", replace(make_part(1, start_ns=T0), events=(event,), logs=(log,)))
    said = "".join(Page(exported(path, "html")).said)
    assert "2 events" in said
    assert said.index("+2.000 ms  gen_ai.choice") < said.index("gen_ai.system  openai") < said.index("+5.000 ms  retry")
    assert "attempt  2" in said


def test_a_picture_that_is_none_is_not_embedded() -> None:
    from collector.export import html

    for part in (
        {"type": "image", "mime_type": "image/svg+xml", "data": "PHN2Zz4="},
        {"type": "image", "mime_type": "image/png", "data": "PHN2Zz4="},
        {"type": "image", "url": 'data:image/png;base64,"><script>'},
        {"type": "image", "mime_type": 'image/png" onload="x', "data": PNG},
    ):
        assert "<img" not in html._part(part)


CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_real_browser_shows_the_page_and_runs_nothing_of_it(nasty: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(exported(nasty, "html"), encoding="utf-8")
    words = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
             "--dump-dom", path.as_uri()]  # fmt: skip
    shown = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    page = Page(shown)
    assert "<title>tracetui</title>" in shown  # no attack has changed it
    assert not [tag for tag, _ in page.tags if tag in ("script", "iframe", "a", "form", "link", "object")]
    assert len([tag for tag, _ in page.tags if tag == "section"]) == len(NASTY)
    assert ATTACKS[0] in "".join(page.said)


def test_perfetto_nests_in_every_lane(file: Path, nasty: Path) -> None:
    for path in (file, nasty):
        document = json.loads(exported(path, "perfetto"))
        events = document["traceEvents"]
        spans = [event for event in events if event["ph"] == "X"]
        lanes: dict[tuple[int, int], list[tuple[float, float]]] = {}
        for event in spans:
            lanes.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
        for lane in lanes.values():
            for a in lane:
                assert all(a[1] <= b[0] or b[1] <= a[0] or a[0] <= b[0] <= b[1] <= a[1] or b[0] <= a[0] <= a[1] <= b[1]
                           for b in lane)  # fmt: skip
    document = json.loads(exported(file, "perfetto"))
    spans = [event for event in document["traceEvents"] if event["ph"] == "X"]
    assert [(event["ts"], event["dur"], event["tid"]) for event in spans[:4]] == [
        (0, 1_000_000, 1), (10_000, 390_000, 1), (400_000, 300_000, 1), (450_000, 450_000, 2),
    ]  # fmt: skip
    assert spans[1]["args"]["input"][1]["parts"][0]["text"] == "Where is my order?"
    assert {event["args"]["name"] for event in document["traceEvents"] if event["name"] == "process_name"} == {
        "root Where is my order? 00000000", "root later 00000000",
    }  # fmt: skip


def test_lanes_are_few_and_quick_for_a_hundred_thousand_in_a_row() -> None:
    lanes = perfetto.Lanes()
    lanes.place("root", None, 0, 200_000)
    assert {lanes.place(str(n), "root", 2 * n, 2 * n + 1) for n in range(100_000)} == {1}


def test_messages_that_came_as_log_records_are_in_the_otlp(tmp_path: Path) -> None:
    logs = (
        LogRecord(T0, "gen_ai.user.message", {"content": "Where is order 789?"}, {"gen_ai.system": "openai"}),
        LogRecord(T0 + 1, "gen_ai.choice", {"index": 0, "message": {"role": "assistant", "content": "On its way."}},
                  {"gen_ai.system": "openai"}),
    )  # fmt: skip
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.system": "openai"}
    made = write(tmp_path / "made.db", replace(make_part(1, attributes=said), logs=logs))
    run("export", "--db", made, "--format", "otlp", "-o", tmp_path / "all.jsonl")
    run("import", tmp_path / "all.jsonl", "--db", tmp_path / "again.db")
    before, after = (run("spans", "--json", "--db", path).stdout for path in (made, tmp_path / "again.db"))
    assert "On its way." in before
    assert json.loads(after) == json.loads(before)


def test_the_command_writes_every_format(file: Path, tmp_path: Path) -> None:
    for form in formats.names():
        out = tmp_path / f"out.{form}"
        result = run("export", "--db", file, "--format", form, "-o", out)
        assert "8 spans written" in result.output
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        assert "later" in out.read_text(encoding="utf-8")
    assert run("export", "--db", file, "--format", "csv").stdout.startswith("trace_id,span_id")
    run("export", "--db", file, "--format", "html", "-o", "page.html.gz")
    assert b"<!doctype html>" in gzip.decompress(Path("page.html.gz").read_bytes())


def test_a_filter_finds_spans_and_whole_finds_traces(file: Path) -> None:
    def spans(*words: str) -> int:
        lines = run("export", "--db", file, *words).stdout.splitlines()
        return sum(json.loads(line)["type"] == "span" for line in lines)

    assert spans("kind:tool") == 2
    assert len(list(csv.reader(io.StringIO(run("export", "--db", file, "kind:tool", "--format", "csv").stdout)))) == 3
    whole = run("export", "--db", file, "kind:tool", "--whole", "--format", "csv").stdout
    assert len(list(csv.reader(io.StringIO(whole)))) == 9
    assert run("export", "--db", file, 'name:"root later"', "--format", "md").stdout.count("\n## ") == 1
    assert run("export", "--db", file, "--trace", trace_id(2), "--format", "md").stdout.count("\n### ") == 3
    assert "not both" in run("export", "--db", file, "kind:tool", "--trace", "0", code=2).output
    assert run("export", "--db", file, "--format", "md", "--limit", "1").stdout.count("\n## ") == 1
