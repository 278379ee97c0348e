"""The upstream `tracetui-test`, which is nowhere but here: what comes to it is passed on, recorded and answered in the
words of OpenAI or Anthropic, so that a test of the proxy costs no money and leaves no machine."""

from __future__ import annotations

import secrets

import orjson

from collector.receiver.doors.proxy.links import Answering, Request

NAME = "tracetui-test"
BASE = "http://tracetui-test.invalid"
SAID = "The proxy works."


class Canned:
    """Answers every request alike."""

    async def ask(self, request: Request) -> Answering:
        path = request.target.partition(b"?")[0]
        return _Answer(anthropic() if path.endswith(b"/messages") else openai())

    async def aclose(self) -> None:
        """There is nothing to close."""


class _Answer:
    def __init__(self, body: bytes) -> None:
        self.status = 200
        self.headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        self._body = body

    async def piece(self) -> bytes:
        body, self._body = self._body, b""
        return body

    async def close(self) -> None:
        """There is nothing to let go of."""


def openai() -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": SAID}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}
    said = {"object": "chat.completion", "choices": [choice], "usage": usage}
    return orjson.dumps({"id": _id(), "model": NAME, **said})


def anthropic() -> bytes:
    usage = {"input_tokens": 5, "output_tokens": 4}
    content = [{"type": "text", "text": SAID}]
    said = {"type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn", "usage": usage}
    return orjson.dumps({"id": _id(), "model": NAME, **said})


def _id() -> str:
    return f"{NAME}-{secrets.token_hex(8)}"
