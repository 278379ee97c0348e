"""Lists in any order, their columns, groups, saved views, failures: on a real file, key by key."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import Input

from collector.errors import StoreError
from collector.model import Reading, Usage
from collector.settings import resolve
from tests.builders import MS, T0, assistant, conversation, make_part, trace_id, user
from tests.store_read.files import make_trace, write
from tracetui.app import Explorer
from tracetui.cli.explore import make_source
from tracetui.screens.errors import ErrorsScreen
from tracetui.screens.groups import GroupsScreen
from tracetui.screens.lists import TracesScreen
from tracetui.screens.search import Hits, as_typed
from tracetui.screens.trace import TraceScreen
from tracetui.views import save_view
from tracetui.widgets.columns import Column, Look, Order, column_at, head, laid_out
from tracetui.widgets.filter_bar import FilterBar
from tracetui.widgets.window_list import WindowList

from .hostile import HOSTILE
from .until import screen_text, shows, until

SIZES = [(80, 24), (200, 50)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of one's own: settings, state and the working directory."""
    for name in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    return tmp_path


@pytest.fixture
def db(home: Path) -> Path:
    """Nine traces: dearer and dearer but for those of no known cost; two that failed alike."""
    parts = [
        make_trace(
            n, name=f"agent_{n}", kind="llm", model=f"model-{n % 2}", service="shop" if n < 6 else HOSTILE[0],
            session_id=f"s{n % 3}", user_id=HOSTILE[1] if n == 4 else None, took_ms=(n * 7) % 10 + 1,
            cost_nanousd=n * 10**9 if n % 4 else None, usage=Usage(100 * n, n),
        )
        for n in range(1, 8)
    ]  # fmt: skip
    failed = [
        make_trace(n, name="agent_1", service="shop", status="error", status_message=f"{HOSTILE[3]} order {n} lost",
                   error_type="LostError", user_id="u9")
        for n in (8, 9)
    ]  # fmt: skip
    return write(home / "traces.db", *parts, *failed)


def app_of(db: Path, **changes: object) -> Explorer:
    source = make_source(resolve(db=db).settings)
    return Explorer(source, tail=False, now_ns=lambda: T0 + 60_000 * MS, **changes)  # type: ignore[arg-type]


def names(pilot: Pilot[int]) -> list[str]:
    screen = pilot.app.screen
    assert isinstance(screen, TracesScreen)
    return [row.name or "" for row in screen.window.rows]


def traces_shown(pilot: Pilot[int], count: int) -> bool:
    screen = pilot.app.screen
    return isinstance(screen, TracesScreen) and screen.window.loaded and len(screen.window.rows) == count


def notified(pilot: Pilot[int], text: str) -> bool:
    return any(text in notification.message for notification in pilot.app._notifications)


async def choose(pilot: Pilot[int], label: str) -> None:
    """From the menu that is open."""
    await until(pilot, lambda: shows(pilot, label))
    menu = pilot.app.screen.query("Menu").first()
    index = next(n for n, choice in enumerate(menu.choices) if choice.label == label)  # type: ignore[attr-defined]
    menu.move_to(index)  # type: ignore[attr-defined]
    await pilot.press("enter")


DEAREST = ["agent_7", "agent_6", "agent_5", "agent_3", "agent_2", "agent_1"]


@pytest.mark.parametrize("size", SIZES)
async def test_t_sorts_by_a_column_and_again_turns_it_round(db: Path, size: tuple[int, int]) -> None:
    async with app_of(db).run_test(size=size) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        await pilot.press("t")
        await choose(pilot, "COST")
        await until(pilot, lambda: names(pilot)[:6] == DEAREST)
        assert shows(pilot, "COST↓")
        assert screen_text(pilot).splitlines()[2].startswith("▸")
        await pilot.press("t")
        await until(pilot, lambda: shows(pilot, "cost, greatest first; again turns it round"))
        await pilot.press("enter")  # the menu begins on what the list is sorted by
        await until(pilot, lambda: names(pilot)[-6:] == DEAREST[::-1])
        assert shows(pilot, "COST↑")
        await pilot.press("G")
        await until(pilot, lambda: pilot.app.screen.window.cursor == 8)  # type: ignore[attr-defined]


async def test_an_order_is_remembered_and_what_is_no_order_is_not_taken(db: Path, home: Path) -> None:
    async with app_of(db).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        for key, head in (("1", "COST"), ("5", "LAST")):
            await pilot.press(key, "t")
            await choose(pilot, head)
            await until(pilot, lambda head=head: shows(pilot, f"{head}↓"))  # type: ignore[misc]
    async with app_of(db).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: names(pilot)[:6] == DEAREST and shows(pilot, "COST↓"))
        await pilot.press("5")
        await until(pilot, lambda: shows(pilot, "LAST↓"))
    kept = home / "state" / "tracetui" / "layout.json"
    kept.write_text('{"order of traces": {"by": "drop table", "falling": 3}, "order of errors": 7}')
    async with app_of(db).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9) and shows(pilot, "AGE↑"))
        await pilot.press("5")
        await until(pilot, lambda: shows(pilot, "COUNT↓"))


async def test_what_is_wanted_beside_a_question_that_fails_is_asked_all_the_same(db: Path) -> None:
    async with app_of(db).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        window = pilot.app.screen.window  # type: ignore[attr-defined]
        asked: list[bool] = []
        fetch = window.fetch

        async def fails_once(*args: Any, **more: Any) -> Any:
            asked.append("last" in more)
            if len(asked) == 1:
                window.reload()  # news, while the question is on its way
                raise StoreError("the disk is slow today")
            return await fetch(*args, **more)

        window.fetch = fails_once
        window.action_first()
        window._at_start = False
        window.action_first()
        await until(pilot, lambda: len(asked) >= 2 and shows(pilot, "agent_1"))


async def test_the_filter_bar_keeps_its_height_while_one_types(db: Path) -> None:
    async with app_of(db).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        await pilot.press("f")
        bar = pilot.app.screen.query_one(FilterBar)
        await until(pilot, lambda: shows(pilot, "tab  "))
        heights = {bar.size.height}
        for key in "status:error zzz nothing:":
            await pilot.press("space" if key == " " else "colon" if key == ":" else key)
            heights.add(bar.size.height)
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "^"))
        await pilot.press("x")
        await until(pilot, lambda: not shows(pilot, "^"))
        assert heights | {bar.size.height} == {2}


async def test_a_list_that_is_covered_asks_nothing_until_it_is_back(db: Path) -> None:
    async with app_of(db).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9) and shows(pilot, "9 traces"))
        under = pilot.app.screen
        assert isinstance(under, TracesScreen)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))
        under._count_now()
        await until(pilot, lambda: under._missed and not under._counting)
        await pilot.press("escape")
        await until(pilot, lambda: not under._missed)


async def test_a_click_on_a_head_sorts(db: Path) -> None:
    async with app_of(db).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        x = screen_text(pilot).splitlines()[1].index("NAME")
        await pilot.click(WindowList, offset=(x, 0))
        await until(pilot, lambda: names(pilot) == sorted(names(pilot)) and shows(pilot, "NAME↑"))
        await pilot.click(WindowList, offset=(x, 0))
        await until(pilot, lambda: names(pilot) == sorted(names(pilot), reverse=True) and shows(pilot, "NAME↓"))


async def test_a_sorted_list_of_many_is_walked_from_one_end_to_the_other(home: Path) -> None:
    many = [make_trace(n, name=f"t{n % 7}", cost_nanousd=n % 5 * 1000 if n % 3 else None) for n in range(1, 1400)]
    async with app_of(write(home / "traces.db", *many)).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: bool(pilot.app.screen.window.rows))  # type: ignore[attr-defined]
        screen = pilot.app.screen
        assert isinstance(screen, TracesScreen)
        screen.sort_by("cost")
        await until(pilot, lambda: screen.window.loaded and len(screen.window.rows) >= 1000)
        seen: dict[str, int] = {}
        for _ in range(80):
            for row in screen.window.rows:
                seen.setdefault(row.trace_id, -1 if row.cost_nanousd is None else row.cost_nanousd)
            if len(seen) == 1399:
                break
            await pilot.press("pagedown")
        assert list(seen.values()) == sorted(seen.values(), reverse=True)
        assert len(seen) == 1399
        await pilot.press("G")
        await until(pilot, lambda: screen.window.row is not None and screen.window.row.cost_nanousd is None)
        await pilot.press("g")
        await until(pilot, lambda: screen.window.row is not None and screen.window.row.cost_nanousd == 4000)


async def test_columns_come_and_go_and_are_remembered(db: Path) -> None:
    async with app_of(db).run_test(size=(140, 40)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        await pilot.press("T")
        await until(pilot, lambda: shows(pilot, "SERVICE", "beginning of the trace id"))
        columns = pilot.app.screen.query("Columns").first()
        for name in ("service", "calls", "user"):
            columns.move_to(next(n for n, c in enumerate(columns.columns) if c.name == name))  # type: ignore[attr-defined]
            await pilot.press("space")
        await pilot.press("escape")
        await until(pilot, lambda: shows(pilot, "SERVICE", "[/red] done", "USER", "list[int]"))
        assert not shows(pilot, "CALLS")
    async with app_of(db).run_test(size=(140, 40)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        assert shows(pilot, "SERVICE", "USER")
        assert not shows(pilot, "CALLS")


@pytest.mark.parametrize("size", SIZES)
async def test_b_groups_and_enter_lists_the_traces_of_one(db: Path, size: tuple[int, int]) -> None:
    async with app_of(db).run_test(size=size) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        await pilot.press("b")
        await choose(pilot, "session")
        await until(pilot, lambda: shows(pilot, "SESSION", "(no session)", "4 groups"))
        screen = pilot.app.screen
        assert isinstance(screen, GroupsScreen)
        assert {row.value: (row.traces, row.errors) for row in screen.listed.rows} == {
            "s1": (3, 0), "s0": (2, 0), "s2": (2, 0), None: (2, 2),
        }  # fmt: skip
        await pilot.press("enter")
        await until(pilot, lambda: traces_shown(pilot, 3) and shows(pilot, "session:s1"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, GroupsScreen))
        for by, wanted in (("service", HOSTILE[0]), ("user", HOSTILE[1]), ("model", "model-1"), ("name", "agent_1")):
            await pilot.press("b")
            await choose(pilot, by)
            await until(pilot, lambda by=by, wanted=wanted: shows(pilot, f"traces by {by}", wanted))  # type: ignore[misc]
        await pilot.press("t")
        await choose(pilot, "COST")
        await until(pilot, lambda: screen.listed.rows[0].value == "agent_7")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesScreen))


async def test_each_group_finds_as_many_traces_as_it_counts(db: Path) -> None:
    from collector.store import groups, open_reader
    from collector.store.filters import parse

    with open_reader(db) as reader:
        for by in groups.BY:
            found = groups.groups(reader, by, parse("-status:running", T0))
            assert found
            for one in found:
                assert len(reader.traces(parse(groups.filter_of(by, one.value), T0))) == one.traces, (by, one)


async def test_v_lists_views_and_V_saves_one_beside_the_comments(db: Path, home: Path) -> None:
    settings = home / "tracetui.toml"
    settings.write_text("# mine\n[views]\nold = 'name:agent_1' # dear to me\n\n[keys]\n")
    async with app_of(db).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        await pilot.press("V")
        await until(pilot, lambda: notified(pilot, "no filter to save"))
        await pilot.press("f", *"cost:>5", "enter")
        await until(pilot, lambda: traces_shown(pilot, 2))
        await pilot.press("V")
        await until(pilot, lambda: shows(pilot, "Save cost:>5 as"))
        await pilot.press(*"a b", "enter")
        await until(pilot, lambda: shows(pilot, "letters, digits"))
        pilot.app.screen.query_one(Input).value = "dear"
        await pilot.press("enter")
        await until(pilot, lambda: notified(pilot, "Saved as view:dear"))
        await pilot.press("escape")
        await until(pilot, lambda: traces_shown(pilot, 9))
        await pilot.press("v")
        await choose(pilot, "dear")
        await until(pilot, lambda: traces_shown(pilot, 2) and shows(pilot, "view:dear"))
    text = settings.read_text()
    assert tomllib.loads(text)["views"] == {"old": "name:agent_1", "dear": "cost:>5"}
    assert "# mine" in text
    assert "# dear to me" in text


async def test_a_view_that_could_not_be_asked_for_is_not_saved(db: Path, home: Path) -> None:
    file = home / "tracetui.toml"
    file.write_text("[views]\nslow = 'latency:>1s'\n")
    async with app_of(db).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        await pilot.press("f", *"kind:tool (", "ctrl+s")
        await until(pilot, lambda: shows(pilot, "^ this ( is never closed"))
        await pilot.press("end", "ctrl+u", *"view:slow cost:>5", "ctrl+s")
        await until(pilot, lambda: shows(pilot, "Save view:slow cost:>5 as"))
        await pilot.press(*"slow", "enter")  # it would name itself
        await until(pilot, lambda: notified(pilot, "slow"))
        assert pilot.app.facts.source.views == {"slow": "latency:>1s"}  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until(pilot, lambda: shows(pilot, "Save view:slow cost:>5 as"))
        await pilot.press(*"both", "enter")
        await until(pilot, lambda: notified(pilot, "Saved as view:both"))
    assert tomllib.loads(file.read_text())["views"] == {"slow": "latency:>1s", "both": "view:slow cost:>5"}


async def test_a_menu_that_is_longer_than_the_screen_is_walked_to_its_last_line(db: Path) -> None:
    async with app_of(db).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        for key, last in (("t", "began, oldest first"), ("T", "how long ago it began")):
            await pilot.press(key, "G")
            await until(pilot, lambda last=last: any("▸" in s and last in s for s in screen_text(pilot).split("\n")))
            assert shows(pilot, "▐") == (key == "T")  # what does not fit has a scroll bar
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(pilot.app.screen, TracesScreen))


async def test_an_error_far_to_the_right_is_pointed_at_where_it_is_seen(db: Path) -> None:
    """Of a line that is longer than its room: at the column as it is scrolled, the words where there is room."""
    wide = "天気 " * 4 + "nope:1 "
    async with app_of(db).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        for text, wrong in (
            ("name:a " * 12 + "(", "("),
            ("name:a " * 7 + "(", "("),
            (wide + "x " * 40, "nope"),
        ):
            await pilot.press("f")
            field = pilot.app.screen.query_one(FilterBar).query_one(Input)
            field.value = text
            await pilot.press("enter")
            await until(pilot, lambda: shows(pilot, "^"))

            def points_at(wrong: str = wrong) -> bool:
                lines = screen_text(pilot).split("\n")
                row = next(n for n, line in enumerate(lines) if "^" in line)
                above = next(line for line in lines[row - 1 :: -1] if line.startswith(" filter"))
                at = cell_len(lines[row].partition("^")[0])
                return cell_len(above.partition(wrong)[0]) == at

            await until(pilot, points_at)
            assert shows(pilot, "never closed") or shows(pilot, "there is no key 'nope'")
            await pilot.press("escape")


async def test_what_was_just_said_leaves_the_bar_to_type_into_free(db: Path) -> None:
    async with app_of(db).run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        pilot.app.NOTIFICATION_TIMEOUT = 60.0  # type: ignore[misc]
        await pilot.press("v", "f")
        pilot.app.screen.query_one(FilterBar).query_one(Input).value = "name:a " * 9 + "end"
        await until(pilot, lambda: shows(pilot, "No view is saved yet", "name:a end", "f filter  ↵ open"))
        await pilot.press("escape", "v", "v")
        assert len(pilot.app._notifications) == 1  # said once, however often it is asked


async def test_without_views_v_says_how_to_make_one_and_ctrl_s_saves_from_the_bar(db: Path, home: Path) -> None:
    async with app_of(db).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        await pilot.press("v")
        await until(pilot, lambda: notified(pilot, "No view is saved yet"))
        await pilot.press("f", *"kind:llm", "ctrl+s")
        await until(pilot, lambda: shows(pilot, "Save kind:llm as"))
        await pilot.press(*"calls", "enter")
        await until(pilot, lambda: notified(pilot, "Saved as view:calls"))
    file = home / "config" / "tracetui" / "config.toml"
    assert tomllib.loads(file.read_text())["views"] == {"calls": "kind:llm"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_view_goes_into_the_pyproject_that_holds_our_settings(home: Path) -> None:
    file = home / "pyproject.toml"
    file.write_text('[project]\nname = "x" # kept\n\n[tool.tracetui]\nredact = "pii"\n')
    assert save_view("slow", 'latency:>5s "a\\b"', cwd=home) == file
    assert tomllib.loads(file.read_text())["tool"]["tracetui"] == {
        "redact": "pii", "views": {"slow": 'latency:>5s "a\\b"'},
    }  # fmt: skip
    assert "# kept" in file.read_text()


@pytest.fixture
def broken(home: Path) -> Path:
    deep = trace_id(50)
    return write(
        home / "traces.db",
        make_trace(1, name="agent", service="shop"),
        make_part(1, trace=deep, name="agent", status="error", status_message="lost 17", start_ns=T0 + 9 * MS,
                  reading=Reading(error_type="LostError", service="shop")),
        make_part(2, trace=deep, parent=1, name=HOSTILE[2], status="error", status_message="lost 17",
                  start_ns=T0 + 9 * MS, reading=Reading(kind="tool", error_type="LostError")),
    )  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
async def test_5_groups_failures_and_each_way_from_there_is_a_key(broken: Path, size: tuple[int, int]) -> None:
    async with app_of(broken).run_test(size=size) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 2))
        await pilot.press("5")
        await until(pilot, lambda: shows(pilot, "LostError", "lost ‹n›", "1 failure of 1 kind"))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and pilot.app.screen.trace is not None)
        assert pilot.app.screen.trace_id == trace_id(50)  # type: ignore[attr-defined]
        await pilot.press("escape", "w")
        await until(pilot, lambda: getattr(pilot.app.screen, "trace_id", "") == trace_id(1))
        await pilot.press("escape", "enter")
        await until(pilot, lambda: traces_shown(pilot, 1))
        await pilot.press("escape", "f", *"kind:llm", "enter")
        await until(pilot, lambda: shows(pilot, "No failures match"))
        await pilot.press("escape")
        await until(pilot, lambda: shows(pilot, "LostError"))


async def test_errors_in_ascii_and_where_nothing_failed(home: Path, broken: Path) -> None:
    async with app_of(broken, ascii_mode=True).run_test(size=(200, 50)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: shows(pilot, "LostError", "lost <n>", "@"))
    good = write(home / "good.db", make_trace(1))
    async with app_of(good).run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: shows(pilot, "Nothing has failed."))
        await pilot.press("w", "e", "enter")
        assert isinstance(pilot.app.screen, ErrorsScreen)


async def test_braces_go_to_the_next_trace_of_the_list_as_filtered_and_ordered(db: Path) -> None:
    async with app_of(db, filter_text="kind:llm cost:>0").run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 6))
        screen = pilot.app.screen
        assert isinstance(screen, TracesScreen)
        screen.sort_by("cost")
        await until(pilot, lambda: screen.window.loaded and names(pilot) == DEAREST)
        await pilot.press("enter")
        for key, number in (("}", 6), ("}", 5), ("}", 3), ("{", 5)):
            await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and pilot.app.screen.trace is not None)
            await pilot.press("right_curly_bracket" if key == "}" else "left_curly_bracket")
            await until(pilot, lambda n=number: getattr(pilot.app.screen, "trace_id", "") == trace_id(n))  # type: ignore[misc]
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: getattr(pilot.app.screen, "trace_id", "") == trace_id(6))
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: getattr(pilot.app.screen, "trace_id", "") == trace_id(7))
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: notified(pilot, "This is the first one"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesScreen))


async def test_enter_goes_to_the_hits_of_what_was_typed_when_they_come(home: Path) -> None:
    path = write(home / "traces.db", make_trace(1, output=conversation(assistant("a pelican flew"))))
    async with app_of(path).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 1))
        await pilot.press("slash", *"pelican", "enter")
        await until(pilot, lambda: pilot.app.screen.query_one(Hits).has_focus)
        assert shows(pilot, "1 hit")


async def test_a_hit_opens_at_its_very_words_and_braces_go_to_the_next(home: Path) -> None:
    long = "\n".join(f"line {n} of a long answer" for n in range(90))
    says = [
        make_trace(n, name=f"t{n}", kind="llm", input=conversation(user("hello")), model=f"m{n}",
                   output=conversation(assistant(f"{long}\nthe Pelican {n} flew {HOSTILE[0]}")))
        for n in (1, 2, 3)
    ]  # fmt: skip
    failed = make_trace(4, name="t4", kind="tool", status="error", status_message="no pelican here", error_type="E")
    async with app_of(write(home / "traces.db", *says, failed)).run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 4))
        await pilot.press("slash", *"pelican kind:llm")
        await until(pilot, lambda: shows(pilot, "3 hits"))
        await pilot.press("enter", "n", "N", "n", "enter")
        await until(pilot, lambda: getattr(pilot.app.screen, "trace_id", "") == trace_id(2))
        await until(pilot, lambda: shows(pilot, "the Pelican 2 flew [/red] done", "/Pelican"))
        await pilot.press("right_curly_bracket")
        await until(pilot, lambda: shows(pilot, "the Pelican 1 flew"))
        await pilot.press("escape", "slash")
        await until(pilot, lambda: shows(pilot, "FOUND"))
        pilot.app.screen.query_one(Input).value = "nope:pelican"
        await until(pilot, lambda: shows(pilot, "Looked for as it stands", "no key 'nope'"))
        pilot.app.screen.query_one(Input).value = "pelican status:error"
        await until(pilot, lambda: shows(pilot, "1 hit"))
        await pilot.press("enter", "enter")
        await until(pilot, lambda: getattr(pilot.app.screen, "trace_id", "") == trace_id(4))
        await until(pilot, lambda: shows(pilot, "/pelican", "no pelican here"))


def test_the_last_word_goes_on_while_one_types_once_it_says_something() -> None:
    typed = ["a", "ab", "abc", "abc d", 'say "abc', '"abc"', "天", "abc!"]
    assert [as_typed(text) for text in typed] == ["a", "ab", "abc*", "abc d", 'say "abc', '"abc"', "天*", "abc!"]


COLUMNS = (
    Column("a", "ALPHA", 0, sort="a", fixed=True), Column("b", "BETA", 5, right=True, sort="b"),
    Column("c", "GAMMA", 5, right=True, sort="c", least=100), Column("d", "", 3),
)  # fmt: skip


def test_what_a_list_is_sorted_by_is_shown_and_what_does_not_fit_is_not() -> None:
    def shown(look: Look, width: int) -> list[str]:
        return [column.name for column, _ in laid_out(COLUMNS, look, width)]

    assert shown(Look(Order("a")), 80) == ["a", "b", "d"]
    assert shown(Look(Order("a")), 120) == ["a", "b", "c", "d"]
    assert shown(Look(Order("c")), 80) == ["a", "b", "c", "d"]
    assert shown(Look(Order("c")), 24) == ["a", "c"]
    assert shown(Look(Order("a")).turned(COLUMNS[1], 80), 80) == ["a", "d"]
    assert shown(Look(Order("a")).turned(COLUMNS[2], 80), 80) == ["a", "b", "c", "d"]


def test_each_cell_of_the_head_belongs_to_a_column() -> None:
    columns = laid_out(COLUMNS, Look(Order("b", True)), 60)
    text = "".join(part for part, _ in head(columns, Order("b", True)))
    assert "BETA↓" in text
    found = [column_at(columns, x) for x in range(60)]
    assert [column.name if column else "" for column in dict.fromkeys(found)] == ["a", "b", "d"]
    assert found[text.index("BETA")] == COLUMNS[1]


async def test_search_takes_the_lists_filter_along_and_it_can_be_taken_away(db: Path) -> None:
    async with app_of(db).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: traces_shown(pilot, 9))
        await pilot.press("f", *"session:s1", "enter")
        await until(pilot, lambda: traces_shown(pilot, 3))
        await pilot.press("slash")
        await until(pilot, lambda: shows(pilot, "trace:(session:s1)", "Type words: they are looked for"))
        search: Any = pilot.app.screen
        await pilot.press(*"agent*")
        await until(pilot, lambda: len({hit.trace_id for hit in search.hits.hits}) == 3)
        await pilot.press("ctrl+u", *"agent*")
        await until(pilot, lambda: len({hit.trace_id for hit in search.hits.hits}) == 9)


def test_none_of_them_is_a_quiet_nought_and_what_is_not_known_a_quiet_dash() -> None:
    from tracetui.widgets.tables import lasted, number, total_tokens

    assert (number(0), number(3)) == (("0", "quiet"), ("3", "text"))
    assert (lasted(None), total_tokens(None, None)) == (("–", "quiet"), ("–", "quiet"))
