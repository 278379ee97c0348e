"""Themes, and the inks of a theme: what states, kinds and quiet words look like on its grounds.

Every theme, Textual's too, gets inks that can be read: a colour that is too close to the grounds it is painted on is
made lighter or darker until it stands out (contrast as WCAG 2.2, 1.4.3, has it). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TypeAlias

from textual.theme import Theme

from collector.errors import SettingsError

Rgb: TypeAlias = tuple[int, int, int]

READABLE = 4.5
"""WCAG's least contrast of text, AA; AAA is 7."""
STRONG = 7.0
VISIBLE = 1.7
"""Of lines, guides and thumbs, which say nothing that words do not."""
CURSOR_SHARE = 0.14
CURSOR_SHARE_LIGHT = 0.09
"""How much of the text's colour is in the ground of the line that the cursor is on; half of it when it is elsewhere."""

CONTRAST = ("tracetui-contrast", "tracetui-contrast-light")
SAFE = ("tracetui-safe", "tracetui-safe-light")

OWN = (
    Theme("tracetui", primary="#5aa9ff", secondary="#8c9eff", accent="#56c8d8", success="#7cb782", warning="#e0af68",
          error="#f7768e", background="#101317", surface="#181c22", panel="#181c22", foreground="#d5d9e0"),
    Theme("tracetui-light", primary="#1f6fd0", secondary="#5560c8", accent="#0b7285", success="#2f7d3b",
          warning="#8a5a00", error="#c22f4b", background="#fbfbf9", surface="#f1f1ee", panel="#f1f1ee",
          foreground="#24292f", dark=False),
    Theme("tracetui-contrast", primary="#7cc4ff", secondary="#b8c2ff", accent="#5ff2ff", success="#6bff7d",
          warning="#ffd84d", error="#ff8a9a", background="#000000", surface="#000000", panel="#000000",
          foreground="#ffffff"),
    Theme("tracetui-contrast-light", primary="#0033a0", secondary="#2a2a90", accent="#00474f", success="#00501a",
          warning="#5a3a00", error="#8a0020", background="#ffffff", surface="#ffffff", panel="#ffffff",
          foreground="#000000", dark=False),
    Theme("tracetui-safe", primary="#5ac8ff", secondary="#8fb4e8", accent="#9ad7f5", success="#4f8fd8",
          warning="#fff3a0", error="#ffb000", background="#101317", surface="#181c22", panel="#181c22",
          foreground="#d5d9e0"),
    Theme("tracetui-safe-light", primary="#2f6690", secondary="#3d5a80", accent="#1d4e79", success="#2b6cb0",
          warning="#4d3b00", error="#a04000", background="#fbfbf9", surface="#f1f1ee", panel="#f1f1ee",
          foreground="#1b1f24", dark=False),
)  # fmt: skip
DEFAULT = OWN[0].name

KINDS = {
    "agent": "#c9a26d", "llm": "#8c9eff", "tool": "#4db6ac", "retriever": "#aebd5f", "embedding": "#c58fb0",
    "chain": "#8796a8", "guardrail": "#d08770", "infra": "#7a8594", "number": "#d7b98e", "code": "#b8c7dd",
}  # fmt: skip
"""What kinds and values would look like on a dark ground."""

HEAT = ("#8a6fb8", "#c5608f", "#ec7d5a", "#f9bd4f")
"""Lightness grows with the level: told apart without seeing red from green, and the bars grow as well."""

SAFE_STATES = {"ok": 0.305, "running": 0.42, "error": 0.56, "abandoned": 0.78}
SAFE_STATES_LIGHT = {"ok": 0.105, "running": 0.072, "error": 0.044, "abandoned": 0.022}
"""Luminances of the states where hue must not be needed: any two differ by a quarter in contrast, or more."""

TERMINALS_OWN = {
    "text": "ansi_default", "quiet": "ansi_default", "faint": "ansi_bright_black", "title": "ansi_default",
    "accent": "ansi_cyan", "chip": "ansi_black",
    "ok": "ansi_green", "running": "ansi_blue", "error": "ansi_red", "abandoned": "ansi_yellow",
    "agent": "ansi_yellow", "llm": "ansi_blue", "tool": "ansi_cyan", "retriever": "ansi_green",
    "embedding": "ansi_magenta", "chain": "ansi_default", "guardrail": "ansi_red", "infra": "ansi_default",
    "number": "ansi_yellow", "code": "ansi_default",
    "heat-1": "ansi_magenta", "heat-2": "ansi_magenta", "heat-3": "ansi_red", "heat-4": "ansi_yellow",
    "cursor": "ansi_bright_black", "cursor-away": "ansi_default",
}  # fmt: skip
"""For themes that paint with the terminal's own sixteen colours, which nobody but the terminal knows."""


def known(name: str, names: Iterable[str]) -> str:
    """The name, if it is one. SettingsError says which there are."""
    names = sorted(names)
    if name in names:
        return name
    close = get_close_matches(name, names, n=1)
    raise SettingsError(
        f"there is no theme {name!r}" + (f"; did you mean {close[0]}?" if close else f"; there are {', '.join(names)}")
    )


def of_the_terminal(theme: Theme) -> bool:
    """Whether its colours are the terminal's own (Textual has such themes from 8.0 on)."""
    return bool(getattr(theme, "ansi", False))


def inks(theme: Theme) -> dict[str, str]:
    """Variables for the stylesheet by name: `ink-error` is "#f7768e" where the theme's red can be read as it is."""
    if of_the_terminal(theme):
        return {f"ink-{name}": colour for name, colour in TERMINALS_OWN.items()}
    found = _inks(theme)
    return {f"ink-{name}": _hex(colour) for name, colour in found.items()}


def _inks(theme: Theme) -> dict[str, Rgb]:
    given = (theme.background, theme.surface, theme.foreground)
    if None in given:  # Textual makes up what a theme leaves out
        base = theme.to_color_system().generate()
        given = (base["background"], base["surface"], base["foreground"])
    ground, surface, fore = (_rgb(one or "") for one in given)
    share = CURSOR_SHARE if theme.dark else CURSOR_SHARE_LIGHT
    cursor = mixed(fore, ground, share)
    grounds = [ground, surface, cursor]
    least = STRONG if theme.name in CONTRAST else READABLE
    text = readable(fore, grounds, least)
    found = {
        "text": text,
        "title": readable(mixed(text, ground, 0.8), grounds, least),
        "quiet": readable(mixed(text, ground, 0.6), grounds, least),
        "faint": readable(mixed(text, ground, 0.32), grounds, 3.0 if theme.name in CONTRAST else VISIBLE),
        "cursor": cursor, "cursor-away": mixed(fore, ground, share / 2),
    }  # fmt: skip
    accent = readable(_rgb(theme.accent or theme.primary), grounds, least)
    found |= {"accent": accent, "chip": readable(ground, [accent], READABLE)}
    found |= _states(theme, ground, grounds, least)
    for name, colour in KINDS.items():
        found[name] = readable(_rgb(colour), grounds, least)
    found |= _heat(grounds, theme.dark, least)
    return found


def _states(theme: Theme, ground: Rgb, grounds: Iterable[Rgb], least: float) -> dict[str, Rgb]:
    wanted = {
        "ok": mixed(_rgb(theme.success or theme.primary), ground, 0.8),
        "running": _rgb(theme.primary),
        "error": _rgb(theme.error or "#f7768e"),
        "abandoned": _rgb(theme.warning or "#e0af68"),
    }
    if theme.name in SAFE:
        lights = SAFE_STATES if theme.dark else SAFE_STATES_LIGHT
        own = {"ok": theme.success, "running": theme.primary, "error": theme.error, "abandoned": theme.warning}
        return {name: _of_light(_rgb(own[name] or ""), lights[name]) for name in wanted}
    return {name: readable(colour, grounds, least) for name, colour in wanted.items()}


def _heat(grounds: Iterable[Rgb], dark: bool, least: float) -> dict[str, Rgb]:
    """On a light ground the levels grow darker instead of lighter."""
    grounds = list(grounds)
    if dark:
        return {f"heat-{level}": readable(_rgb(one), grounds, least) for level, one in enumerate(HEAT, start=1)}
    lights = (0.16, 0.12, 0.075, 0.04) if least == READABLE else (0.08, 0.06, 0.035, 0.015)
    return {
        f"heat-{level}": readable(_of_light(_rgb(one), light), grounds, least)
        for level, (one, light) in enumerate(zip(HEAT, lights, strict=True), start=1)
    }


# Colours.


def luminance(colour: Rgb) -> float:
    """Relative luminance, 0 (black) to 1 (white): WCAG 2.2, definition of relative luminance."""
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in (part / 255 for part in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """1 (the same) to 21 (black on white)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour: Rgb, ground: Rgb, share: float) -> Rgb:
    """`share` of a colour over a ground."""
    red, green, blue = (round(under + (over - under) * share) for over, under in zip(colour, ground, strict=True))
    return red, green, blue


def readable(colour: Rgb, grounds: Iterable[Rgb], least: float) -> Rgb:
    """The colour, or the nearest towards white or black that has this contrast to all grounds; white or black where
    none has."""
    lights = [luminance(ground) for ground in grounds]

    def enough(one: Rgb) -> bool:
        light = luminance(one)
        return all((max(light, ground) + 0.05) / (min(light, ground) + 0.05) >= least for ground in lights)

    if enough(colour):
        return colour
    dark = sum(lights) / len(lights) < 0.18
    end: Rgb = (255, 255, 255) if dark else (0, 0, 0)
    low, high = 0.0, 1.0
    for _ in range(9):  # halving the way 9 times is finer than a step of a colour
        middle = (low + high) / 2
        low, high = (low, middle) if enough(mixed(end, colour, middle)) else (middle, high)
    return mixed(end, colour, high)


def _of_light(colour: Rgb, light: float) -> Rgb:
    """The colour, lightened or darkened to a luminance."""
    end: Rgb = (255, 255, 255) if luminance(colour) < light else (0, 0, 0)
    low, high = 0.0, 1.0
    for _ in range(10):
        middle = (low + high) / 2
        short = (luminance(mixed(end, colour, middle)) < light) == (end[0] == 255)
        low, high = (middle, high) if short else (low, middle)
    return mixed(end, colour, high)


def _rgb(text: str) -> Rgb:
    if len(text) == 7 and text[0] == "#":
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
    from textual.color import Color

    return Color.parse(text).rgb


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
