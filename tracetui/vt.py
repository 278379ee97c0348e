"""A small terminal in memory: what a program writes to its pty becomes lines of harmless text with a look.

It understands what build tools, progress bars and coloured logs use (ECMA-48 cursor moves, erasing, scrolling,
colours; xterm's alternate screen); every other sequence is swallowed. Nothing of a sequence is ever handed on: lines
hold text that has passed `format.plain`. Memory is bounded: `rows` lines on the screen, `history` above it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeAlias

from tracetui import format as fmt
from tracetui.looks import PLAIN, Look, numbers, painted

HISTORY = 5000
HELD = 4096
TAB = 8
KEYBOARD_MODES = frozenset({1, 47, 1000, 1002, 1003, 1047, 1049})
"""Private modes of programs that mean to be driven by keys and mouse: cursor keys, alternate screen, mouse."""
_TOKEN = re.compile(
    r"(?P<run>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?:\x1b\[|\x9b)(?P<params>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|(?P<string>(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c))"
    r"|\x1b(?P<esc>[ -/]*[0-OQ-WYZ\\`-~])"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x9f])"
)
_STRING = re.compile(r"\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]")
_STRING_END = re.compile(r"\x07|\x1b\\|\x9c|\x18|\x1a")

Cell: TypeAlias = tuple[str, Look]
"""A character with its marks, "" behind a wide one."""
Span: TypeAlias = tuple[str, Look]
BLANK: Cell = (" ", PLAIN)


class Screen:
    """`feed` text; read `line`s. The first line is the oldest that is kept."""

    def __init__(self, columns: int = 80, rows: int = 24, *, history: int = HISTORY) -> None:
        self.columns, self.rows = max(columns, 2), max(rows, 1)
        self.above: deque[list[Span]] = deque(maxlen=history)
        self.dropped = 0
        self.version = 0
        self.alternate = False
        self.modes: set[int] = set()
        self._main: list[list[Cell]] = []
        self._held = ""
        self._swallowing = 0
        self.reset()

    def reset(self) -> None:
        self.grid: list[list[Cell]] = [[] for _ in range(self.rows)]
        self.x = self.y = 0
        self.look = PLAIN
        self._saved = (0, 0, PLAIN)
        self._top, self._bottom = 0, self.rows - 1

    # Reading.

    def __len__(self) -> int:
        """How many lines there are, empty ones at the end left out."""
        return len(self.above) + self._used()

    def line(self, index: int) -> list[Span]:
        if index < len(self.above):
            return self.above[index]
        return spans(self.grid[index - len(self.above)])

    def text(self, last: int | None = None) -> str:
        """The last lines as text (None: all)."""
        first = 0 if last is None else max(len(self) - last, 0)
        return "\n".join("".join(text for text, _ in self.line(i)).rstrip() for i in range(first, len(self)))

    @property
    def wants_keys(self) -> bool:
        """Whether the program draws a whole screen, or asks for the mouse."""
        return self.alternate or bool(self.modes & KEYBOARD_MODES)

    def _used(self) -> int:
        for at in range(self.rows - 1, -1, -1):
            if self.grid[at]:
                return max(at, self.y if self.x else 0) + 1
        return 0

    def resize(self, columns: int, rows: int) -> None:
        """A new size. Lines are not broken anew; what no longer fits goes up."""
        columns, rows = max(columns, 2), max(rows, 1)
        if rows < self.rows:
            for _ in range(max(self.y - rows + 1, 0)):
                self._up_and_away(self.grid.pop(0))
                self.y -= 1
            del self.grid[rows:]
        self.grid += [[] for _ in range(rows - len(self.grid))]
        self.columns, self.rows = columns, rows
        self._top, self._bottom = 0, rows - 1
        self.x, self.y = min(self.x, columns - 1), min(self.y, rows - 1)
        self.version += 1

    # Writing.

    def feed(self, text: str) -> None:
        """Take in more of what the program wrote; a sequence may come in pieces."""
        text, self._held = self._held + text, ""
        at = self._swallow(text) if self._swallowing else 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                at = self._unfinished(text, at)
                continue
            at = match.end()
            if match["run"] is not None:
                self._write(match["run"])
            elif match["final"] is not None:
                if not match["between"]:
                    self._csi(match["params"], match["final"])
            elif match["esc"] is not None:
                self._escape(match["esc"])
            elif match["control"] is not None:
                self._control(match["control"])
        self.version += 1

    def _unfinished(self, text: str, at: int) -> int:
        """A sequence without an end: wait for the rest of it, or pass over what will never be one."""
        rest = len(text) - at
        if _STRING.match(text, at):
            if rest <= HELD and not _STRING_END.search(text, at + 1) and "\x1b" not in text[at + 1 : -1]:
                self._held = text[at:]
                return len(text)
            if rest > HELD:
                self._swallowing = 1
                return at + self._swallow(text[at:])
            return at + 1
        if rest < 64 and "\x1b" not in text[at + 1 :] and re.fullmatch(r"[\x1b\x9b][\[ -?]*", text[at:]):
            self._held = text[at:]
            return len(text)
        return at + 1

    def _swallow(self, text: str) -> int:
        """Inside an endless string: where it ends. After 64 KB it is taken for an accident, not for a picture."""
        end = _STRING_END.search(text)
        self._swallowing += len(text)
        if end is None and self._swallowing < 65536:
            return len(text)
        self._swallowing = 0
        return end.end() if end else len(text)

    def _write(self, text: str) -> None:
        if not text.isascii():
            for char in fmt.plain(text):
                self._put([char], fmt.cells(char))
            return
        at = 0
        while at < len(text):
            if self.x >= self.columns:
                self._wrap()
            piece = text[at : at + self.columns - self.x]
            self._put(list(piece), len(piece))
            at += len(piece)

    def _put(self, chars: list[str], width: int) -> None:
        """Put characters at the cursor; `width` is 0 for a mark, 2 for a wide one, else their number."""
        if width == 0:
            self._mark(chars[0])
            return
        if self.x + width > self.columns:
            self._wrap()
        row, x, look = self.grid[self.y], self.x, self.look
        if len(row) < x:
            row += [BLANK] * (x - len(row))
        if x < len(row) and row[x][0] == "":  # half of a wide one is no character
            row[x - 1] = BLANK
        cells = [(char, look) for char in chars]
        row[x : x + width] = [*cells, ("", look)] if len(cells) < width else cells
        if x + width < len(row) and row[x + width][0] == "":
            row[x + width] = BLANK
        self.x = x + width

    def _mark(self, mark: str) -> None:
        row, at = self.grid[self.y], self.x - 1
        while 0 < at < len(row) and row[at][0] == "":
            at -= 1
        if 0 <= at < len(row) and len(row[at][0]) < 4:
            row[at] = (row[at][0] + mark, row[at][1])

    def _wrap(self) -> None:
        self.x = 0
        self._down()

    def _down(self) -> None:
        if self.y == self._bottom:
            self._scroll(1)
        elif self.y < self.rows - 1:
            self.y += 1

    def _scroll(self, by: int) -> None:
        """Move the scrolling region up by lines (down if negative)."""
        for _ in range(min(abs(by), self._bottom - self._top + 1)):
            if by > 0:
                gone = self.grid.pop(self._top)
                self.grid.insert(self._bottom, [])
                if self._top == 0 and not self.alternate:
                    self._up_and_away(gone)
            else:
                self.grid.pop(self._bottom)
                self.grid.insert(self._top, [])

    def _up_and_away(self, row: list[Cell]) -> None:
        if self.above.maxlen and len(self.above) == self.above.maxlen:
            self.dropped += 1
        self.above.append(spans(row))

    # Controls and sequences.

    def _control(self, control: str) -> None:
        if control in "\n\x0b\x0c\x84\x85":
            self.x = 0 if control == "\x85" else self.x
            self._down()
        elif control == "\r":
            self.x = 0
        elif control == "\b":
            self.x = max(min(self.x, self.columns - 1) - 1, 0)
        elif control == "\t":
            self.x = min((self.x // TAB + 1) * TAB, self.columns - 1)

    def _escape(self, name: str) -> None:
        if name == "7":
            self._saved = (self.x, self.y, self.look)
        elif name == "8":
            self._restore()
        elif name == "c":
            self.modes.clear()
            self._leave_alternate()
            self.reset()
        elif name in ("D", "E"):
            self._control("\x85" if name == "E" else "\n")
        elif name == "M":
            if self.y == self._top:
                self._scroll(-1)
            else:
                self.y = max(self.y - 1, 0)

    def _restore(self) -> None:
        self.x, self.y, self.look = self._saved
        self.x, self.y = min(self.x, self.columns), min(self.y, self.rows - 1)

    def _csi(self, params: str, final: str) -> None:
        if params.startswith("?"):
            if final in "hl":
                self._modes(numbers(params[1:]), on=final == "h")
            return
        if params[:1] in ("<", "=", ">"):
            return
        if final == "m":
            self.look = painted(self.look, params)
            return
        handler = _HANDLERS.get(final)
        if handler is not None:
            given = numbers(params)
            handler(self, given[0] if given else 0, given[1] if len(given) > 1 else 0)

    def _modes(self, given: Iterable[int], *, on: bool) -> None:
        for mode in given:
            if mode in (47, 1047, 1049) and on != self.alternate:
                if on:
                    self._saved = (self.x, self.y, self.look)
                    self._main, self.grid = self.grid, [[] for _ in range(self.rows)]
                    self.alternate = True
                else:
                    self._leave_alternate()
            elif mode in KEYBOARD_MODES:
                self.modes.add(mode) if on else self.modes.discard(mode)

    def _leave_alternate(self) -> None:
        if self.alternate:
            self.alternate = False
            self.grid = self._main[: self.rows]
            self.grid += [[] for _ in range(self.rows - len(self.grid))]
            self._main = []
            self._restore()

    def _move(self, x: int, y: int) -> None:
        self.x, self.y = min(max(x, 0), self.columns - 1), min(max(y, 0), self.rows - 1)

    def _erase_line(self, how: int, _: int = 0) -> None:
        row, x = self.grid[self.y], min(self.x, self.columns - 1)
        if how == 0:
            del row[x:]
            if row and row[-1][0] != "" and fmt.cells(row[-1][0]) == 2:
                row[-1] = BLANK
        elif how == 1:
            row[: x + 1] = [BLANK] * min(x + 1, len(row))
        elif how == 2:
            row.clear()

    def _erase_screen(self, how: int, _: int = 0) -> None:
        if how == 3:
            self.above.clear()
        if how in (0, 1):
            self._erase_line(how)
        first, last = {0: (self.y + 1, self.rows), 1: (0, self.y), 2: (0, self.rows)}.get(how, (0, 0))
        for at in range(first, last):
            self.grid[at] = []

    def _lines(self, count: int, *, insert: bool) -> None:
        if self._top <= self.y <= self._bottom:
            for _ in range(min(max(count, 1), self._bottom - self.y + 1)):
                self.grid.pop(self._bottom if insert else self.y)
                self.grid.insert(self.y if insert else self._bottom, [])

    def _characters(self, count: int, how: str) -> None:
        """Insert, delete or blank characters at the cursor."""
        row, x, count = self.grid[self.y], self.x, min(max(count, 1), self.columns)
        if x >= len(row):
            return
        if how == "@":
            row[x:x] = [BLANK] * count
            del row[self.columns :]
        elif how == "P":
            del row[x : x + count]
        else:
            row[x : x + count] = [BLANK] * min(count, len(row) - x)

    def _region(self, top: int, bottom: int) -> None:
        top, bottom = max(top, 1) - 1, min(bottom or self.rows, self.rows) - 1
        if top < bottom:
            self._top, self._bottom = top, bottom
            self._move(0, 0)


_HANDLERS: dict[str, Callable[[Screen, int, int], None]] = {
    "A": lambda s, n, _: s._move(s.x, s.y - max(n, 1)),
    "B": lambda s, n, _: s._move(s.x, s.y + max(n, 1)),
    "e": lambda s, n, _: s._move(s.x, s.y + max(n, 1)),
    "C": lambda s, n, _: s._move(s.x + max(n, 1), s.y),
    "a": lambda s, n, _: s._move(s.x + max(n, 1), s.y),
    "D": lambda s, n, _: s._move(s.x - max(n, 1), s.y),
    "E": lambda s, n, _: s._move(0, s.y + max(n, 1)),
    "F": lambda s, n, _: s._move(0, s.y - max(n, 1)),
    "G": lambda s, n, _: s._move(max(n, 1) - 1, s.y),
    "`": lambda s, n, _: s._move(max(n, 1) - 1, s.y),
    "d": lambda s, n, _: s._move(s.x, max(n, 1) - 1),
    "H": lambda s, n, m: s._move(max(m, 1) - 1, max(n, 1) - 1),
    "f": lambda s, n, m: s._move(max(m, 1) - 1, max(n, 1) - 1),
    "J": Screen._erase_screen,
    "K": Screen._erase_line,
    "L": lambda s, n, _: s._lines(n, insert=True),
    "M": lambda s, n, _: s._lines(n, insert=False),
    "@": lambda s, n, _: s._characters(n, "@"),
    "P": lambda s, n, _: s._characters(n, "P"),
    "X": lambda s, n, _: s._characters(n, "X"),
    "S": lambda s, n, _: s._scroll(max(n, 1)),
    "T": lambda s, n, _: s._scroll(-max(n, 1)),
    "r": lambda s, n, m: s._region(n, m),
    "s": lambda s, n, _: s._escape("7"),
    "u": lambda s, n, _: s._escape("8"),
}


def spans(row: list[Cell]) -> list[Span]:
    """A row with neighbours of one look joined."""
    out: list[Span] = []
    start = 0
    for at in range(1, len(row) + 1):
        if at == len(row) or row[at][1] is not row[start][1]:
            out.append(("".join(cell[0] for cell in row[start:at]), row[start][1]))
            start = at
    return out
