"""Real traces are odd: parents that never came, ids sent twice, circles. Every span has one place all the same."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.tree import Node, build


@dataclass(frozen=True)
class Span:
    span_id: str
    parent_id: str | None = None
    start_ns: int = 0


def drawn(*rows: Span) -> list[str]:
    """The tree as indented lines; a ghost is in brackets."""
    return ["  " * n.depth + (n.span_id if n.row is not None else f"[{n.span_id}]") for n in build(rows)]


def test_children_follow_their_parent_in_the_order_they_started() -> None:
    rows = [Span("c", "a", 3), Span("b", "a", 2), Span("a", None, 1), Span("d", "b", 9)]
    assert drawn(*rows) == ["a", "  b", "    d", "  c"]
    assert [node.children for node in build(rows)] == [2, 1, 0, 0]


def test_spans_that_start_together_are_ordered_by_id_however_they_come() -> None:
    rows = [Span("a"), Span("c", "a"), Span("b", "a")]
    assert drawn(*rows) == drawn(*rows[::-1]) == ["a", "  b", "  c"]


def test_nothing_makes_no_tree() -> None:
    assert build([]) == []


def test_a_parent_that_never_came_is_a_ghost_where_its_earliest_child_stands() -> None:
    rows = [Span("a", None, 1), Span("x", "gone", 2), Span("b", None, 3), Span("y", "gone", 4)]
    assert drawn(*rows) == ["a", "[gone]", "  x", "  y", "b"]
    ghost = build(rows)[1]
    assert (ghost.row, ghost.depth, ghost.children) == (None, 0, 2)


def test_a_ghost_is_gone_once_the_parent_comes() -> None:
    assert drawn(Span("x", "p", 2)) == ["[p]", "  x"]
    assert drawn(Span("x", "p", 2), Span("p", None, 1)) == ["p", "  x"]


def test_an_empty_parent_is_none() -> None:
    assert drawn(Span("a", ""), Span("b", "a")) == ["a", "  b"]


def test_a_span_that_is_its_own_parent_is_a_top() -> None:
    assert drawn(Span("a", "a"), Span("b", "a", 1)) == ["a", "  b"]


def test_of_spans_with_one_id_each_is_kept_and_the_first_has_the_children() -> None:
    rows = [Span("a", None, 1), Span("a", None, 2), Span("b", "a", 3), Span("b", "a", 3)]
    assert drawn(*rows) == ["a", "  b", "  b", "a"]


def test_a_circle_is_cut_at_its_earliest_span() -> None:
    rows = [Span("a", "c", 2), Span("b", "a", 1), Span("c", "b", 3)]
    assert drawn(*rows) == ["b", "  c", "    a"]
    assert [node.children for node in build(rows)] == [1, 1, 0]


def test_what_hangs_on_a_circle_stays_on_it_even_when_it_started_before() -> None:
    rows = [Span("top", None, 9), Span("a", "b", 2), Span("b", "a", 3), Span("x", "b", 1)]
    assert drawn(*rows) == ["top", "a", "  b", "    x"]


def test_two_circles_and_a_double_within_one_are_all_drawn() -> None:
    rows = [Span("a", "b", 1), Span("b", "a", 2), Span("a", "b", 1), Span("x", "y", 4), Span("y", "x", 3)]
    assert drawn(*rows) == ["a", "  b", "    a", "y", "  x"]


def test_a_chain_of_fifty_thousand_is_no_deeper_than_a_list() -> None:
    rows = [Span(f"{n:016x}", f"{n - 1:016x}" if n else None, n) for n in range(50_000)]
    nodes = build(rows[::-1])
    assert [node.row for node in nodes] == rows
    assert [node.depth for node in nodes] == list(range(50_000))


def test_a_circle_of_fifty_thousand_is_cut_once() -> None:
    rows = [Span(f"{n:016x}", f"{(n - 1) % 50_000:016x}", n) for n in range(50_000)]
    assert [node.depth for node in build(rows)] == list(range(50_000))


@pytest.mark.parametrize("shape", ["wide", "bushy", "ghosts"])
def test_a_hundred_thousand_spans_of_any_shape_are_all_in_the_tree(shape: str) -> None:
    def parent(n: int) -> str | None:
        if shape == "ghosts":
            return f"{n % 5000 + 10**9:016x}"
        return f"{n // 8 if shape == 'bushy' else 0:016x}" if n else None

    rows = [Span(f"{n:016x}", parent(n), n) for n in range(100_000)]
    nodes = build(rows)
    assert len(nodes) == 100_000 + (5000 if shape == "ghosts" else 0)


ids = st.sampled_from("abcdefg")


@given(st.lists(st.builds(Span, ids, st.none() | ids | st.sampled_from("xy"), st.integers(0, 3)), max_size=12))
def test_every_span_has_one_place_below_its_parent_or_at_the_top(rows: list[Span]) -> None:
    nodes = build(rows)
    assert sorted(map(repr, rows)) == sorted(repr(node.row) for node in nodes if node.row is not None)
    present = {row.span_id for row in rows}
    ghosts = [node.span_id for node in nodes if node.row is None]
    assert len(ghosts) == len(set(ghosts))
    assert not present & set(ghosts)
    path: list[Node[Span]] = []
    for at, node in enumerate(nodes):
        assert node.depth <= len(path)
        del path[node.depth :]
        if node.depth:
            assert node.row is not None
            assert path[-1].span_id == node.row.parent_id
        path.append(node)
        below = [n for n in subtree(nodes, at) if n.depth == node.depth + 1]
        assert node.children == len(below)
        assert [(n.row.start_ns, n.span_id) for n in below if n.row] == sorted(
            (n.row.start_ns, n.span_id) for n in below if n.row
        )


def subtree(nodes: list[Node[Span]], at: int) -> list[Node[Span]]:
    end = at + 1
    while end < len(nodes) and nodes[end].depth > nodes[at].depth:
        end += 1
    return nodes[at + 1 : end]
