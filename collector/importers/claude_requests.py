"""What newer versions of Claude Code (seen: 2.1.330) log of each request to the API, before its answer.

An `api-request` has an id, the moment, the parameters, and the hash of its "shape": an `api-request-shape` with the
system instructions and the tools, written once. The records of the answer name the request (`requestRef`); of one that
was tried again, the last. Its messages are hashes of what the log says anyhow (`api-request-blob` holds the others).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from collector.conventions.messages import message
from collector.importers.drafts import Draft, mapping, string

KINDS = frozenset({"api-request", "api-request-shape", "api-request-blob"})
_NO_PARAMETERS = frozenset({"model", "betas", "metadata", "context_management", "output_config"})


@dataclass(slots=True)
class Requests:
    _shapes: dict[str, dict[str, Any]] = field(default_factory=dict)
    _readings: dict[str, dict[str, Any]] = field(default_factory=dict)
    _moments: dict[str, int] = field(default_factory=dict)

    def hear(self, record: dict[str, Any], at: int) -> None:
        kind, shape, request = record["type"], string(record.get("shapeHash")), string(record.get("id"))
        if kind == "api-request-shape" and shape:
            self._shapes[shape] = _shape(mapping(record.get("shape")))
        elif kind == "api-request" and request:
            self._moments[request] = at
            self._readings[request] = {
                **self._shapes.get(shape or "", {}), **_parameters(mapping(record.get("params"))),
            }  # fmt: skip

    def tell(self, call: Draft, request: str | None) -> None:
        """Tell a call of its request: when it began, and fields of its reading."""
        if request is None or request not in self._moments:
            return
        call.start_ns = max(call.start_ns, self._moments[request])
        call.reach(call.start_ns)
        call.reading |= self._readings[request]


def _shape(shape: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if shape.get("system"):
        out["system"] = (message({"role": "system", "content": shape["system"]}, "system"),)
    if isinstance(shape.get("tools"), list) and shape["tools"]:
        out["tool_definitions"] = shape["tools"]
    return out


def _parameters(given: dict[str, Any]) -> dict[str, Any]:
    params = {name: value for name, value in given.items() if name not in _NO_PARAMETERS and value is not None}
    params |= mapping(given.get("output_config"))
    out: dict[str, Any] = {"params": params} if params else {}
    if model := string(given.get("model")):
        out["request_model"] = model
    return out


# --- agents in the background

NOTIFICATION = "<task-notification>"


@dataclass(frozen=True, slots=True)
class Notification:
    """That a task in the background has ended, as the session is told it."""

    use: str
    status: str
    summary: str
    result: str | None


def notification(text: Any) -> Notification | None:
    """What a text says of a task, where it is such a notification."""
    if not isinstance(text, str) or not text.startswith(NOTIFICATION):
        return None
    said = {
        name: found[1].strip()
        for name in ("tool-use-id", "status", "summary", "result")
        if (found := re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL))
    }
    if not said.get("tool-use-id"):
        return None
    return Notification(said["tool-use-id"], said.get("status", ""), said.get("summary", ""), said.get("result"))
