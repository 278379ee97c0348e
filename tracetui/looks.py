"""How a cell of a terminal is painted, and how programs say so (CSI … m). Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

Colour: TypeAlias = int | tuple[int, int, int] | None
"""A number of the 256 colours, red green blue, or the terminal's own."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a cell is painted."""

    fg: Colour = None
    bg: Colour = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False


PLAIN = Look()


def numbers(params: str) -> list[int]:
    """`1;22;` as [1, 22, 0], of whatever stands there only so much as is a number, none above 9999."""
    found = []
    for part in params[:200].split(";"):
        digits = part.partition(":")[0]
        found.append(int(digits[:4]) if digits.isdecimal() else 0)
    return found


_SWITCHES = {1: ("bold", True), 2: ("dim", True), 3: ("italic", True), 4: ("underline", True), 7: ("reverse", True),
             9: ("strike", True), 23: ("italic", False), 24: ("underline", False), 27: ("reverse", False),
             29: ("strike", False)}  # fmt: skip


def painted(look: Look, params: str) -> Look:
    """The look after `CSI params m` (ECMA-48 8.3.117; 38 and 48 as ITU T.416 and xterm have them)."""
    codes = numbers(params.replace(":", ";"))
    changes: dict[str, object] = {}
    at = 0
    while at < len(codes):
        code = codes[at]
        at += 1
        if code == 0:
            look, changes = PLAIN, {}
        elif code in _SWITCHES:
            name, on = _SWITCHES[code]
            changes[name] = on
        elif code == 22:
            changes |= {"bold": False, "dim": False}
        elif code in (38, 48):
            colour, at = _extended(codes, at)
            changes["fg" if code == 38 else "bg"] = colour
        elif code in (39, 49):
            changes["fg" if code == 39 else "bg"] = None
        elif 30 <= code <= 37 or 90 <= code <= 97:
            changes["fg"] = code - 30 if code < 40 else code - 82
        elif 40 <= code <= 47 or 100 <= code <= 107:
            changes["bg"] = code - 40 if code < 50 else code - 92
    return replace(look, **changes) if changes else look  # type: ignore[arg-type]  # by their names


def _extended(codes: list[int], at: int) -> tuple[Colour, int]:
    kind = codes[at] if at < len(codes) else 0
    if kind == 5 and at + 1 < len(codes):
        return min(codes[at + 1], 255), at + 2
    if kind == 2 and at + 3 < len(codes):
        rgb = codes[at + 1 : at + 4]
        return (min(rgb[0], 255), min(rgb[1], 255), min(rgb[2], 255)), at + 4
    return None, len(codes)
