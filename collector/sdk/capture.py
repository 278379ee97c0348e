"""Copies of the host's values, taken on the host's thread: cheap, bounded, and never raising.

Strings, numbers and None are kept by reference (they cannot change); containers are copied, because the
host may change them before the worker gets to write. Of anything else its type and a bounded form is kept,
taken without running a line of the host's code: a `__repr__` may raise, block or never end. So nothing here
refers to an object of the host's, and nothing it defines is called.
"""

from __future__ import annotations

from contextlib import suppress
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

MAX_NODES = 10_000
MAX_DEPTH = 40
MAX_FIELDS = 20
"""Of an object that is no record (a client, a connection), so many plain fields are shown."""
SCALARS = frozenset({str, int, float, bool, type(None)})
MAX_FILE = 16_000_000
"""Bytes of a file that are kept; of a longer one its type and size."""
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"), (b"ID3", "audio/mpeg"), (b"OggS", "audio/ogg"), (b"fLaC", "audio/flac"),
)  # fmt: skip
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp"}
OVERHEAD_BYTES = 56
"""What a small object costs the queue, besides its text."""

_SAFE_TEXT = frozenset({
    "datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone",
    "decimal.Decimal", "fractions.Fraction", "uuid.UUID", "complex", "range", "slice",
    "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath",
    "pathlib._local.PosixPath", "pathlib._local.WindowsPath", "pathlib._local.PurePosixPath",
    "pathlib._local.PureWindowsPath", "zoneinfo.ZoneInfo",
    "ipaddress.IPv4Address", "ipaddress.IPv6Address",
})  # fmt: skip
"""Types of the interpreter and its library whose text says it all and is made by code we know."""
_SHAPED = frozenset({"numpy", "pandas", "torch", "polars", "jax", "jaxlib", "tensorflow"})


def capture(value: object) -> tuple[Any, int]:
    """Return a JSON-ready copy of `value` and its size in bytes, roughly. Never raises.

    An object becomes {"type": "module.Class"} with "fields" (records: dataclasses, pydantic, attrs, and the plain
    fields of others), "shape" and "dtype" (arrays) or "size" in bytes (binary). Bytes that begin as a picture, a sound
    or a PDF does are kept, with their "mime_type"; of all others only the size, for they may hold anything.
    """
    kind = type(value)
    if kind is str:
        return value, len(value)  # type: ignore[arg-type]  # narrowed by the exact type
    if kind in SCALARS:
        return value, 0
    budget = _Budget()
    try:
        return budget.copy(value, 0), budget.size
    except BaseException as e:
        if isinstance(e, KeyboardInterrupt | SystemExit):
            raise
        return {"type": type_of(kind), "lost": f"could not be captured: {type(e).__name__}"}, OVERHEAD_BYTES


class _Budget:
    """One capture: counts nodes, so that a huge structure costs a bounded time."""

    __slots__ = ("nodes", "size")

    def __init__(self) -> None:
        self.nodes = 0
        self.size = 0

    def copy(self, value: Any, depth: int) -> Any:
        self.nodes += 1
        kind = type(value)
        if kind is str:
            self.size += len(value)
            return value
        if kind in SCALARS:
            return value
        self.size += OVERHEAD_BYTES
        if depth >= MAX_DEPTH or self.nodes > MAX_NODES:
            return "…"
        return self.container(value, kind, depth + 1)

    def container(self, value: Any, kind: type, depth: int) -> Any:
        """The methods of `dict`, `list` … themselves are called: a subclass may have overridden its own."""
        if issubclass(kind, dict):
            return self.mapping(tuple(dict.items(value)), depth)
        for base in (list, tuple, set, frozenset):
            if issubclass(kind, base):
                return self.sequence(tuple(base.__iter__(value)), depth)
        return self.other(value, kind, depth)

    def mapping(self, value: tuple[tuple[Any, Any], ...], depth: int) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        for key, item in value:
            if self.nodes > MAX_NODES:
                copied["…"] = f"{len(value) - len(copied)} more"
                break
            copied[key if type(key) is str else self.key(key)] = self.copy(item, depth)
        return copied

    def key(self, key: Any) -> str:
        copied = self.copy(key, MAX_DEPTH - 2)
        return copied if isinstance(copied, str) else str(copied)

    def sequence(self, value: tuple[Any, ...], depth: int) -> list[Any]:
        copied: list[Any] = []
        for item in value:
            if self.nodes > MAX_NODES:
                copied.append(f"… {len(value) - len(copied)} more")
                break
            copied.append(self.copy(item, depth))
        return copied

    def other(self, value: Any, kind: type, depth: int) -> Any:
        plain = _plain(value, kind)
        if plain is not None:
            self.size += len(plain) if isinstance(plain, str) else 0
            return plain
        described: dict[str, Any] = {"type": type_of(kind)}
        if issubclass(kind, bytes | bytearray | memoryview):
            described["size"] = size = _buffer_size(value, kind)
            if kind is bytes and size <= MAX_FILE and (mime := _mime_of(value)) is not None:
                described |= {"mime_type": mime, "data": value}
                self.size += size
        elif issubclass(kind, BaseException):
            described["args"] = self.copy(BaseException.args.__get__(value), depth)  # type: ignore[attr-defined]
        elif kind.__module__.partition(".")[0] in _SHAPED:
            described |= _shape(value)
        elif fields := _fields(value, kind):
            described["fields"] = self.mapping(tuple(fields.items()), depth)
        return described


def _plain(value: Any, kind: type) -> Any:
    """What a value of a known type amounts to; None for all others."""
    if issubclass(kind, str):  # a subclass, such as a StrEnum
        return str.__str__(value)
    if issubclass(kind, int):
        return int.__int__(value)
    if issubclass(kind, float):
        return float.__float__(value)
    if type_of(kind) in _SAFE_TEXT:
        return str(value)
    if kind in (FunctionType, BuiltinFunctionType, MethodType, type):
        return f"<{_kind_name(kind)} {value.__module__}.{value.__qualname__}>"
    return f"<module {value.__name__}>" if kind is ModuleType else None


def _kind_name(kind: type) -> str:
    return "class" if kind is type else "function"


def _buffer_size(value: Any, kind: type) -> int:
    if issubclass(kind, memoryview):
        return int(value.nbytes)
    return bytes.__len__(value) if issubclass(kind, bytes) else bytearray.__len__(value)


def _mime_of(data: bytes) -> str | None:
    """What kind of picture, sound or document this is; None for anything else."""
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    return next((mime for beginning, mime in _BEGINNINGS if data.startswith(beginning)), None)


def _shape(value: Any) -> dict[str, Any]:
    """Arrays and tables of the known libraries: how large, of what. A single number is that number."""
    shape = getattr(value, "shape", None)
    found: dict[str, Any] = {}
    if isinstance(shape, tuple):
        found["shape"] = [int(size) for size in shape]
        if not shape and hasattr(value, "item"):
            number = value.item()
            if type(number) in SCALARS:
                found["value"] = number
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        found["dtype"] = str(dtype)
    return found


def _fields(value: Any, kind: type) -> dict[str, Any]:
    """A record's fields, or some plain ones of any other object; read past whatever the class overrides."""
    held = _held(value, kind)
    declared = _declared(kind)
    if declared:
        return {name: held[name] for name in declared if name in held}
    plain = {
        name: item for name, item in held.items()
        if type(name) is str and not name.startswith("_") and type(item) in SCALARS
    }  # fmt: skip
    return dict(list(plain.items())[:MAX_FIELDS])


def _declared(kind: type) -> tuple[str, ...]:
    """Names of the fields of a dataclass, pydantic model or attrs class; () for all else."""
    for mark in ("__dataclass_fields__", "__pydantic_fields__", "model_fields"):
        for base in kind.__mro__:
            if isinstance(found := base.__dict__.get(mark), dict):
                return tuple(found)
    attrs = next((base.__dict__["__attrs_attrs__"] for base in kind.__mro__ if "__attrs_attrs__" in base.__dict__), ())
    return tuple(one.name for one in attrs)


def _held(value: Any, kind: type) -> dict[str, Any]:
    held: dict[str, Any] = {}
    with suppress(AttributeError, TypeError):  # only slots
        held.update(dict.copy(object.__getattribute__(value, "__dict__")))
    for base in kind.__mro__:
        for name, slot in tuple(base.__dict__.items()):
            if isinstance(slot, MemberDescriptorType) and name not in held:
                try:
                    held[name] = slot.__get__(value)
                except AttributeError:
                    continue  # never set
    return held


def type_of(kind: type) -> str:
    """The class with its module; without it for builtins."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
