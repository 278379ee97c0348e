"""The whole demo: server, receiver, agent, in the order of a programme."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from collector import configure, flush
from collector.errors import StoreError
from collector.settings import Settings
from tracetui.demo.model import Model, OpenAIModel, PlainModel, has_extra
from tracetui.demo.scenes import failures, languages, long_conversation, nested_agents
from tracetui.demo.server import Server
from tracetui.demo.stage import Stage
from tracetui.demo.stories import (
    far_region,
    leaked_user,
    retry_loop,
    slow_middle,
    three_paths,
    wrong_line,
    wrong_price,
    wrong_unit,
)  # fmt: skip

RECEIVER_S = 20.0
PROGRAMME = (
    leaked_user, nested_agents, wrong_price, languages, wrong_unit, failures, wrong_line, slow_middle,
    three_paths, far_region, long_conversation, retry_loop,
)  # fmt: skip
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


@dataclass(frozen=True, slots=True)
class Played:
    """What a run left: its stories as (title, command that finds it), and how the model was called."""

    stories: tuple[tuple[str, str], ...]
    through: str
    seconds: float


def play(
    db: Path, *, speed: float = 1.0, use_openai: bool | None = None, stopped: Callable[[], bool] = bool,
    server: Server | None = None,
) -> Played:  # fmt: skip
    """Run the programme into `db`. `use_openai` None uses the openai client where it is installed; `server` is one
    that runs already and outlives the programme, else it has one of its own.

    Once `stopped` says so the act that plays is rushed to its end, and no other begins.
    """
    began = time.monotonic()
    openai = has_extra() if use_openai is None else use_openai
    configure(db=db, service="demo-agent", environment="demo")
    with nullcontext(server) if server else Server() as asked, _model(asked, db, openai) as model:
        stage = Stage(model, speed, stopped=stopped)
        for act in PROGRAMME:
            if stopped():
                break
            act(stage)
    flush()
    through = "the openai client and its OpenTelemetry instrumentation" if openai else "plain HTTP calls"
    return Played(tuple(stage.told), through, time.monotonic() - began)


@contextmanager
def _model(server: Server, db: Path, openai: bool) -> Iterator[Model]:
    if not openai:
        plain = PlainModel(server)
        try:
            yield plain
        finally:
            plain.close()
        return
    with _receiver(db) as url, _environment({CONTENT: "true", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}):
        model = OpenAIModel(server, url)
        try:
            yield model
        finally:
            model.close()


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    """These variables while it lasts: the instrumentation has no other switch, nor the exporter's proxy."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _receiver(db: Path) -> Iterator[str]:
    """A receiver of the demo's own, on a free port, for this file."""
    from tracetui.child import Receiver

    settings = replace(Settings(), db=db, http_port=0, grpc_port=0)
    receiver = Receiver(settings)
    heard: list[str] = []
    receiver.start(lambda news: heard.append(news.listening or f"!{news.notice}"))
    deadline = time.monotonic() + RECEIVER_S
    while not heard and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        if not heard or heard[0].startswith("!"):
            raise StoreError(heard[0][1:] if heard else f"the receiver did not start within {RECEIVER_S:.0f} s")
        yield f"http://{heard[0]}"
    finally:
        receiver.stop()
