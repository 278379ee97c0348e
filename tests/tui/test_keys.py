"""Search, commands, the editor and a key map of one's own."""

from __future__ import annotations

import importlib
import pkgutil
import stat
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from collector.errors import SettingsError
from tracetui import editor, keymap, screens
from tracetui.screens.base import ExplorerScreen
from tracetui.screens.command import UnknownCommand, understood, words
from tracetui.screens.lists import SessionsScreen, TracesScreen
from tracetui.screens.search import SearchScreen, as_typed
from tracetui.screens.trace import TraceScreen

from .fakes import FakeReader, agent_spans, make_app, make_span, make_trace, some_traces
from .until import screen_text, shows, until

ALL = ("list", "lists", "trace", "screen", "app")


async def test_search_finds_while_one_types_and_opens_the_trace_at_that_span() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("slash", *"refun")
        await until(pilot, lambda: shows(pilot, "1 hit", "they said refund here"))
        await pilot.press("enter", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and shows(pilot, "▸ ├── ⚒ refund"))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, SearchScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesScreen))


async def test_a_search_that_finds_nothing_says_so() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("slash", *"zzz")
        await until(pilot, lambda: shows(pilot, "Nothing that was said holds zzz"))


async def test_hostile_snippets_stay_on_their_line() -> None:
    name = "\x1b[31mred [/b] 日本語 [@click=app.quit]x\n"
    reader = FakeReader([make_trace(0)], [make_span(1, name=name)])
    async with make_app(reader).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("slash", *"red")
        await until(pilot, lambda: shows(pilot, "1 hit", "日本語 [@click"))
        assert "\x1b" not in screen_text(pilot)


def test_the_last_word_typed_may_go_on() -> None:
    assert [as_typed(text) for text in ("order 789", '"order 78', "order ", "")] == [
        "order 789*",
        '"order 78',
        "order*",
        "",
    ]


async def test_a_command_is_typed_and_completed() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("colon", *"sess", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionsScreen))
        await pilot.press("1", "colon", *"filter wea", "enter")
        await until(pilot, lambda: shows(pilot, "/ wea", "weather_agent") and not shows(pilot, "summarise"))
        await pilot.press("colon", *"open 0000", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and shows(pilot, "get_order"))
        await pilot.press("colon", *"next-e", "enter")
        await until(pilot, lambda: shows(pilot, "PermissionError"))


async def test_a_command_that_is_none_is_answered_with_a_sentence() -> None:
    async with make_app(FakeReader(some_traces())).run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("colon", *"zzz", "enter")
        await until(pilot, lambda: shows(pilot, "no command here"))


def test_commands_are_understood_by_their_beginning() -> None:
    known = words(ALL)
    assert understood("q", known)[0].action == "leave"
    assert understood(":search order 789", known) == (
        next(word for word in known if word.name == "search"),
        "order 789",
    )
    for text in ("f", "nonsense", "open"):
        with pytest.raises(UnknownCommand):
            understood(text, known)


async def test_the_editor_gets_what_the_tab_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    script = "import os,sys; p=sys.argv[2]; open(sys.argv[1],'w').write(oct(os.stat(p).st_mode)+p+'\\n'+open(p).read())"
    monkeypatch.setenv("VISUAL", f'{sys.executable} -c "{script}" {seen}')
    app = make_app(FakeReader(some_traces(), agent_spans()))
    monkeypatch.setattr(app, "suspend", nullcontext)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter", "j")
        await until(pilot, lambda: shows(pilot, "Anything else?"))
        await pilot.press("e")
        await until(pilot, seen.exists)
    told = seen.read_text()
    assert "## user\n\nWhere is my order 789?" in told
    assert "**delivered** yesterday.\nAnything else?" in told
    head = told.splitlines()[0]
    assert stat.S_IMODE(int(head[: head.index("/")], 8)) == 0o600
    assert not Path(head[head.index("/") :]).exists()


@pytest.mark.parametrize(
    "env", [{"PATH": "/"}, {"EDITOR": " ", "PATH": "/"}, {"VISUAL": "no-such-editor-here -w"}, {"EDITOR": "a 'b"}]
)
def test_without_an_editor_it_says_what_to_set(env: dict[str, str]) -> None:
    with pytest.raises(editor.NoEditor, match="VISUAL"):
        editor.command(env)


async def test_keys_can_be_others() -> None:
    app = make_app(FakeReader(some_traces()), keys={"lists.filter": "ctrl+o", "screen.search": "f"})
    async with app.run_test(size=(160, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent", "ctrl+o filter", "f search"))
        await pilot.press("ctrl+o", *"wea", "enter")
        await until(pilot, lambda: shows(pilot, "/ wea"))
        await pilot.press("f")
        await until(pilot, lambda: isinstance(pilot.app.screen, SearchScreen))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"lists.fliter": "x"}, "no command 'lists.fliter'; did you mean lists.filter"),
        ({"lists.filter": "hyper+x"}, "is no key"),
        ({"lists.filter": "nokey"}, "is no key"),
        ({"lists.filter": "j"}, "lists.filter and list.down are both on j"),
    ],
)
def test_a_key_map_that_makes_no_sense_is_refused_with_a_sentence(keys: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        keymap.remapped(keys)


def test_keys_are_written_as_characters_or_names() -> None:
    keys = {key.action: key for key in keymap.remapped({"lists.filter": "ctrl+o, /", "screen.search": "f"})}
    assert (keys["filter"].keys, keys["filter"].sign) == ("ctrl+o,slash", "ctrl+o /")


async def test_the_critical_path_is_walked_and_a_span_zoomed_into() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "get_order"))
        tree = pilot.app.screen.waterfall
        await pilot.press("right_square_bracket")
        assert tree.outline.critical[tree.selected]
        whole = tree.view
        await pilot.press("z")
        assert tree.view[1] - tree.view[0] < whole[1] - whole[0]
        await pilot.press("z")
        assert tree.view == whole


def every_screen() -> list[type[ExplorerScreen]]:
    for module in pkgutil.iter_modules(screens.__path__):
        importlib.import_module(f"{screens.__name__}.{module.name}")
    found, waiting = set[type[ExplorerScreen]](), [ExplorerScreen]
    while waiting:
        found |= (below := set(waiting.pop().__subclasses__()))
        waiting += below
    return sorted(found, key=lambda screen: screen.__qualname__)


def groups_of(kind: type[DOMNode]) -> set[str]:
    """The groups that the table names in the bindings of a class and of what it is made from."""
    known = {f"{key.group}.{key.action}": key.group for key in keymap.KEYS}
    own = [one for node in kind.__mro__ for one in vars(node).get("BINDINGS", ()) if isinstance(one, Binding)]
    return {known[one.id] for one in own if one.id in known and one.id != "lists.filter"}


def test_groups_that_are_live_on_one_screen_are_checked_against_each_other() -> None:
    together = [set(groups) for groups in keymap.TOGETHER]
    for screen in every_screen():
        own = groups_of(screen) | {"screen", "app", "run"}
        assert any(own <= groups for groups in together), (screen, own)
        assert own <= {*screen.key_groups, "app", "run", "lists"}, f"keys of {screen} that its help leaves out"
    assert {key.group for key in keymap.KEYS} == set().union(*together)


@pytest.mark.parametrize("groups", keymap.TOGETHER, ids=lambda groups: "+".join(groups[:-3]))
def test_no_key_does_two_things_at_once(groups: tuple[str, ...]) -> None:
    held: dict[str, str] = {}
    for key in (key for key in keymap.KEYS if key.group in groups):
        name = f"{key.group}.{key.action}"
        for one in key.keys.split(","):
            other = held.setdefault(one, name)
            assert other == name or keymap.IN_FRONT.get(name) == other or keymap.IN_FRONT.get(other) == name, one


def test_a_key_of_a_trace_cannot_hide_one_that_holds_everywhere() -> None:
    with pytest.raises(SettingsError, match=r"trace.root and app.leave are both on q"):
        keymap.remapped({"trace.root": "q"})
    assert keymap.remapped({"trace.tab(1)": "ctrl+t"})  # the numbers stand in front on purpose


def test_help_begins_with_what_is_live_here_and_leaves_nothing_out() -> None:
    here = [title for title, _ in keymap.help_sections(here=("list", "trace", "screen", "app"))]
    assert here[:5] == ["Inside a trace", "In the inspector", "Moving", "Everywhere", "Screens"]
    assert sorted(here) == sorted(title for title, _ in keymap.help_sections())
