"""One block of a message's content, in any provider's spelling, as a part in the public shape.

Known: OpenTelemetry's message parts, OpenAI (chat and responses), Anthropic, Gemini, Bedrock, the Vercel AI SDK. Cache
markers (`cache_control` and its kin) are not part of what was said, and moving one must not make
a new message: they are left out here and stay in the attributes. What nobody knows becomes a "data" part.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from collector.conventions.values import decoded, spelt

Block = dict[str, Any]
Part = dict[str, Any]

REFERENCE = re.compile(r"@@@langfuseMedia:type=([^|@]*)\|id=([^|@]+)\|source=[^@]*@@@")
"""Langfuse's SDK sends a file by itself, and puts this in its place."""
_SENT = re.compile(r"https?://[^/\s]+(?:/[^\s?#]*)?/v2/images/([\w-]{22})")
"""Where the Traceloop SDK was told to send an image (`collector.receiver.doors.traceloop`)."""
_LONG_URL = 500
_CUT = re.compile(r"…\[(\d+) bytes cut\]\Z")
"""What stands in the place of a file that was too long to keep."""
CACHE_MARKERS = frozenset({"cache_control", "cacheControl", "cache_point", "cachePoint"})
_HEADS = {
    "iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "_9j_": "image/jpeg", "R0lGOD": "image/gif",
    "JVBERi0": "application/pdf", "SUQz": "audio/mpeg", "T2dnUw": "audio/ogg", "ZkxhQw": "audio/flac",
}  # fmt: skip
"""How base64 begins of files that begin alike."""
_JPEG = "/9j/"
_FORMATS = {"jpg": "image/jpeg", "pdf": "application/pdf", "mp3": "audio/mpeg", "txt": "text/plain"}


def parts(content: Any) -> list[Part]:
    """The parts of a message's content: a text, a block, or a list of blocks."""
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if isinstance(content, list):
        return [made for block in content if block not in (None, "") for made in _several(block)]
    return _several(content)


def _several(block: Any) -> list[Part]:
    if isinstance(block, dict) and block.keys() <= CACHE_MARKERS:
        return []
    return [part(block)]


def part(block: Any) -> Part:
    if isinstance(block, str):
        return {"type": "text", "text": block}
    if not isinstance(block, dict):
        return {"type": "data", "data": block}
    kind = block.get("type")
    if kind == "text" and type(said := block.get("content")) is str:  # most of all
        return {"type": "text", "text": said}
    make = _BY_TYPE.get(kind) if isinstance(kind, str) else None
    if make is None and kind is None:
        make = next((_BY_KEY[key] for key in block if key in _BY_KEY), None)
    return (make(block) if make is not None else None) or _data(block)


def is_block(block: Any) -> bool:
    """Whether an object is one block of a message's content, by its type or by a provider's name for one."""
    return isinstance(block, dict) and not block.keys().isdisjoint(_BLOCK_KEYS)


def tool_call(id: Any, name: Any, arguments: Any) -> Part:  # noqa: A002
    return {"type": "tool_call", "id": id or None, "name": name, "arguments": decoded(arguments)}


def tool_result(id: Any, result: Any, name: Any = None) -> Part:  # noqa: A002
    """`name` is the tool's: kept where no id says which call this answers (`pairing`)."""
    made = {"type": "tool_result", "id": id, "result": plain(result)}
    return {**made, "name": name} if isinstance(name, str) and name and not id else made


def plain(content: Any) -> Any:
    """Text blocks as the one text they are; everything else as it is."""
    if isinstance(content, list) and content and all(isinstance(b, dict) for b in content):
        texts = [b.get("text", b.get("content")) for b in content if b.get("type") in _TEXTS or b.keys() == {"text"}]
        if len(texts) == len(content) and all(isinstance(text, str) for text in texts):
            return "".join(texts)
        if len(content) == 1 and content[0].keys() == {"json"}:
            return content[0]["json"]  # Bedrock's
    if isinstance(content, list):
        return [_unmarked(block) for block in content]
    if isinstance(content, dict) and content.get("type") in ("text", "json", "content") and "value" in content:
        return plain(content["value"])  # the Vercel AI SDK's {"type": "text" | "json", "value"}
    return content


def _data(block: Block) -> Part:
    return {"type": "data", "data": _unmarked(block)}


def _unmarked(block: Any) -> Any:
    if isinstance(block, dict) and not CACHE_MARKERS.isdisjoint(block):
        return {key: value for key, value in block.items() if key not in CACHE_MARKERS}
    return block


def _first(block: Block, *names: str) -> Any:
    for name in names:
        value = block.get(name)
        if value is not None:
            return value
    return None


def _text(block: Block) -> Part | None:
    said = block.get("content")
    if said is None:
        said = block.get("text")
    if said is None:
        return None
    return {"type": "text", "text": said if isinstance(said, str) else spelt(said)}


def _reasoning(block: Block) -> Part | None:
    said = _first(block, "content", "text", "thinking", "reasoning", "summary", "data")
    if isinstance(said, str) and said.startswith('[{"'):
        said = decoded(said)  # OpenLLMetry encodes the list
    if isinstance(said, list):  # OpenAI's summaries
        said = "\n".join(str(b.get("text", "")) if isinstance(b, dict) else str(b) for b in said)
    return None if said is None else {"type": "reasoning", "text": said if isinstance(said, str) else spelt(said)}


def _call(block: Block) -> Part | None:
    function = block.get("function")
    inner = function if isinstance(function, dict) else block
    name = _first(inner, "name", "toolName", "tool_name")
    if name is None:
        return None
    arguments = _first(inner, "arguments", "input", "args", "parameters")
    return tool_call(_first(block, "call_id", "id", "toolCallId", "tool_call_id"), name, arguments)


def _result(block: Block) -> Part | None:
    id = _first(block, "tool_use_id", "call_id", "toolCallId", "tool_call_id", "id")  # noqa: A001
    said = _first(block, "response", "result", "output", "content")
    return tool_result(id, said, _first(block, "name", "toolName", "tool_name"))


def _gemini_call(block: Block) -> Part | None:
    inner = _first(block, "functionCall", "function_call")
    return _call(inner) if isinstance(inner, dict) else None


def _gemini_result(block: Block) -> Part | None:
    inner = _first(block, "functionResponse", "function_response")
    if not isinstance(inner, dict):
        return None
    return tool_result(inner.get("id") or None, inner.get("response"), inner.get("name"))


def _bedrock_call(block: Block) -> Part | None:
    inner = block["toolUse"]
    return tool_call(inner.get("toolUseId"), inner.get("name"), inner.get("input")) if isinstance(inner, dict) else None


def _bedrock_result(block: Block) -> Part | None:
    inner = block["toolResult"]
    if not isinstance(inner, dict):
        return None
    said = inner.get("content")
    if isinstance(said, list) and len(said) == 1 and isinstance(said[0], dict) and said[0].keys() == {"json"}:
        said = said[0]["json"]
    elif isinstance(said, list) and said and all(isinstance(one, dict) and one.keys() == {"text"} for one in said):
        said = "".join(str(one["text"]) for one in said)
    return tool_result(inner.get("toolUseId"), said)


def _bedrock_thought(block: Block) -> Part | None:
    inner = _first(block, "reasoningContent", "content")  # under that type (Strands), or that key
    return _reasoning(inner["reasoningText"]) if isinstance(inner, dict) and "reasoningText" in inner else None


def _bedrock_file(kind: str) -> Callable[[Block], Part | None]:
    """{"image": {"format": "png", "source": {"bytes": base64}}}; elsewhere, whatever an untyped picture is."""

    def made(block: Block) -> Part | None:
        inner = block[kind]
        if not isinstance(inner, dict) or not isinstance(source := inner.get("source"), dict):
            return _picture(block, inner, kind if kind in ("image", "audio") else "file")
        form = inner.get("format")
        family = {"document": "application"}.get(kind, kind)
        mime = {"mime_type": _FORMATS.get(form, f"{family}/{form}")} if isinstance(form, str) else {}
        name = {"name": inner["name"]} if inner.get("name") else {}
        where = source.get("s3Location")
        url = {"url": where.get("uri")} if isinstance(where, dict) else {}
        held = {"data": source["bytes"]} if source.get("bytes") else {}
        return _picture({}, {**mime, **name, **url, **held}, kind if kind in ("image", "audio") else "file")

    return made


def _untyped_text(block: Block) -> Part | None:
    return _reasoning({"text": block.get("text")}) if block.get("thought") is True else _text(block)


def _media(block: Block) -> Part | None:
    """OpenTelemetry's uri, blob and file parts; its `modality` is our type."""
    modality = block.get("modality")
    kind = modality if modality in ("image", "audio") else "file"
    mime = _first(block, "mime_type", "mimeType", "media_type")
    if kind == "file" and isinstance(mime, str) and mime.partition("/")[0] in ("image", "audio"):
        kind = mime.partition("/")[0]
    out: Part = {"type": kind}
    if mime is not None:
        out["mime_type"] = mime
    for ours, names in (("url", ("uri", "url")), ("data", ("content", "data")), ("file_id", ("file_id", "fileId"))):
        value = _first(block, *names)
        if value is not None:
            out[ours] = value
    return _sized(out) if len(out) > 1 else None


def _sized(part: Part) -> Part:
    """With `mime_type` and `size` (bytes), as far as what is here says: base64, or a URL that holds its data."""
    for where in ("data", "url"):
        named = REFERENCE.fullmatch(said) if isinstance(said := part.get(where), str) and said[:3] == "@@@" else None
        if named is not None:
            del part[where]
            part |= {"mime_type": named[1], "file_id": named[2]}
    sent = _SENT.fullmatch(said) if isinstance(said := part.get("url"), str) and len(said) < _LONG_URL else None
    if sent is not None:
        del part["url"]
        part["file_id"] = sent[1]
    held, url = part.get("data"), part.get("url")
    if isinstance(held, list | dict):
        raw = _octets(held)
        if raw is not None:
            held = part["data"] = base64.b64encode(raw).decode()
            part["size"] = len(raw)
    if isinstance(held, str) and held.startswith("data:"):  # OpenAI's file_data
        url = held
    if isinstance(url, str) and url.startswith("data:"):
        head, _, held = url.partition(",")
        part.setdefault("mime_type", head[5:].partition(";")[0] or "text/plain")
        if not head.endswith(";base64"):
            held = None
    if isinstance(held, str) and "mime_type" not in part:
        found = next((mime for head, mime in _HEADS.items() if held.startswith(head)), None)
        part |= {"mime_type": found} if found else {}
    if isinstance(held, str) and held and "size" not in part:
        cut = _CUT.search(held[-40:])
        part["size"] = int(cut[1]) * 3 // 4 if cut else _bytes_of(held)
    elif isinstance(held, bytes):
        part.setdefault("size", len(held))
    return part


def _octets(spelt: Any) -> bytes | None:
    """The bytes that JavaScript spells as a list of numbers, a Buffer `{"type": "Buffer", "data": [137, …]}`, or a
    Uint8Array `{"0": 137, "1": 80, …}`; None for anything else."""
    if isinstance(spelt, dict):
        if spelt.get("type") == "Buffer":
            spelt = spelt.get("data")
        elif "0" in spelt and all(key == str(at) for at, key in enumerate(spelt)):
            spelt = list(spelt.values())
    if not isinstance(spelt, list) or not spelt:
        return None
    try:
        return bytes(spelt)
    except (TypeError, ValueError):  # no numbers, or none of a byte
        return None


def _bytes_of(letters: str) -> int:
    """How many bytes base64 stands for; some break it into lines."""
    broken = letters.count("\n") + letters.count("\r") if "\n" in letters[:200] else 0
    padded = letters[-8:].count("=")
    return (len(letters) - broken) * 3 // 4 - padded


def _image(block: Block) -> Part | None:
    return _picture(block, _first(block, "image_url", "image", "source", "url"), "image")


def _audio(block: Block) -> Part | None:
    inner = _first(block, "input_audio", "audio", "source")
    if isinstance(inner, dict) and isinstance(inner.get("format"), str):
        inner = {**inner, "mime_type": f"audio/{inner['format']}"}
    return _picture(block, inner, "audio")


def _file(block: Block) -> Part | None:
    if block.get("modality") is not None:
        return _media(block)
    inner = _first(block, "file", "source", "data", "file_url", "file_id")
    return _picture(block, block if inner is None and "file_data" in block else inner, "file")


def _picture(block: Block, inner: Any, kind: str) -> Part | None:
    """Something with a source: a URL (also `data:`), an object that holds one, or raw data."""
    if isinstance(inner, str):
        local = inner.startswith("/") and not inner.startswith(_JPEG)
        where = "url" if local or "://" in inner[:16] or inner.startswith("data:") else "data"
        if inner == block.get("file_id"):
            where = "file_id"
        inner = {where: inner}
    elif isinstance(inner, list) or (isinstance(inner, dict) and ("0" in inner or inner.get("type") == "Buffer")):
        inner = {"data": inner}
    if not isinstance(inner, dict):
        return _media(block)
    out: Part = {"type": kind}
    mime = _first(inner, "mime_type", "media_type", "mimeType", "mediaType") or _first(block, "mediaType", "mimeType")
    if mime is not None:
        out["mime_type"] = mime
        if kind == "file" and isinstance(mime, str) and mime.startswith(("image/", "audio/")):
            out["type"] = mime[:5]
    for ours, names in (
        ("url", ("url", "uri", "image_url", "file_url", "fileUri", "file_uri")),
        ("data", ("data", "file_data", "base64")),
        ("file_id", ("file_id", "fileId")),
        ("name", ("filename", "name", "display_name")),
    ):
        value = _first(inner, *names)
        if value is not None:
            out[ours] = value
    size = _first(inner, "size", "byte_size", "size_bytes")
    if isinstance(size, int):
        out["size"] = size
    return _sized(out) if out.keys() & {"url", "data", "file_id"} else None


def _refusal(block: Block) -> Part | None:
    said = _first(block, "refusal", "content", "text")
    return {"type": "text", "text": said} if isinstance(said, str) else None


_TEXTS = frozenset({"text", "input_text", "output_text"})
_BY_TYPE: dict[str, Callable[[Block], Part | None]] = {
    "text": _text, "input_text": _text, "output_text": _text, "refusal": _refusal,
    "reasoning": _reasoning, "thinking": _reasoning, "redacted_thinking": _reasoning, "reasoning_content": _reasoning,
    "tool_call": _call, "tool-call": _call, "tool_use": _call, "function_call": _call, "function": _call,
    "server_tool_use": _call, "server_tool_call": _call, "mcp_tool_use": _call, "custom_tool_call": _call,
    "tool_call_response": _result, "tool_result": _result, "tool-result": _result, "function_call_output": _result,
    "server_tool_call_response": _result, "mcp_tool_result": _result, "custom_tool_call_output": _result,
    "reasoningContent": _bedrock_thought,
    "uri": _media, "blob": _media, "image_url": _image, "image": _image, "input_image": _image,
    "input_audio": _audio, "audio": _audio, "file": _file, "input_file": _file, "document": _file, "media": _media,
}  # fmt: skip
_BY_KEY: dict[str, Callable[[Block], Part | None]] = {
    "text": _untyped_text,
    "functionCall": _gemini_call,
    "function_call": _gemini_call,
    "functionResponse": _gemini_result,
    "function_response": _gemini_result,
    "inlineData": lambda block: _picture(block, block["inlineData"], "file"),
    "inline_data": lambda block: _picture(block, block["inline_data"], "file"),
    "fileData": lambda block: _picture(block, block["fileData"], "file"),
    "file_data": lambda block: _picture(block, block["file_data"], "file"),
    "toolUse": _bedrock_call,
    "toolResult": _bedrock_result,
    "reasoningContent": _bedrock_thought,
    "image": _bedrock_file("image"),
    "document": _bedrock_file("document"),
    "audio": _bedrock_file("audio"),
    "video": _bedrock_file("video"),
    "content": _text,
}
_BLOCK_KEYS = (_BY_KEY.keys() | CACHE_MARKERS | {"type"}) - {"content"}
