"""Every key, once: bindings, the line of keys at the bottom and the help screen are made from this table."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


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
    Key("app", "help", "question_mark,f1", "?", "help", "all keys", 5),
    Key("app", "leave", "q,ctrl+q", "q", "quit", "quit", 6),
    Key("screen", "back", "escape,backspace", "esc", "back", "back, or clear the filter", 3),
    Key("screen", "pause", "space", "space", "pause", "hold the screen still; new data waits", 6),
    Key("screen", "copy_menu", "y", "y", "copy", "copy menu", 7),
    Key("lists", "filter", "slash,f", "/", "filter", "filter the list", 1),
    Key("lists", "session", "s", "s", "session", "only the traces of this session", 8),
    Key("trace", "fold", "h,left", "h l", "fold", "fold, or go to the parent", 4),
    Key("trace", "unfold", "l,right", "l", "unfold", "unfold, or go to the first child"),
    Key("trace", "fold_all", "H", "H", "fold all", "fold everything below the root"),
    Key("trace", "unfold_all", "L", "L", "unfold all", "unfold everything"),
    Key("trace", "next_error", "n", "n N", "error", "next error", 5),
    Key("trace", "previous_error", "N", "N", "error", "previous error"),
    Key("trace", "other_pane", "tab", "tab", "pane", "between the tree and the inspector", 3),
    Key("trace", "all_messages", "equals_sign", "=", "all messages", "all messages, or only this turn's", 4),
    Key("trace", "wider", "greater_than_sign", "< >", "width", "more room for the tree"),
    Key("trace", "narrower", "less_than_sign", "<", "width", "more room for the inspector"),
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


def bar(groups: tuple[str, ...], without: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """(sign, label) for the bottom line, the most needed first, `without` some actions."""
    keys = [key for key in KEYS if key.group in groups and key.bar and key.action not in without]
    keys.sort(key=lambda key: key.bar)
    return [(key.sign, key.label) for key in keys]


def help_sections() -> list[tuple[str, list[tuple[str, str]]]]:
    """(title, [(sign, what it does)]) for the help screen."""
    titles = {
        "list": "Moving",
        "lists": "Lists",
        "trace": "Inside a trace",
        "screen": "Everywhere",
        "app": "Screens",
    }
    return [(title, [(key.sign, key.help) for key in KEYS if key.group == group]) for group, title in titles.items()]
