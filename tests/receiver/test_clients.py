"""OTLP's own clients, in processes of their own: nothing but the variables of the page is set."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.store import open_reader
from collector.store.rows import SpanRow
from tests.receiver.running import Running, running, settings_for
from tracetui.cli.pointing import CLIENTS, Place
from tracetui.demo.server import Server

PAGE = (Path(__file__).parents[2] / "docs" / "clients" / "otel.md").read_text("utf-8")
VARIABLES = dict(re.findall(r"^export (\w+)=(\S+)", PAGE, re.MULTILINE))
EXAMPLE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
ONE_SPAN = """
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.{}.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
with provider.get_tracer("t").start_as_current_span("one span"):
    pass
provider.shutdown()
"""
LANGFUSE = """
from langfuse import get_client

client = get_client()
assert client.auth_check()
with client.start_as_current_observation(name="one span"):
    pass
client.flush()
client.shutdown()
"""
LANGSMITH = """
from langsmith import Client, traceable

client = Client()

@traceable(name="one span", client=client)
def work():
    return 1

work()
client.flush()
assert [one.name for one in client.list_projects()] == ["default"]
"""
PHOENIX = """
from phoenix.otel import register

provider = register(verbose=False{})
with provider.get_tracer("t").start_as_current_span("one span"):
    pass
provider.shutdown()
"""


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Running]:
    with running(settings_for(tmp_path, token="t0p"), real=True) as one:
        yield one


def run(up: Running, program: str, variables: dict[str, str]) -> str:
    ours = ("OTEL_", "OPENAI_", "PHOENIX_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env | variables, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "Failed" not in done.stderr, done.stderr
    return done.stdout


def spans(up: Running) -> list[SpanRow]:
    with open_reader(up.status.file or "") as reader:
        return [span for trace in reader.traces() for span in reader.tree_spans(trace.trace_id)]


def place(up: Running) -> Place:
    return Place(up.status.url, up.status.grpc_port, "t0p")


def test_the_example_of_the_page_is_a_trace_here(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.instrumentation.openai_v2")
    with running(settings_for(tmp_path), real=True) as up, Server() as model:
        variables = {name: value.replace("http://127.0.0.1:4318", up.status.url) for name, value in VARIABLES.items()}
        assert len(EXAMPLE.splitlines()) <= 15
        said = run(up, EXAMPLE, {**variables, "OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-none"})
        assert "nothing was written for this" in said
        [call] = spans(up)
    assert (call.name, call.kind, call.model, call.input_tokens) == ("chat gpt-4o-mini", "llm", "gpt-4o-mini", 120)


@pytest.mark.parametrize(
    ("name", "program", "more"),
    [
        ("otel", ONE_SPAN.format("http"), {"OTEL_EXPORTER_OTLP_COMPRESSION": "deflate"}),
        ("otel-grpc", ONE_SPAN.format("grpc"), {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}),
        ("phoenix", PHOENIX.format(""), {}),
        ("phoenix", PHOENIX.format(", protocol='http/protobuf'"), {}),
    ],
    ids=["http", "grpc", "phoenix", "phoenix over http"],
)
def test_what_the_doctor_says_is_enough(up: Running, name: str, program: str, more: dict[str, str]) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc")
    if name == "phoenix":
        pytest.importorskip("phoenix.otel")
    run(up, program, CLIENTS[name].variables(place(up)) | more)
    assert [span.name for span in spans(up)] == ["one span"]


@pytest.mark.parametrize(("client", "program"), [("langfuse", LANGFUSE), ("langsmith", LANGSMITH)])
def test_sdks_that_have_keys_of_their_own_send_the_token_in_their_place(up: Running, client: str, program: str) -> None:
    pytest.importorskip(client)
    run(up, program, CLIENTS[client].variables(place(up)))
    assert [span.name for span in spans(up)] == ["one span"]
    assert up.receiver.status().ledger["rejected"] == 0


def test_a_key_that_is_not_the_token_stores_nothing(up: Running) -> None:
    pytest.importorskip("langfuse")
    wrong = Place(up.status.url, up.status.grpc_port, "another")
    with pytest.raises(AssertionError, match="401"):
        run(up, LANGFUSE.replace("assert client.auth_check()", ""), CLIENTS["langfuse"].variables(wrong))
    assert spans(up) == []
    assert up.client.get("/v1/status", headers={"authorization": "Bearer t0p"}).json()["turned_away"]


def ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not ipv6(), reason="this machine has no IPv6")
def test_on_ipv6_it_is_reached_by_its_address_and_by_no_other_name(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, host="::1"), real=True) as one:
        assert one.status.url.startswith("http://[::1]:")
        assert one.client.get("/v1/status").status_code == 200
        for name in ("evil.example", "[::2]", "[::ffff:10.0.0.1]", "localhost.evil.example"):
            assert one.client.get("/v1/status", headers={"host": name}).status_code == 403, name
