"""Every key, once: bindings, the line of keys at the bottom and the help screen are made from this table."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from textual.binding import Binding, BindingType
from textual.keys import Keys, _character_to_key

from collector.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Key:
    """One command. `keys` are Textual names, comma separated; `sign` is what people read.

    `bar` puts it into the bottom line, lower numbers first to stay when room is short; 0 keeps it to the help.
    The id (group.action) is what a key map of the user's names.
    """

    group: str
    action: str
    keys: str
    sign: str
    label: str
    help: str
    bar: int = 0


KEYS = (
    Key("list", "up", "k,up", "k ↑", "up", "one line up"),
    Key("list", "down", "j,down", "j ↓", "down", "one line down"),
    Key("list", "page_up", "pageup,ctrl+b", "PgUp", "page up", "one page up"),
    Key("list", "page_down", "pagedown,ctrl+f", "PgDn", "page down", "one page down"),
    Key("list", "first", "g,home", "g", "first", "to the first line"),
    Key("list", "last", "G,end", "G", "last", "to the newest line, and follow"),
    Key("list", "choose", "enter", "↵", "open", "open, or fold and unfold", 2),
    Key("app", "show_traces", "1", "1", "traces", "list of traces", 7),
    Key("app", "show_sessions", "2", "2", "sessions", "list of sessions", 7),
    Key("app", "show_costs", "3", "3", "costs", "what was spent, on what", 7),
    Key("app", "show_overview", "4", "4", "overview", "what goes on now: burn, what runs, fails, is dear", 7),
    Key("app", "show_errors", "5", "5", "errors", "failures by what they have in common", 7),
    Key("app", "show_signals", "6", "6", "signals", "what looks wrong, by kind", 7),
    Key("app", "show_received", "i", "i", "arrivals", "what arrived, by source, and what became of it"),
    Key("app", "help", "question_mark,f1", "?", "help", "all keys", 5),
    Key("app", "leave", "q,ctrl+q", "q", "quit", "quit", 6),
    Key("screen", "back", "escape,backspace", "esc", "back", "back, or clear the filter", 3),
    Key("screen", "pause", "space", "space", "pause", "hold the screen still; new data waits", 6),
    Key("screen", "copy_menu", "y", "y", "copy", "copy menu", 7),
    Key("screen", "export", "x", "x", "export", "write what is shown to a file: six formats"),
    Key("screen", "screenshot", "S", "S", "picture", "save this screen as a picture (SVG)"),
    Key("screen", "search", "slash", "/", "search", "search all that was said", 3),
    Key("screen", "command", "colon", ":", "command", "type a command; ctrl+p finds one"),
    Key("run", "show_output", "O", "O", "output", "under `tracetui run`: the command's output, and back", 2),
    Key("run", "interrupt", "ctrl+c", "ctrl+c", "interrupt", "in the command's output: interrupt the command", 2),
    Key("lists", "filter", "f", "f", "filter", "filter the list", 1),
    Key("lists", "session", "s", "s", "session", "only the traces of this session", 8),
    Key("lists", "sort", "t", "t", "sort", "sort by a column, as a click on its head; again: reverse", 8),
    Key("lists", "columns", "T", "T", "columns", "which columns to show", 9),
    Key("lists", "group", "b", "b", "group", "traces by session, user, service, model or name", 8),
    Key("lists", "views", "v", "v", "views", "filters that were saved", 8),
    Key("lists", "save_view", "V", "V", "save view", "save this filter under a name (in the bar: ctrl+s)", 9),
    Key("hits", "next_hit", "n", "n N", "hit", "the next hit; / goes back to the words", 4),
    Key("hits", "previous_hit", "N", "N", "hit", "the hit before"),
    Key("errors", "example", "e", "e", "newest", "open the newest of these failures", 3),
    Key("errors", "succeeded", "w", "w", "went well", "open the nearest trace like it that succeeded", 3),
    Key("costs", "group", "b", "b", "group by", "group by a model, user, tag, …", 2),
    Key("costs", "period", "p", "p", "period", "the last hour, day, week, month, or all", 2),
    Key("costs", "next_chart", "c", "c", "chart", "cost, tokens, latency, what was paid for", 3),
    Key("costs", "order", "t", "t", "sort", "sort the lines", 4),
    Key("costs", "other_pane", "tab", "tab", "pane", "between the chart and the lines", 4),
    Key("session", "next_turn", "n", "n N", "turn", "to the next turn", 3),
    Key("session", "previous_turn", "N", "N", "turn", "to the turn before"),
    Key("session", "its_traces", "s", "s", "traces", "the list of its traces", 4),
    Key("replay", "send", "ctrl+r,f5", "ctrl+r", "send", "send the request as it stands on the sheet", 1),
    Key("replay", "open_answer", "ctrl+o", "ctrl+o", "open", "open the trace of the new answer", 2),
    Key("replay", "other_pane", "tab", "tab", "pane", "between the sheet and the answers", 4),
    Key("chart", "before", "h,left", "h l", "bar", "in a chart: to the bar before"),
    Key("chart", "after", "l,right", "l", "bar", "to the bar after"),
    Key("chart", "choose", "enter", "↵", "traces", "the traces behind the bar"),
    Key("signals", "newest", "o", "o", "newest", "open the newest trace that has the signal", 3),
    Key("context", "next_chain", "n", "n N", "conversation", "in the context view: the next conversation", 3),
    Key("context", "previous_chain", "N", "N", "conversation", "in the context view: the one before"),
    Key("context", "other_pane", "tab", "tab", "pane", "in the context view: between calls and changes", 4),
    Key("trace", "fold", "h,left", "h l", "fold", "fold, or go to the parent", 4),
    Key("trace", "unfold", "l,right", "l", "unfold", "unfold, or go to the first child"),
    Key("trace", "fold_all", "H", "H", "fold all", "fold everything below the root"),
    Key("trace", "unfold_all", "L", "L", "unfold all", "unfold everything"),
    Key("trace", "next_error", "n", "n N", "next", "next match of `/` in this trace, else next error", 5),
    Key("trace", "previous_error", "N", "N", "next", "the same, backwards"),
    Key("trace", "only_matches", "m", "m", "matches", "what `/` found: only these spans, and all again"),
    Key("trace", "previous_critical", "left_square_bracket", "[ ]", "path", "along the critical path (thick bars)", 6),
    Key("trace", "next_critical", "right_square_bracket", "]", "path", "the same, forwards"),
    Key("trace", "zoom", "z", "z", "zoom", "zoom the bars in to this span, and out again", 7),
    Key(
        "trace", "zoom_in", "plus", "+ -", "zoom", "zoom the bars in; the wheel does so over the ruler, or with ctrl", 8
    ),
    Key("trace", "zoom_back", "minus", "-", "zoom", "zoom the bars out again, step by step"),
    Key("trace", "zoom_out", "0", "0", "all", "all of the time again"),
    Key("trace", "pan_left", "shift+left", "shift ←→", "pan", "earlier, while zoomed in; the wheel does so with shift"),
    Key("trace", "pan_right", "shift+right", "shift →", "pan", "later, while zoomed in"),
    Key("trace", "root", "u", "u", "root", "only this span and what lies below it; esc or u goes back", 8),
    Key("trace", "fold_kind", "K", "K", "fold kind", "fold all spans of a kind, or unfold them"),
    Key("trace", "jump", "J", "J", "go to", "go to the slowest, the dearest, the next error, the longest gap …", 5),
    Key("trace", "heat", "v", "v", "colours", "colours by kind, by cost, by tokens or by own time", 8),
    Key("trace", "graph", "a", "a", "graph", "agents and tools: who called whom, how often, at what cost", 8),
    Key("trace", "replay", "r", "r", "replay", "send this call again, changed: a second key sends", 6),
    Key("trace", "context", "c", "c", "context", "how the context grew: what fills it, what changed, the cache", 6),
    Key("trace", "signals", "exclamation_mark", "!", "signals", "what looks wrong in this trace, with evidence", 6),
    Key("trace", "first_places", "w", "w", "where", "where a value first appears"),
    Key("trace", "edit", "e", "e", "editor", "what the tab or line holds, in $VISUAL, $EDITOR or $PAGER", 7),
    Key("trace", "open", "o", "o", "open", "open the file, picture or address on this line outside"),
    Key("trace", "other_pane", "tab", "tab", "pane", "between the tree and the inspector", 3),
    Key("trace", "zoom_pane", "Z", "Z", "one pane", "only this pane, and both again"),
    Key("trace", "all_messages", "equals_sign", "=", "all messages", "all messages, or only this turn's", 4),
    Key(
        "trace",
        "previous_trace",
        "left_curly_bracket",
        "{ }",
        "trace",
        "the trace above in the list, or the hit before",
    ),
    Key("trace", "next_trace", "right_curly_bracket", "}", "trace", "the trace below in the list, or hit"),
    Key("trace", "wider", "greater_than_sign", "< >", "width", "more room for the tree"),
    Key("trace", "narrower", "less_than_sign", "<", "width", "more room for the inspector"),
    Key("inspector", "find", "slash", "/", "find", "find in what the tab shows; n N next, esc ends"),
    *(
        Key("trace", f"tab({number})", str(number), str(number), name, f"{name} of the span")
        for number, name in enumerate(("Messages", "I/O", "Attributes", "Events", "Raw"), start=1)
    ),
)


def bindings(group: str) -> list[BindingType]:
    """The bindings of one widget or screen. They can be remapped by their ids (`App.set_keymap`)."""
    return [
        Binding(key.keys, key.action, key.label, show=False, id=f"{key.group}.{key.action}")
        for key in KEYS
        if key.group == group
    ]


def bar(
    groups: tuple[str, ...], without: tuple[str, ...] = (), keys: Iterable[Key] = KEYS, *, typing: bool = False
) -> list[Key]:
    """Those of the bottom line, the most needed first, `without` some actions. While `typing`, only keys that write
    nothing."""
    shown = [key for key in keys if key.group in groups and key.bar and key.action not in without]
    shown.sort(key=lambda key: key.bar)
    return [silent for key in shown if (silent := _silent(key))] if typing else shown


def _silent(key: Key) -> Key | None:
    """The same command on a key of its that writes nothing, None where there is none."""
    names = key.keys.split(",")
    name = next((one for one in names if len(one) > 1 and one not in {*_CHARACTERS, *_TYPED}), None)
    if name is None:
        return None
    return key if name == names[0] else replace(key, keys=name, sign=name)


def signed(key: Key, word: int) -> str:
    """The key that this word of a sign stands for: `n N` are two. Textual's name."""
    words = key.sign.split()
    one = words[word] if word < len(words) else ""
    return _character_to_key(one) if word and len(one) == 1 and one.isascii() else key.keys.split(",")[0]


def help_sections(keys: Iterable[Key] = KEYS, here: tuple[str, ...] = ()) -> list[tuple[str, list[tuple[str, str]]]]:
    """(title, [(sign, what it does)]) for the help screen: the groups that are live `here` first, what only this
    screen has before what every one has."""
    titles = {
        "list": "Moving",
        "lists": "Lists",
        "session": "In a session",
        "costs": "Costs",
        "chart": "In a chart",
        "hits": "What a search found",
        "errors": "Errors",
        "signals": "Signals",
        "context": "The context view",
        "trace": "Inside a trace",
        "inspector": "In the inspector",
        "replay": "Replaying a call",
        "screen": "Everywhere",
        "app": "Screens",
        "run": "The command of `tracetui run`",
    }
    known = list(keys)
    if "trace" in here:
        here = (*here, "inspector")
    everywhere = ("list", *_EVERYWHERE)
    order = sorted(titles, key=lambda group: (group not in here, group in everywhere and bool(here)))
    return [(titles[group], [(key.sign, key.help) for key in known if key.group == group]) for group in order]


# Another key map.

_EVERYWHERE = ("screen", "app", "run")
TOGETHER = tuple(
    (*groups, *_EVERYWHERE)
    for groups in (
        ("list",), ("list", "lists"), ("list", "hits"), ("list", "lists", "errors"), ("list", "trace"),
        ("list", "inspector", "trace"), ("list", "costs"), ("chart", "costs"), ("list", "session"),
        ("list", "lists", "signals"), ("list", "context"), ("list", "replay"),
    )
)  # fmt: skip
"""Groups whose keys are live at the same time."""

IN_FRONT = {
    **{f"trace.tab({number})": f"app.{action}" for number, action in enumerate(
        ("show_traces", "show_sessions", "show_costs", "show_overview", "show_errors"), start=1)},
    "inspector.find": "screen.search",
}  # fmt: skip
"""Commands that take a key from another one on purpose: inside a trace numbers are tabs, and / finds in there."""


_CHARACTERS = {_character_to_key(char): char for char in string.punctuation}
_TYPED = ("space", "enter", "backspace", "delete")
_KEY_NAMES = {key.value for key in Keys} | set(_CHARACTERS)


def remapped(changes: Mapping[str, str]) -> tuple[Key, ...]:
    """The table with other keys: `changes` maps ids to keys, comma separated. SettingsError says what is wrong."""
    known = {f"{key.group}.{key.action}": key for key in KEYS}
    for name, keys in changes.items():
        if name not in known:
            close = get_close_matches(name, [*known, *(one.split(".")[1] for one in known)], n=1)
            raise SettingsError(
                f"keys: there is no command {name!r}" + (f"; did you mean {close[0]}?" if close else "")
            )
        names = [_key_name(name, key) for key in _split(keys)]
        known[name] = replace(known[name], keys=",".join(names), sign=" ".join(map(_sign, names)))
    _refuse_clashes(known, changes)
    return tuple(known.values())


def _split(keys: str) -> list[str]:
    """At commas; a lone comma is that key."""
    return [key.strip() for key in keys.split(",") if key.strip()] if keys.strip() != "," else [","]


def _key_name(command: str, key: str) -> str:
    *modifiers, base = key.split("+") if len(key) > 1 else [key]
    name = _character_to_key(base) if len(base) == 1 else base
    is_key = len(base) == 1 or name in _KEY_NAMES
    if not is_key or not set(modifiers) <= {"ctrl", "alt", "shift"}:
        raise SettingsError(
            f"keys: {command} = {key!r} is no key; write a character, or a name like ctrl+o, f2, pageup"
        )
    return "+".join([*modifiers, name])


def _sign(name: str) -> str:
    return _CHARACTERS.get(name, name)


def _refuse_clashes(known: Mapping[str, Key], changed: Iterable[str]) -> None:
    for name in changed:
        key = known[name]
        for groups in (groups for groups in TOGETHER if key.group in groups):
            for other, it in known.items():
                both = set(it.keys.split(",")) & set(key.keys.split(","))
                meant = IN_FRONT.get(name) == other or IN_FRONT.get(other) == name
                if other != name and it.group in groups and both and not meant:
                    raise SettingsError(
                        f"keys: {name} and {other} are both on {_sign(both.pop())}; give one another key"
                    )
