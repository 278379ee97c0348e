"""Lines of text cut to a number of tokens; see `budget` for what a token is. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tracetui.cli.rooms import CHARS, SEE_CHARS, cut, shares

ENOUGH_LINE = 200
"""Characters from which on a line is worth having."""
GAP = "⋯"


def fit_lines(lines: Sequence[str], max_tokens: int, see: str, ranks: Sequence[int] = ()) -> list[str]:
    """The lines, or as many as `max_tokens` hold: those of the lowest rank first, among equals the first. `⋯` stands
    where some are missing, and the last line counts them."""
    sizes = [len(line) + 1 for line in lines]
    if sum(sizes) <= max_tokens * CHARS:
        return list(lines)
    mark = len(GAP) + 1
    end = _counted_lines(len(lines), len(lines), sum(sizes), see)
    order = sorted(range(len(lines)), key=lambda at: (ranks[at] if ranks else 0, at))
    room = max_tokens * CHARS - len(end) - 1 - mark
    given = shares([size + mark for size in sizes], order, room, ENOUGH_LINE)
    out: list[str] = []
    for line, room in zip(lines, given, strict=True):
        shown = cut(line, room - mark - 1) if room else None
        if shown is not None:
            out.append(shown)
        elif out[-1:] != [GAP]:
            out.append(GAP)
    kept = [line for line in out if line != GAP]
    left, fewer = len(lines) - len(kept), sum(sizes) - sum(len(line) + 1 for line in kept)
    out = out[:-1] if out[-1:] == [GAP] else out
    return [*out, _counted_lines(left, len(lines), fewer, see)]


def _counted_lines(left: int, lines: int, characters: int, see: str) -> str:
    what = f"{left:,} of {lines:,} lines left out" if left else "long lines cut short"
    return f"{GAP} {what}, {characters:,} characters; {see[:SEE_CHARS]}"


def newest_first(heads: int, lines: int) -> list[int]:
    """Ranks of so many lines of which the first `heads` are a heading and the others tell a story: its end first."""
    return [0] * heads + list(range(lines - heads, 0, -1))


def tree_ranks(depths: Sequence[int], failed: Sequence[bool]) -> list[int]:
    """Ranks of the lines of a tree in pre-order: the root, what failed and all above it, then the rest level by
    level."""
    ranks = [depth + 1 if depth else 0 for depth in depths]
    path: list[int] = []
    for at, depth in enumerate(depths):
        path = [*path[:depth], at]
        if failed[at]:
            for above in path:
                ranks[above] = min(ranks[above], 1)
    return ranks
