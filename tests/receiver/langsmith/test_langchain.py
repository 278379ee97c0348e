"""LangChain's own tracer, which is LangSmith's: with the page's variables and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from collector.store import open_reader
from tests.receiver.langsmith.test_page import VARIABLES
from tests.receiver.running import running, settings_for
from tracetui.demo.server import Server

pytest.importorskip("langchain_openai")
PROGRAM = Path(__file__).with_name("program.py")


def test_a_chain_of_langchain_reads_like_one_of_our_own(tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LANGSMITH_", "LANGCHAIN_", "OPENAI_"))}
    with running(settings_for(tmp_path), real=True) as up, Server() as model:
        env = kept | {name: value.replace("http://127.0.0.1:4318", up.status.url) for name, value in VARIABLES.items()}
        env |= {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-none"}
        done = subprocess.run([sys.executable, str(PROGRAM)], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        with open_reader(up.status.file or "") as reader:
            (trace,) = reader.traces()
            spans = [reader.span(trace.trace_id, row.span_id) for row in reader.tree_spans(trace.trace_id)]
    assert (trace.name, trace.session_id, trace.tags, trace.metadata) == (
        "agent", "thread-42", ("demo",), {"plan": "pro"},
    )  # fmt: skip
    root, *inner = spans
    assert [(span.row.name, span.row.kind) for span in inner] == [
        ("Shelf", "retriever"), ("get_weather", "tool"), ("ChatOpenAI", "llm"), ("ChatOpenAI", "llm"),
    ]  # fmt: skip
    assert all(span.row.parent_id == root.row.span_id for span in inner)
    shelf, weather, call, stream = inner
    assert shelf.input
    assert shelf.input.value == "weather"
    assert [(d.content, d.score, d.metadata) for d in shelf.documents] == [
        ("about weather", 0.5, {"source": "book", "score": 0.5})
    ]
    assert weather.tool
    assert (weather.tool.call_id, weather.tool.arguments, weather.tool.result) == (
        "call_1", {"city": "Patiala"}, {"city": "Patiala", "temp_c": 31},
    )  # fmt: skip
    assert (call.request_model, call.row.provider) == ("gpt-4o-mini", "openai")
    assert call.params
    assert call.params["temperature"] == 0.2
    assert (call.usage.input_tokens, call.usage.output_tokens) == (120, 30)
    assert call.system[0].parts == ({"type": "text", "text": "about weather"},)
    assert call.input
    assert [message.role for message in call.input.messages] == ["user", "user"]
    assert call.output
    assert call.output.messages[0].parts[0]["type"] == "text"
    assert call.response_id
    assert stream.row.ttft_ns is not None
