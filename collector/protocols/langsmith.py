"""LangSmith's own API, what its SDKs send: runs (multipart, batches, one by one) and feedback, to parts and scores.

A run is a span: it is posted when it starts and patched when it ends, in any order and any number of times. Its id is
a UUID, so the span's id is derived from it and the original kept; a trace's id fits as it is. What a run was sent with
stays, as attributes under `langsmith.run.`, its metadata under `langsmith.metadata.`; its JSON is kept as it was spelt.
https://api.smith.langchain.com/redoc
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from collector.errors import DecodeError, TooLarge, UnsupportedMedia
from collector.library import Item, Media, MediaUse
from collector.model import Batch, Score, SpanPart
from collector.protocols import jsonbody, multipart
from collector.protocols.langsmith_feedback import score_of
from collector.protocols.langsmith_runs import Raw, run_part
from collector.protocols.limits import LIMITS, Limits, Refusals, SpanError

SOURCE = "langsmith"
MULTIPART, JSON = "multipart/form-data", "application/json"

Whose = Callable[[str], "str | None"]
"""Finds the trace (ours) of a run (its UUID) that names none; None where nobody knows."""

_PARTS_A_RUN = 12
_FIELDS = frozenset({"inputs", "outputs", "events", "extra", "error", "serialized"})


def nobody(run_id: str) -> str | None:
    """Nobody knows."""
    return None


def decode_multipart(body: bytes, content_type: str, limits: Limits = LIMITS, whose: Whose = nobody) -> Batch:
    """POST /runs/multipart. DecodeError, TooLarge, UnsupportedMedia; a run that cannot be read is refused alone."""
    if not content_type.lower().startswith(MULTIPART):
        raise UnsupportedMedia(f"content type {content_type[:80]!r} is not {MULTIPART}, as runs come here")
    found = _Found(limits, whose)
    for part in multipart.decode(body, content_type, limits.spans * _PARTS_A_RUN):
        found.take(part)
    return found.batch()


def decode_batch(body: bytes, limits: Limits = LIMITS, whose: Whose = nobody) -> Batch:
    """POST /runs/batch: {"post": [run, …], "patch": [run, …]}, either of which may be missing."""
    said = _object(body)
    found = _Found(limits, whose)
    for operation in ("post", "patch"):
        listed = said.get(operation)
        if listed is not None and not isinstance(listed, list):
            raise DecodeError(f'"{operation}" of a batch is a list of runs, not {type(listed).__name__}')
        for run in listed or ():
            found.run(operation, run)
    return found.batch()


def decode_run(
    body: bytes, operation: str, run_id: str | None = None, limits: Limits = LIMITS, whose: Whose = nobody
) -> Batch:
    """POST /runs and PATCH /runs/{id}. `operation` is "post" or "patch"."""
    said = _object(body)
    if run_id is not None:
        said["id"] = run_id
    found = _Found(limits, whose)
    found.run(operation, said)
    return found.batch()


def decode_feedback(body: bytes, feedback_id: str | None = None, whose: Whose = nobody) -> Batch:
    """POST /feedback."""
    said = _object(body)
    if feedback_id is not None:
        said["id"] = feedback_id
    try:
        return Batch(SOURCE, scores=(score_of(said, whose),))
    except SpanError as error:
        raise DecodeError(str(error)) from error


def _object(body: bytes) -> dict[str, Any]:
    jsonbody.weigh(body)
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"a body of {len(body):,} bytes is not JSON: {error}") from error
    if not isinstance(said, dict):
        raise DecodeError(f"a body that is a JSON {type(said).__name__}, where an object was expected")
    return said


class _Found:
    """What a body's runs come to. A run's fields may come in parts of a form of their own, behind the run."""

    def __init__(self, limits: Limits, whose: Whose) -> None:
        self._limits = limits
        self._whose = whose
        self._refusals = Refusals()
        self._open: dict[tuple[str, str], Raw] = {}
        self._raws: list[Raw] = []
        self._runs = 0
        self._parts: list[SpanPart] = []
        self._scores: list[Score] = []
        self._library: list[Item] = []

    def take(self, part: multipart.FormPart) -> None:
        """One part of a form: `post.ID`, `patch.ID.outputs`, `feedback.ID`, `attachment.ID.NAME`."""
        kind, _, rest = part.name.partition(".")
        if kind in ("post", "patch"):
            run_id, _, name = rest.partition(".")
            self._of_run(kind, run_id, name, part)
        elif kind == "attachment":
            run_id, _, name = rest.partition(".")
            self._attachment(run_id, name, part)
        elif kind == "feedback":
            self._feedback(part)
        else:
            self._refusals.add("a part of a form that is no run, feedback or attachment", part.name)

    def _of_run(self, operation: str, run_id: str, name: str, part: multipart.FormPart) -> None:
        raw = self._open.get((operation, run_id))
        if not name:
            raw = self._begin(operation, run_id)
            said = self._json(part, f"run {run_id}")
            if isinstance(said, dict):  # SDKs below 0.2 leave `extra`, `error` and `events` within
                raw.texts |= {name: _text(said.pop(name)) for name in _FIELDS & said.keys()}
                raw.fields = said
            return
        if raw is None:
            raw = self._begin(operation, run_id)
        if name not in _FIELDS:
            self._refusals.add("a field of a run that nobody knows", part.name)
            return
        try:
            raw.texts[name] = part.data.decode()
        except UnicodeDecodeError:
            self._refusals.add("a field of a run that is no UTF-8", part.name)

    def _begin(self, operation: str, run_id: str) -> Raw:
        raw = Raw(operation, run_id)
        self._count()
        self._open[operation, run_id] = raw
        self._raws.append(raw)
        return raw

    def run(self, operation: str, said: Any, depth: int = 0) -> None:
        """A whole run as one object; `child_runs` within it are runs too."""
        if not isinstance(said, dict):
            self._refusals.add("a run that is no object", _sample(said))
            return
        self._count()
        children = said.pop("child_runs", None)
        texts = {name: _text(said.pop(name)) for name in _FIELDS & said.keys()}
        attachments = said.pop("attachments", None)
        raw = Raw(operation, str(said.get("id") or ""), said, texts)
        for name, value in attachments.items() if isinstance(attachments, dict) else ():
            self._within(raw, str(name), value)
        self._raws.append(raw)
        if isinstance(children, list) and depth < self._limits.depth:
            for child in children:
                self.run(operation, child, depth + 1)

    def _within(self, raw: Raw, name: str, value: Any) -> None:
        """An attachment of a run that came alone: [type, base64]. Of a file, the SDK sends its path and no content."""
        kind, text = value if isinstance(value, list) and len(value) == 2 else (None, None)
        try:
            data = base64.b64decode(text, validate=True) if isinstance(text, str) else None
        except ValueError:
            data = None
        if data is None or not isinstance(kind, str):
            self._refusals.add("an attachment within JSON that is no base64; send it as a part of a form", name)
            return
        raw.attachments[name] = multipart.FormPart(name, kind, data)

    def _count(self) -> None:
        self._runs += 1
        if self._runs > self._limits.spans:
            raise TooLarge(f"more than {self._limits.spans:,} runs in one body; send smaller batches")

    def _feedback(self, part: multipart.FormPart) -> None:
        said = self._json(part, "feedback")
        if isinstance(said, dict):
            try:
                self._scores.append(score_of(said, self._whose))
            except SpanError as error:
                self._refusals.add(str(error), _sample(said))

    def _attachment(self, run_id: str, name: str, part: multipart.FormPart) -> None:
        if not run_id or not name:
            self._refusals.add("an attachment that names no run, or has no name", part.name)
            return
        raw = next((found for op in ("post", "patch") if (found := self._open.get((op, run_id)))), None)
        if raw is None:
            raw = self._begin("patch", run_id)
        raw.attachments[name] = part

    def _json(self, part: multipart.FormPart, what: str) -> Any:
        jsonbody.weigh(part.data)
        try:
            said = orjson.loads(part.data)
        except orjson.JSONDecodeError as error:
            self._refusals.add(f"{what.partition(' ')[0]} that is not JSON: {error}"[:160], part.name)
            return None
        if not isinstance(said, dict):
            self._refusals.add(f"{what.partition(' ')[0]} that is no JSON object", part.name)
        return said

    def batch(self) -> Batch:
        known: dict[str, str] = {}
        for raw in self._raws:
            trace = raw.own_trace()
            if trace is not None:
                known[raw.run_id] = trace

        def whose(run_id: str) -> str | None:
            return known.get(run_id) or self._whose(run_id)

        for raw in self._raws:
            try:
                part = run_part(raw, whose)
            except SpanError as error:
                self._refusals.add(str(error), raw.sample(), (str(raw.fields.get("trace_id") or ""), raw.run_id))
                continue
            self._parts.append(part)
            self._library += _media(raw, part)
        return Batch(
            SOURCE, tuple(self._parts), tuple(self._scores), refused=self._refusals.result(),
            library=tuple(self._library),
        )  # fmt: skip


def _media(raw: Raw, part: SpanPart) -> Iterator[Item]:
    for name, form in raw.attachments.items():
        media_id = raw.media_id(name)
        yield Media(media_id, form.media_type or None, len(form.data), raw.sha256(name), form.data)
        yield MediaUse(media_id, name, part.trace_id, part.span_id)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def _sample(said: Any) -> str:
    try:
        return orjson.dumps(said).decode()
    except TypeError:
        return repr(said)
