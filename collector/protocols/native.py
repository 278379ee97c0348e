"""Our own format: JSON lines, one object a line. What is in the file, and nothing lost.

    {"type": "span", "trace_id": …, "span_id": …, "name": …, "attributes": {…}, "reading": {…}, …}
    {"type": "score", "score_id": …, "name": …, "value": …, …}
    {"type": "process", "process_id": …, "pid": …, …}
    {"type": "sampled_out", "reason": …, "count": …, "process_id": …, "total": …}
    {"type": "lost", "reason": …, "count": …, "process_id": …, "total": …}
    {"type": "prompt" | "dataset" | "example" | "experiment" | "experiment_run" | "media" | "media_use"
     | "score_config", …}

The last kinds are the items of the library, each with the fields of its class (`collector.library`).
"sampled_out" and "lost" count spans that a sampler left out, and that a program had to drop; `total` is what that
process has counted for the reason so far, so that the same line may come twice.

Only what is set is written; unknown fields are skipped when read (a newer version may have written them).
JSON cannot hold everything a value may be: {"$b": base64} is bytes, {"$f": "nan"} a float that is no number,
{"$i": "…"} an integer beyond 64 bits, {"$s": base64 of UTF-16} text with half a surrogate pair, and
{"$o": {…}} an object that looks like one of these.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any, TypeAlias

import orjson

from collector import library, partjson
from collector.errors import DecodeError
from collector.model import Batch, Process, Refusal, Score, SpanPart
from collector.protocols.checking import check
from collector.protocols.limits import Refusals

_Plain: TypeAlias = "Score | Process | library.Item"
Item: TypeAlias = "SpanPart | _Plain"
SOURCE = "native"

_SHELVED: dict[str, type[library.Item]] = {
    "prompt": library.Prompt, "dataset": library.Dataset, "example": library.Example,
    "experiment": library.Experiment, "experiment_run": library.ExperimentRun, "media": library.Media,
    "media_use": library.MediaUse, "score_config": library.ScoreConfig,
}  # fmt: skip
_PLAIN: dict[str, type[_Plain]] = {"score": Score, "process": Process, **_SHELVED}
_TYPES: dict[type, str] = {SpanPart: "span", **{cls: name for name, cls in _PLAIN.items()}}
TYPES = (*_TYPES.values(), "sampled_out", "lost")
_FIELDS: dict[type, list[tuple[str, Any]]] = {
    cls: [(f.name, f.default) for f in fields(cls)] for cls in _PLAIN.values()
}
_NEEDED: dict[type, list[str]] = {cls: [f.name for f in fields(cls) if f.default is MISSING] for cls in _PLAIN.values()}
_TUPLES = frozenset({"labels", "tags"})
_ESCAPES = frozenset({"$b", "$f", "$i", "$s", "$o"})


def encode(item: Item) -> str:
    """One line, without the newline."""
    return _line(item).decode()


def encode_batch(batch: Batch) -> bytes:
    """A body: every part, score and process of a batch, what was sampled out and what its process lost, a line each.

    Not what else was refused: that never was a span.
    """
    items: list[Item] = [*batch.parts, *batch.scores, *batch.processes]
    items += [one for one in batch.library if type(one) in _TYPES]
    counts = [_line_count("sampled_out", one) for one in batch.sampled_out]
    counts += [_line_count("lost", one) for one in batch.refused if one.total]
    return b"".join([line + b"\n" for line in (*map(_line, items), *counts)])


def _line_count(kind: str, one: Refusal) -> bytes:
    said: dict[str, Any] = {"type": kind, "reason": one.reason, "count": one.count}
    if one.total:
        said |= {"process_id": one.process_id, "total": one.total}
    return orjson.dumps(said)


def encode_left_out(one: Refusal) -> str:
    """What sampling left out, by reason, as one line without the newline."""
    return _line_count("sampled_out", one).decode()


def decode(lines: Iterable[str | bytes]) -> Batch:
    """The items of these lines (blank ones are skipped). A line that cannot be read is refused, the rest goes on."""
    found: dict[str, list[Any]] = {"span": [], "score": [], "process": [], "library": []}
    refusals = Refusals()
    counts: dict[str, list[Refusal]] = {"sampled_out": [], "lost": []}
    for line in lines:
        if not line.strip():
            continue
        try:
            if (counted := _count(line)) is not None:
                counts[counted[0]].append(counted[1])
                continue
            item = decode_line(line)
        except DecodeError as error:
            refusals.add(str(error), line if isinstance(line, str) else line.decode(errors="replace"))
        else:
            kind = _TYPES[type(item)]
            found["library" if kind in _SHELVED else kind].append(item)
    return Batch(
        SOURCE, tuple(found["span"]), tuple(found["score"]), tuple(found["process"]),
        (*refusals.result(), *counts["lost"]), tuple(counts["sampled_out"]), tuple(found["library"]),
    )  # fmt: skip


def _count(line: str | bytes) -> tuple[str, Refusal] | None:
    """What kind of count a line is, and the count; None for any other line."""
    start = line[:40] if isinstance(line, str) else line[:40].decode(errors="replace")
    kind = next((kind for kind in ("sampled_out", "lost") if f'"{kind}"' in start), None)
    if kind is None:
        return None
    try:
        said = orjson.loads(line)
        if said["type"] != kind:
            return None
        count, total = int(said["count"]), int(said.get("total", 0))
        if count < 0 or not 0 <= total < 2**63:
            raise ValueError(f"count {count}, total {total}")
        return kind, Refusal(str(said["reason"]), "", count, (), str(said.get("process_id", ""))[:64], total)
    except (ValueError, KeyError, TypeError) as error:
        raise DecodeError(f"a {kind} that lacks something or has it in the wrong shape: {error}"[:160]) from error


def decode_body(body: bytes) -> Batch:
    return decode(body.splitlines() if b"\r" not in body else body.replace(b"\r\n", b"\n").split(b"\n"))


def decode_line(line: str | bytes) -> Item:
    try:
        data = orjson.loads(line)
    except ValueError as error:
        raise DecodeError("not a line of JSON") from error
    if not isinstance(data, dict):
        raise DecodeError("a line of JSON, but not an object")
    kind = data.pop("type", None)
    try:
        if kind == "span":
            return _part(_restored(data))
        if kind in _PLAIN:
            return _plain(_PLAIN[kind], _restored(data))
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise DecodeError(f"a {kind} that lacks something or has it in the wrong shape: {error}"[:160]) from error
    raise DecodeError(f"type is none of {', '.join(_TYPES.values())}")


def _part(data: dict[str, Any]) -> SpanPart:
    part = partjson.from_json(data)
    if not (_is_id(part.trace_id, 32) and _is_id(part.span_id, 16)):
        raise ValueError("trace_id or span_id is not an id")
    if part.parent_id is not None and not _is_id(part.parent_id, 16):
        raise ValueError("parent_id is not an id")
    check(part)
    return part


def _is_id(text: Any, length: int) -> bool:
    return (
        isinstance(text, str) and len(text) == length and not text.strip("0123456789abcdef") and bool(text.strip("0"))
    )


def _plain(cls: type[_Plain], data: dict[str, Any]) -> _Plain:
    missing = [name for name in _NEEDED[cls] if name not in data]
    if missing:
        raise ValueError(f"no {', '.join(missing)}")
    given: dict[str, Any] = {name: data[name] for name, _ in _FIELDS[cls] if name in data}
    for name in _TUPLES & given.keys():
        given[name] = tuple(given[name]) if type(given[name]) is list else given[name]
    made = cls(**given)
    check(made)
    return made


def _line(item: Item) -> bytes:
    kind = _TYPES[type(item)]
    if isinstance(item, SpanPart):
        said = partjson.to_json(item)
        if (line := _plain_line({"type": kind, **said})) is not None:
            return line
    else:
        said = {
            name: value
            for name, default in _FIELDS[type(item)]
            if (value := getattr(item, name)) is not default and (value != default or type(value) is not type(default))
        }
    return orjson.dumps({"type": kind, **{name: _json_ready(value) for name, value in said.items()}})


def _plain_line(said: dict[str, Any]) -> bytes | None:
    """The line, where JSON can hold all of it as it is: nearly always, and in a third of the time.

    None where it cannot: bytes, integers beyond 64 bits, half surrogates and foreign keys make orjson raise; a float
    that is no number comes out as null, of which none else is written but within values; `"$` may be a key of ours.
    """
    try:
        line = orjson.dumps(said, option=orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:
        return None
    return None if b"null" in line or b'"$' in line else line


def _json_ready(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _text(value)
    if kind is dict:
        made = {(k if type(k) is str and k.isascii() else _key(k)): _json_ready(v) for k, v in value.items()}
        return {"$o": made} if len(made) == 1 and not _ESCAPES.isdisjoint(made) else made
    if kind is list or kind is tuple:
        return [_json_ready(item) for item in value]
    if kind is float:
        return value if math.isfinite(value) else {"$f": str(value)}
    if kind is int:
        return value if -(2**63) <= value < 2**63 else {"$i": str(value)}
    if kind is bytes:
        return {"$b": base64.b64encode(value).decode()}
    if value is None or kind is bool:
        return value
    return _json_ready(_base(value))


def _base(value: Any) -> Any:
    """A subclass (an enum, numpy's str) as what it is underneath; anything else as its text."""
    kinds: tuple[Any, ...] = (int, float, str, bytes, dict, list, tuple)
    return next((kind(value) for kind in kinds if isinstance(value, kind)), None) or repr(value)


def _text(value: str) -> Any:
    try:
        value.encode()
    except UnicodeEncodeError:
        return {"$s": base64.b64encode(value.encode("utf-16-le", "surrogatepass")).decode()}
    return value


def _key(key: Any) -> str:
    return str(key).encode(errors="replace").decode()


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1:
            name, said = next(iter(value.items()))
            if name in _ESCAPES:
                return _unescaped(name, said)
        return {key: _restored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item) for item in value]
    return value


def _unescaped(name: str, said: Any) -> Any:
    if name == "$o":
        return {key: _restored(item) for key, item in said.items()}
    if name == "$f":
        return float(said)
    if name == "$i":
        return int(said)
    data = base64.b64decode(said)
    return data if name == "$b" else data.decode("utf-16-le", "surrogatepass")
