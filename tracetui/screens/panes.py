"""Two panes of a screen: how much room each has, by key or mouse, remembered; one of them alone, and both again."""

from __future__ import annotations

from textual import on
from textual.widget import Widget

from tracetui.screens.base import ExplorerScreen, Facts
from tracetui.widgets.divider import Divider

SHARES = {"wide": 600, "narrow": 500}
"""Thousandths of the room that the first pane has: beside the second one, and above it."""
STEP, LEAST = 100, 150
LEAST_LINES = 4
REMEMBERED = "panes"


class TwoPanes(ExplorerScreen):
    """`#panes` holds the first pane, a Divider and the second one; the class `narrow` puts them one above the other."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self._shares = {**SHARES, **_known(facts.remembered.get(REMEMBERED))}
        self._alone = ""
        self._most: int | None = None
        self._given = False

    def panes(self) -> tuple[Widget, Widget]:
        """The first and the second one."""
        raise NotImplementedError

    def most_lines(self) -> int | None:
        """More than so many lines the first pane could not use, where one stands above the other; None: any number."""
        return None

    @property
    def _form(self) -> str:
        return "narrow" if self.has_class("narrow") else "wide"

    def share_out(self) -> None:
        """Give both their room, as the form of the screen has it."""
        share = self._shares[self._form]
        for pane, part in zip(self.panes(), (share, 1000 - share), strict=True):
            across = self._form == "wide"
            pane.styles.width = f"{part}fr" if across else "1fr"
            pane.styles.height = "1fr" if across else f"{part}fr"
        self.cap()

    def cap(self) -> None:
        """Let the first pane have no more room than it can use, where the second one gets what it leaves; but what
        the user gives it."""
        most = None if self._form == "wide" or self._given else self.most_lines()
        if most != self._most:
            self._most = most
            self.panes()[0].styles.max_height = None if most is None else max(most, LEAST_LINES)

    def _set_share(self, share: int) -> None:
        self._given = True
        self._shares[self._form] = min(max(share, LEAST), 1000 - LEAST)
        self.share_out()

    def action_wider(self) -> None:
        self._set_share(self._shares[self._form] + STEP)
        self._remember()

    def action_narrower(self) -> None:
        self._set_share(self._shares[self._form] - STEP)
        self._remember()

    def _remember(self) -> None:
        self.facts.remembered.put(REMEMBERED, self._shares)

    @on(Divider.Dragged)
    def _dragged(self, event: Divider.Dragged) -> None:
        room = self.query_one("#panes").region
        at, size = (event.x - room.x, room.width) if self._form == "wide" else (event.y - room.y, room.height)
        self._set_share(round(1000 * at / max(size, 1)))

    @on(Divider.Dropped)
    def _dropped(self) -> None:
        self._remember()

    def leave_alone(self, pane: str) -> None:
        """Only the "tree" or the "inspector"; "": both."""
        self._alone = pane
        panes = self.query_one("#panes")
        for name in ("tree", "inspector"):
            panes.set_class(pane == name, f"only-{name}")


def _known(found: object) -> dict[str, int]:
    """Of what was remembered, which may be anything."""
    if not isinstance(found, dict):
        return {}
    return {
        form: share
        for form, share in found.items()
        if form in SHARES and type(share) is int and LEAST <= share <= 1000 - LEAST
    }
