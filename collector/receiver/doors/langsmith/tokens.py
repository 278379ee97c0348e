"""Addresses for feedback: `create_presigned_feedback_token` gets one, and whoever has it may judge one run by one key.

They are kept in memory: an address is good until its time is over (three hours, where none is given), or until the
collector ends. Where the collector has a token, a sender without it is turned away before it comes here.
"""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response

from collector.errors import DecodeError, NotFound, TooLarge
from collector.protocols import langsmith
from collector.protocols.times import iso, time_ns
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith.reads import slice_of
from collector.receiver.doors.langsmith.views import Run
from collector.receiver.doors.langsmith.writes import links

Answer = Callable[[Call], Awaitable[Response]]
MOST = 10_000
_UNITS = {"days": 86_400, "hours": 3_600, "minutes": 60}
_GIVEN = ("score", "value", "comment", "correction", "metadata")


@dataclass(frozen=True, slots=True)
class Token:
    """An address for one key of one run. `expires_ns` is in Unix nanoseconds."""

    token_id: str
    run_id: str
    key: str
    expires_ns: int
    feedback_id: str | None
    config: Any


@dataclass
class Tokens:
    """Those that were given out; of the event loop's thread alone."""

    known: OrderedDict[str, Token] = field(default_factory=OrderedDict)

    def add(self, said: Any) -> Token:
        """DecodeError, TooLarge where 10,000 are good still."""
        if not isinstance(said, dict) or not said.get("run_id") or not said.get("feedback_key"):
            raise DecodeError("an address for feedback needs run_id and feedback_key")
        now = time.time_ns()
        for old in [one.token_id for one in self.known.values() if one.expires_ns <= now]:
            del self.known[old]
        if len(self.known) >= MOST:
            raise TooLarge(f"{MOST:,} addresses for feedback are open; let some expire, or use create_feedback")
        given = said.get("feedback_id")
        token = Token(
            str(uuid.uuid4()), str(said["run_id"]), str(said["feedback_key"]), _expires(said, now),
            str(given) if given else None, said.get("feedback_config"),
        )  # fmt: skip
        self.known[token.token_id] = token
        return token

    def find(self, token_id: str) -> Token:
        found = self.known.get(token_id.lower())
        if found is None or found.expires_ns <= time.time_ns():
            raise NotFound("this address for feedback is not known here, or no longer good")
        return found


def _expires(said: Run, now: int) -> int:
    at = said.get("expires_at")
    if at is not None:
        moment = time_ns(at)
        if moment is None:
            raise DecodeError(f"expires_at {str(at)[:60]!r} is no time")
        return moment
    given = said.get("expires_in") or {"hours": 3}
    seconds = 0.0
    for name, of_one in _UNITS.items():
        part = (given.get(name) or 0) if isinstance(given, dict) else None
        if not isinstance(part, (int, float)) or not (math.isfinite(part) and 0 <= part < 1e6):
            raise DecodeError("expires_in has days, hours and minutes, as numbers")
        seconds += part * of_one
    return now + int(seconds * 1e9)


def _tokens(call: Call) -> Tokens:
    return call.house.keep("langsmith-tokens", Tokens)


def _told(call: Call, token: Token) -> Run:
    base = str(call.request.base_url).rstrip("/")
    url = f"{base}/feedback/tokens/{token.token_id}"
    return {"id": token.token_id, "url": url, "feedback_key": token.key, "expires_at": iso(token.expires_ns)}


async def make(call: Call) -> Response:
    """POST /feedback/tokens: one, or a list of them."""
    said, tokens = await call.json(), _tokens(call)
    if isinstance(said, list):
        return json_response([_told(call, tokens.add(one)) for one in said])
    return json_response(_told(call, tokens.add(said)))


async def listed(call: Call) -> Response:
    """GET /feedback/tokens?run_id=…: those of a run that are good still."""
    run_id, now = call.query.get("run_id"), time.time_ns()
    limit, offset = slice_of(call.query)
    good = [one for one in _tokens(call).known.values() if one.run_id == run_id and one.expires_ns > now]
    return json_response([_told(call, one) for one in good[offset : offset + limit]])


async def use(call: Call) -> Response:
    """POST /feedback/tokens/{id}, or GET with what is said in the query: feedback of the token's key to its run."""
    token = _tokens(call).find(str(call.path["token_id"]))
    said: dict[str, Any] = await call.document() if call.request.method == "POST" else _asked(call)
    feedback = {name: said[name] for name in _GIVEN[:-1] if said.get(name) is not None}
    source = {"type": "api", "metadata": said.get("metadata") or {}}
    body = orjson.dumps({
        **feedback, "id": token.feedback_id or str(uuid.uuid4()), "run_id": token.run_id, "key": token.key,
        "feedback_source": source, "feedback_config": token.config,
    })  # fmt: skip
    known = links(call)
    batch = await asyncio.to_thread(
        known.decode, lambda whose: langsmith.decode_feedback(body, whose=whose)
    )  # it may look into the file
    await call.write(batch)
    return json_response({"message": "Feedback created"}, 200)


def _asked(call: Call) -> dict[str, Any]:
    said: dict[str, Any] = {name: call.query[name] for name in _GIVEN[:3] if name in call.query}
    if "score" in said:
        try:
            said["score"] = float(said["score"])
        except ValueError as error:
            raise DecodeError(f"score {said['score'][:60]!r} is no number") from error
    return said


WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("POST", "/feedback/tokens", make),
    ("GET", "/feedback/tokens", listed),
    ("GET POST", "/feedback/tokens/{token_id}", use),
)
