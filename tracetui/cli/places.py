"""`tracetui show TRACE --first VALUE`: where a value stood first, in the trace and in its session before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from collector.signals import Place
from tracetui import format as fmt
from tracetui.pieces import Json

if TYPE_CHECKING:
    from collector.store.reader import Reader


def places_json(reader: Reader, trace_id: str, value: str) -> list[Json]:
    """The first place first. `message` counts from 1 within its `side` and is null where there are no messages."""
    names = reader.span_names(trace_id)
    return [
        {
            "trace_id": one.trace_id or trace_id,
            "span_id": one.span_id,
            "name": names.get(one.span_id),
            "side": one.side,
            "message": one.message or None,
            "role": one.role or None,
            "excerpt": one.excerpt,
        }
        for one in reader.first_places(trace_id, value)
    ]


def text_lines(found: Sequence[Place], names: dict[str, str]) -> Iterator[str]:
    """Two lines a place, as on the screen."""
    if not found:
        yield "it stands nowhere in this trace, nor in its session before it"
    for at, one in enumerate(found):
        turn = f"{fmt.plain(one.trace)}, an earlier turn ({one.trace_id[:8]})  " if one.trace_id else ""
        side = f"{one.side} {one.message}" if one.message else one.side
        role = f" ({fmt.plain(one.role)})" if one.role else ""
        name = fmt.plain(names.get(one.span_id, ""))
        yield f"{'then ' if at else 'first'}  {turn}{name}  {one.span_id[:8]}  {side}{role}"
        yield f"       {fmt.plain(one.excerpt)}"
