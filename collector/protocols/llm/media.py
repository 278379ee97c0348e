"""OpenAI's images, audio and moderations: what was given and what came back are files, or verdicts.

A form (multipart) is read as a document of its fields; a file in it is {"data": base64, "mime_type", "filename"}.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from collector.protocols.llm import Endpoint, Said
from collector.protocols.llm.chat import params
from collector.protocols.llm.plainly import fields, plain, text, told

_NO_PARAMS = frozenset({"model", "prompt", "input", "file", "image", "image[]", "mask"})
FORMATS = {"mp3": "audio/mpeg", "pcm": "audio/pcm", "opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac",
           "wav": "audio/wav", "png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}  # fmt: skip


def other(kind: str, body: bytes) -> Any:
    """An answer that is no JSON: a transcript as text or subtitles, speech as the bytes of a file; else None."""
    kind = kind.partition(";")[0].strip()
    if kind.startswith("text/") and kind != "text/html":
        return {"text": body.decode("utf-8", "replace")}
    if kind.startswith("audio/") or kind == "application/octet-stream":
        return {"data": b64encode(body).decode(), "mime_type": kind}
    return None


def _files(body: dict[str, Any], names: tuple[str, ...], kind: str) -> list[Any]:
    found = []
    for name in names:
        given = body.get(name)
        for one in given if isinstance(given, list) else [given]:
            if isinstance(one, dict):
                found.append({"type": kind, "source": one})
            elif isinstance(one, str) and name != "mask":
                found.append({"type": kind, kind: one})
    return found


def _said_by(role: str, words: Any, files: list[Any]) -> list[Any] | None:
    content = [*([{"type": "text", "text": words}] if text(words) else []), *files]
    return [{"role": role, "content": content}] if content else None


def image_asked(body: dict[str, Any]) -> Said:
    files = _files(body, ("image", "image[]", "mask"), "image")
    return {"input": _said_by("user", body.get("prompt"), files), "params": params(body, _NO_PARAMS)}


def image_answered(answer: Any) -> Said:
    said = told(answer)
    mime = FORMATS.get(str(said.get("output_format") or "png"))
    files = []
    for one in said.get("data") or ():
        if isinstance(one, dict) and (text(one.get("b64_json")) or text(one.get("url"))):
            held = {"data": one["b64_json"], "mime_type": mime} if one.get("b64_json") else {"url": one["url"]}
            files.append({"type": "image", "source": held})
    return {"output": _said_by("assistant", None, files), "usage": fields(said.get("usage")) or None}


class ImageGather:
    """Images that come as they are made; the last event has the whole one."""

    def __init__(self) -> None:
        self.complete = False
        self.done: list[dict[str, Any]] = []

    def take(self, item: Any) -> bool:
        event = fields(item)
        kind = str(event.get("type"))
        if kind.endswith(".completed"):
            self.done.append(event)
            self.complete = True
        return bool(event.get("b64_json"))

    def said(self) -> Said:
        last = self.done[-1] if self.done else {}
        return image_answered({**last, "data": self.done})


def speech_asked(body: dict[str, Any]) -> Said:
    return {"input": _said_by("user", body.get("input"), []), "params": params(body, _NO_PARAMS)}


def speech_answered(answer: Any) -> Said:
    said = told(answer)
    files = [{"type": "audio", "source": said}] if said.get("data") else []
    return {"output": _said_by("assistant", None, files), "usage": fields(said.get("usage")) or None}


class SpeechGather:
    """Speech in pieces of base64, each of whole bytes; what it is of, the request says and no event."""

    def __init__(self) -> None:
        self.complete = False
        self.usage: Any = None
        self.pieces: list[bytes] = []

    def take(self, item: Any) -> bool:
        from binascii import a2b_base64

        event = fields(item)
        if event.get("type") == "speech.audio.done":
            self.complete, self.usage = True, plain(event.get("usage"))
        if piece := text(event.get("audio")):
            self.pieces.append(a2b_base64(piece))
            return True
        return False

    def said(self) -> Said:
        held = b64encode(b"".join(self.pieces)).decode()
        return speech_answered({"data": held, "usage": self.usage})


def heard_asked(body: dict[str, Any]) -> Said:
    files = _files(body, ("file",), "audio")
    return {"input": _said_by("user", body.get("prompt"), files), "params": params(body, _NO_PARAMS)}


def heard_answered(answer: Any) -> Said:
    said = told(answer)
    usage = fields(said.get("usage"))
    seconds = usage.get("seconds") if usage.get("type") == "duration" else said.get("duration")
    return {
        "output": _said_by("assistant", said.get("text"), []),
        "usage": usage or None,
        "attributes": {"openai.audio.seconds": seconds} if type(seconds) in (int, float) else {},
    }


class HeardGather:
    """A transcript as it is heard; the last event has the whole one."""

    def __init__(self) -> None:
        self.complete = False
        self.pieces: list[str] = []
        self.done: dict[str, Any] = {}

    def take(self, item: Any) -> bool:
        event = fields(item)
        if event.get("type") == "transcript.text.done":
            self.complete, self.done = True, event
        if event.get("type") == "transcript.text.delta" and (piece := text(event.get("delta"))):
            self.pieces.append(piece)
            return True
        return False

    def said(self) -> Said:
        return heard_answered({**self.done, "text": self.done.get("text") or "".join(self.pieces)})


def judged_asked(body: dict[str, Any]) -> Said:
    return {"input": body.get("input"), "params": params(body, _NO_PARAMS)}


def judged_answered(answer: Any) -> Said:
    said = told(answer)
    results = [one for one in said.get("results") or () if isinstance(one, dict)]
    flagged = any(one.get("flagged") is True for one in results)
    return {
        "model": text(said.get("model")),
        "response_id": text(said.get("id")),
        "output": {"flagged": flagged, "results": results} if results else None,
    }


_IMAGE = Endpoint("image_generation", "llm", image_asked, image_answered, ImageGather)
_HEARD = Endpoint("transcription", "llm", heard_asked, heard_answered, HeardGather, other=other)
ENDPOINTS = {
    "/images/generations": _IMAGE,
    "/images/edits": Endpoint("image_edit", "llm", image_asked, image_answered, ImageGather),
    "/images/variations": Endpoint("image_edit", "llm", image_asked, image_answered),
    "/audio/transcriptions": _HEARD,
    "/audio/translations": Endpoint("translation", "llm", heard_asked, heard_answered, HeardGather, other=other),
    "/audio/speech": Endpoint("speech", "llm", speech_asked, speech_answered, SpeechGather, other=other),
    "/moderations": Endpoint("moderation", "guardrail", judged_asked, judged_answered),
}
