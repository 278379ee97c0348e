"""Themes: what is written can be read on all of them, states differ without hue on some, and the choice is kept."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from collector.errors import SettingsError
from tracetui import themes
from tracetui.remembered import Remembered

from .fakes import FakeReader, make_app, some_traces
from .until import shows, until

ALL = [*themes.OWN, *BUILTIN_THEMES.values()]
PAINTED = [theme for theme in ALL if not themes.of_the_terminal(theme)]
GROUNDS = ("background", "surface")
NO_TEXT = ("faint", "cursor", "cursor-away", "chip")
STATES = ("ok", "running", "error", "abandoned")


def contrast(one: Color, other: Color) -> float:
    """As WCAG 2.2 has it; worked out here, not by what is tested."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Color) -> float:
    parts = [part / 255 for part in colour.rgb]
    red, green, blue = (((part + 0.055) / 1.055) ** 2.4 if part > 0.04045 else part / 12.92 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colours(theme: Theme) -> dict[str, Color]:
    return {name.removeprefix("ink-"): Color.parse(said) for name, said in themes.inks(theme).items()}


@pytest.mark.parametrize("theme", PAINTED, ids=lambda theme: theme.name)
def test_every_ink_can_be_read_on_every_ground_of_the_theme(theme: Theme) -> None:
    found, made = colours(theme), theme.to_color_system().generate()
    grounds = [Color.parse(made[name]) for name in GROUNDS] + [found["cursor"], found["cursor-away"]]
    least = 7.0 if "contrast" in theme.name else 4.5
    for name in set(found) - set(NO_TEXT):
        for ground in grounds:
            assert contrast(found[name], ground) >= least - 0.01, (name, found[name].hex, ground.hex)
    assert contrast(found["chip"], found["accent"]) >= 4.5
    assert contrast(found["faint"], grounds[0]) >= 1.7


@pytest.mark.parametrize("name", themes.SAFE)
def test_states_differ_without_hue_where_hue_is_not_seen(name: str) -> None:
    found = colours(next(theme for theme in themes.OWN if theme.name == name))
    for one, other in combinations(STATES, 2):
        assert contrast(found[one], found[other]) >= 1.25, (one, other)


@pytest.mark.parametrize("theme", PAINTED, ids=lambda theme: theme.name)
def test_heat_grows_in_one_direction(theme: Theme) -> None:
    found = colours(theme)
    ground = luminance(found["cursor-away"])
    apart = [abs(luminance(found[f"heat-{level}"]) - ground) for level in (1, 2, 3, 4)]
    assert apart[0] <= apart[1] + 0.01
    assert apart[1] <= apart[2] + 0.01
    assert apart[2] <= apart[3] + 0.01


def test_there_are_light_and_dark_ones_with_more_contrast_and_without_hue() -> None:
    assert {(theme.name, theme.dark) for theme in themes.OWN} == {
        ("tracetui", True), ("tracetui-light", False), ("tracetui-contrast", True), ("tracetui-contrast-light", False),
        ("tracetui-safe", True), ("tracetui-safe-light", False),
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["tracetui-light", "tracetui-safe", pytest.param("ansi-dark", marks=pytest.mark.latest), "dracula"]
)
async def test_a_theme_is_put_on_and_remembered(name: str, state: Path) -> None:
    async with make_app(FakeReader(some_traces())).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        assert not (state / "layout.json").exists()  # nothing was chosen
        await pilot.press("colon", *f"theme {name}", "enter")
        await until(pilot, lambda: pilot.app.theme == name)
        await until(pilot, lambda: Remembered().get("theme") == name)
    async with make_app(FakeReader(some_traces())).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        assert pilot.app.theme == name


def test_what_is_written_down_wins_over_what_was_chosen_last(monkeypatch: pytest.MonkeyPatch) -> None:
    Remembered().put("theme", "nord")
    assert make_app(FakeReader()).theme == "nord"
    monkeypatch.setenv("TEXTUAL_THEME", "dracula")
    assert make_app(FakeReader()).theme == "dracula"
    assert make_app(FakeReader(), theme="tracetui-contrast").theme == "tracetui-contrast"


@pytest.mark.parametrize("odd", ["no-such-theme", 7, None, ["nord"]])
def test_a_theme_that_is_gone_is_not_missed(odd: object) -> None:
    Remembered().put("theme", odd)
    assert make_app(FakeReader()).theme == themes.DEFAULT


def test_a_setting_that_names_no_theme_is_refused_with_a_sentence() -> None:
    with pytest.raises(SettingsError, match=r"there is no theme 'tracetui-lite'; did you mean tracetui-light\?"):
        make_app(FakeReader(), theme="tracetui-lite")
    with pytest.raises(SettingsError, match=r"there are .*tracetui-safe"):
        make_app(FakeReader(), theme="zzz")
