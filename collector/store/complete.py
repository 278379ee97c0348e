"""What could stand at the cursor of a filter: keys, names of the user's own, and values that the file holds.

Values are looked for where that is quick: through an index, in a small table, or among the newest spans.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from collector.store import narrow
from collector.store.filter_keys import SCOPES, TABLE, Key, key_of
from collector.store.sound import sound_text

Rows: TypeAlias = Callable[[str, dict[str, Any]], list[tuple[Any, ...]]]

NEWEST, BODIES, MOST = 5000, 500, 200
SHOWN = 20
_WORD = re.compile(r'(?:[^\s"()]|"[^"]*"?|(?<=\S)\()*$')
_KEYED = re.compile(r'([A-Za-z_](?:[^\s:"]|"[^"]*")*):(.*)', re.DOTALL)
_PLAIN = re.compile(r'[^\s,"()<>=]+')

_COLUMNS = {
    "service": "service", "env": "environment", "release": "release", "level": "level", "error.type": "error_type",
    "provider": "provider", "tool": "tool_name", "agent": "agent_name", "prompt": "prompt_name",
    "version": "prompt_version", "project": "project",
}  # fmt: skip
_OF_COLUMN = """
    select value from (select s.{} as value from spans s order by s.start_ns desc limit :newest)
    where value is not null group by value order by count(*) desc, value limit :most"""
_LISTED = """
    select e.value from (select {0} as list from spans s {1} order by s.start_ns desc limit :newest) n
    join json_each(n.list) e group by e.value order by count(*) desc, e.value limit :most"""
_BODY = "join bodies b on b.id = s.id"
_NAMES = """
    select e.key from (select {0} as object from spans s {1} order by s.start_ns desc limit :newest) n
    join json_each(n.object) e group by e.key order by count(*) desc, e.key limit :most"""
_VALUES = """
    select cast(e.value as text) from (select {0} as object from spans s {1} order by s.start_ns desc limit :newest) n
    join json_each(n.object) e where e.key = :name and e.type in ('text', 'integer', 'real')
    group by e.value order by count(*) desc, e.value limit :most"""
_OBJECTS = {
    "meta": ("s.metadata", ""), "attr": ("b.attributes", _BODY),
    "res": ("(select json_extract(c.body, '$[0]') from contexts c where c.hash = b.resource)", _BODY),
}  # fmt: skip
_ONES = {
    "session": """select session_id from sessions where session_id between :low and :high
      order by session_id limit :most""",
    "user": "select user_id from users where user_id between :low and :high order by user_id limit :most",
}
_SCORES = "select name from scores group by name order by name limit :most"
_LABELS = "select label from scores where name = :name and label is not null group by label order by label limit :most"
_FINISH = ("b.finish_reasons", _BODY)


@dataclass(frozen=True, slots=True)
class Choice:
    """What may stand there, and a few words about it."""

    text: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """The choices for the characters from `start` to `end` of the filter's text."""

    start: int
    end: int
    choices: tuple[Choice, ...]

    def taken(self, text: str, choice: int = 0) -> tuple[str, int]:
        """(the text with a choice in its place, where the cursor stands then)."""
        made = self.choices[choice].text
        return text[: self.start] + made + text[self.end :], self.start + len(made)


def complete(rows: Rows | None, text: str, cursor: int, views: Mapping[str, str]) -> Completion:
    """What could stand at the cursor. Without `rows` (there is no file yet) only keys and fixed words are known."""
    found = _WORD.search(text[:cursor])
    word = found[0] if found is not None else ""
    start = cursor - len(word)
    while True:  # signs and scopes may stand before the term
        if word.startswith("-"):
            cut = 1
        elif word.lower().startswith(tuple(f"{scope}:" for scope in SCOPES)):
            cut = word.index(":") + 1
        else:
            break
        word, start = word[cut:], start + cut
    keyed = _KEYED.match(word)
    if keyed is None:
        choices = _keys(rows, word, views)
        return Completion(start, cursor, tuple(choices)[:SHOWN])
    key, name = key_of(keyed[1])
    typed = keyed[2].rpartition(",")[2]
    start = cursor - len(typed)
    known = _known(rows, key, name.strip('"'), typed, views) if key is not None else []
    low = typed.strip('"').lower()
    fits = [value for value in known if value.lower().startswith(low) and value != typed and '"' not in value]
    return Completion(start, cursor, tuple(Choice(quoted(value)) for value in fits[:SHOWN]))


def quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else f'"{value}"'


def _keys(rows: Rows | None, word: str, views: Mapping[str, str]) -> Iterable[Choice]:
    low = word.lower()
    if not word:
        yield from (Choice(f"view:{name}", said) for name, said in views.items())
    key, name = key_of(word)
    if key is not None and key.named and rows is not None:
        names = _own_names(rows, key)
        spelt = (one if re.fullmatch(r'[^\s:,"()]+', one) else f'"{one}"' for one in names if '"' not in one)
        yield from (Choice(f"{key.name}.{one}:") for one in spelt if one.strip('"').lower().startswith(name.lower()))
        return
    yield from (Choice(key.opening, key.about) for key in TABLE.values() if key.opening.startswith(low))


def _own_names(rows: Rows, key: Key) -> list[str]:
    if key.name == "score":
        return _texts(rows(_SCORES, {"most": MOST}))
    document, body = _OBJECTS[key.name]
    return _texts(rows(_NAMES.format(document, body), {"newest": BODIES if body else NEWEST, "most": MOST}))


def _known(rows: Rows | None, key: Key, name: str, typed: str, views: Mapping[str, str]) -> list[str]:
    if key.name == "view":
        return list(views)
    if key.choices:
        return list(key.choices)
    if rows is None:
        return []
    some = {"newest": NEWEST, "most": MOST}
    few = {"newest": BODIES, "most": MOST}
    if key.name in _COLUMNS:
        return _texts(rows(_OF_COLUMN.format(_COLUMNS[key.name]), some))
    if key.name in _ONES:
        low = sound_text(typed.strip('"'))
        return _texts(rows(_ONES[key.name], {"low": low, "high": low + "\U0010ffff", "most": MOST}))
    if key.name == "tag":
        return _texts(rows(_LISTED.format("s.tags", ""), some))
    if key.name == "finish":
        return _texts(rows(_LISTED.format(*_FINISH), few))
    if key.name == "score":
        return _texts(rows(_LABELS, {"name": sound_text(name), "most": MOST}))
    if key.name in _OBJECTS:
        document, body = _OBJECTS[key.name]
        return _texts(rows(_VALUES.format(document, body), {**(few if body else some), "name": sound_text(name)}))
    return _indexed(rows, key)


def _indexed(rows: Rows, key: Key) -> list[str]:
    if key.name == "answered":
        return _texts(rows(narrow.MODELS, {"most": MOST}))
    if key.name == "model":
        both = [rows(sql, {"most": MOST}) for sql in (narrow.MODELS, narrow.ASKED_MODELS)]
        return sorted({text for found in both for text in _texts(found)})
    if key.name == "name":
        kinds = _texts(rows(narrow.KINDS, {"most": MOST}))
        return sorted({n for kind in kinds for n in _texts(rows(narrow.NAMES, {"kind": kind, "most": MOST}))})
    return []


def _texts(found: Iterable[tuple[Any, ...]]) -> list[str]:
    return [row[0] for row in found if isinstance(row[0], str) and row[0].strip() and row[0].isprintable()]
