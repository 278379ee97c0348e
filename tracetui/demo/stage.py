"""What the stories play on: the model, the pace, and the few things they all do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from collector import observe, span
from tracetui.demo.model import Messages, Model
from tracetui.demo.server import Answer

MINI, BIG, LOCAL = "gpt-4o-mini", "gpt-4.1", "llama3.1:8b"


@dataclass
class Stage:
    """`speed` divides every wait: 1 takes the time a real agent would, 20 is for those who only want the file.

    Once `stopped` says so nobody watches any more: what has begun is played to its end without a wait.
    """

    model: Model
    speed: float = 1.0
    told: list[tuple[str, str]] = field(default_factory=list)
    stopped: Callable[[], bool] = bool

    def wait_s(self, seconds: float, *, at_least: float = 0.0) -> float:
        """How long to wait for what takes a real agent `seconds`; `at_least` holds at any speed."""
        return 0.0 if self.stopped() else max(seconds / self.speed, at_least)

    def nap(self, seconds: float, *, at_least: float = 0.0) -> None:
        time.sleep(self.wait_s(seconds, at_least=at_least))

    def chat(
        self, messages: Messages, text: str = "", *, model: str = MINI, stream: bool = False, seconds: float = 0.9,
        tools: tuple[tuple[str, dict[str, Any]], ...] = (), tokens: tuple[int, int] = (180, 40), cached: int = 0,
        reasoning: int = 0, status: int = 200, offered: tuple[str, ...] = (), at_least: float = 0.0,
    ) -> dict[str, Any]:  # fmt: skip
        """One model call with the answer it will get; appends the answer to `messages`."""
        seconds = self.wait_s(seconds, at_least=at_least)
        answer = Answer(text, tools, tokens, cached, reasoning, seconds, seconds * 0.35, status)
        said = self.model.chat(model, messages, answer, stream=stream, tools=offered or tuple(n for n, _ in tools))
        messages.append(said)
        return said

    def tool(self, messages: Messages, name: str, arguments: dict[str, Any], result: Any, seconds: float = 0.2) -> Any:
        """Run a tool that the last message asked for, and answer the call in the history."""
        with span(name, kind="tool", input=arguments) as call:
            self.nap(seconds)
            call.update(output=result)
        call_id = next((c["id"] for c in messages[-1].get("tool_calls", ()) if c["function"]["name"] == name), name)
        messages.append({"role": "tool", "tool_call_id": call_id, "content": str(result)})
        return result

    def story(self, title: str, how: str) -> None:
        """Note a story and the command that finds it."""
        self.told.append((title, how))


def asks(system: str, user: str) -> Messages:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


__all__ = ["BIG", "LOCAL", "MINI", "Stage", "asks", "observe", "span"]
