"""What costs can be grouped by, and what that is in SQL.

A name is a column of the span (`model`), of its trace (`user`: a trace's user is the first found from the root down),
a tag, a key of the trace's metadata, or a stretch of time. Time is cut by quarter hours of a span's start, which
`zones.py` puts into hours, days, weeks or months of a zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from collector.errors import FilterError
from collector.store.binding import Conditions

QUARTER_NS = 900_000_000_000
UNITS = ("quarter", "hour", "day", "week", "month")
_SPAN = {
    "model": "s.model", "provider": "s.provider", "service": "s.service", "env": "s.environment", "kind": "s.kind",
    "prompt": "s.prompt_name", "version": "s.prompt_version", "tool": "s.tool_name", "agent": "s.agent_name",
    "error.type": "s.error_type",
}  # fmt: skip
_TRACE = {
    "user": "t.user_id", "session": "t.session_id", "name": "t.name", "release": "t.release", "project": "t.project",
}  # fmt: skip
_ROLLED = {
    "model": "r.model", "provider": "r.provider", "service": "r.service", "env": "r.environment", "kind": "r.kind",
}  # fmt: skip
NAMES = (*_SPAN, *_TRACE, "tag", "tag:KEY", "meta.KEY", *UNITS)
_TAGS = "left join json_each(t.tags) {}"
_KEYED_TAGS = "left join json_each(t.tags) {0} on substr({0}.value, 1, length({1})) in ({1}, {2})"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing to group by. `key` is the user's name in `meta.KEY` and `tag:KEY`."""

    name: str
    kind: str
    key: str = ""

    @property
    def is_time(self) -> bool:
        return self.kind == "time"

    def rolled(self, c: Conditions) -> str | None:
        """Its expression over a row `r` of the rollups, or None where they do not have it."""
        if self.is_time:
            return "r.quarter"
        if self.kind == "meta":
            return f"ifnull(json_extract(r.dims, {c.bind(_path(self.key))}), '')"
        return _ROLLED.get(self.name)

    def of_span(self, c: Conditions, alias: str) -> tuple[str, str]:
        """(its expression over a span `s` of a trace `t`, the join it needs; `alias` names that)."""
        if self.is_time:
            return f"s.start_ns / {QUARTER_NS}", ""
        if self.kind == "meta":
            path = c.bind(_path(self.key))
            text = f"json_extract(t.metadata, {path})"
            whole = f"case json_type(t.metadata, {path}) when 'text' then {text} else t.metadata -> {path} end"
            return f"ifnull({whole}, '')", ""
        if self.kind == "tag" and self.key:
            colon, equals = c.bind(self.key + ":"), c.bind(self.key + "=")
            rest = f"ifnull(substr({alias}.value, length({colon}) + 1), '')"
            return rest, _KEYED_TAGS.format(alias, colon, equals)
        if self.kind == "tag":
            return f"ifnull({alias}.value, '')", _TAGS.format(alias)
        return f"ifnull({(_SPAN | _TRACE)[self.name]}, '')", ""

    def finds(self, value: str) -> str:
        """The term of the filter language that finds what this value stands for; "" where there is none."""
        if self.kind == "meta":
            return f'meta."{self.key}":{quoted(value)}' if value else f'-meta."{self.key}":*'
        if self.kind == "tag" and self.key:
            ways = ",".join(quoted(f"{self.key}{sign}{value or '*'}") for sign in ":=")
            return f"tag:{ways}" if value else f"-tag:{ways}"
        if self.is_time:
            return ""
        own = "root:" if self.name == "name" else ""  # the trace's name, not that of any of its spans
        key = "answered" if self.name == "model" else self.name  # not what was asked for
        return f"{own}{key}:{quoted(value)}" if value else f"-{own}{key}:*"

    @property
    def of_calls(self) -> bool:
        """Whether the spans of one trace may differ in it."""
        return self.is_time or self.name in _SPAN


def quoted(value: str) -> str:
    """A value as the filter language takes it."""
    return '"' + value.replace('"', '""') + '"' if not re.fullmatch(r"[\w.:/@+-]+", value) else value


def _path(key: str) -> str:
    return f'$."{key}"'


def dimensions(names: str) -> tuple[Dimension, ...]:
    """`model,user,meta.tier` as dimensions, in order. FilterError for a name that is none, and for more than three."""
    found = tuple(_dimension(name.strip(), names) for name in names.split(",") if name.strip())
    if len(found) > 3:
        raise FilterError("costs are grouped by three things at most", names, 0)
    if len(set(found)) < len(found):
        raise FilterError("the same is named twice", names, 0)
    return found


def _dimension(name: str, names: str) -> Dimension:
    if name in UNITS:
        return Dimension(name, "time")
    if name in _SPAN or name in _TRACE:
        return Dimension(name, "column")
    if name == "tag":
        return Dimension(name, "tag")
    for opening, kind in (("tag:", "tag"), ("meta.", "meta")):
        if name.startswith(opening) and len(name) > len(opening) and '"' not in name:
            return Dimension(name, kind, name.removeprefix(opening))
    close = get_close_matches(name, NAMES, n=1)
    hint = f"did you mean {close[0]}?" if close else f"it may be {', '.join(NAMES)}"
    raise FilterError(f"cannot group by {name!r}; {hint}", names, max(names.find(name), 0))
