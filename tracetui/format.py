"""Everything that turns a value into text on the screen, and the one gate for text that came in a trace.

Foreign text is hostile until `plain` or `plain_lines` has seen it: what they return holds no control or escape
sequence, nothing invisible and nothing whose width terminals disagree about, so `cells(text)` is what it takes.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

UNKNOWN = "–"
RUNNING = "⋯"
NEWLINE = "⏎"
ELLIPSIS = "…"

# Whole sequences first (a tool's coloured output should read like its text), then whatever is left of them.
# None of the parts can run past the next ESC, so an unterminated sequence swallows nothing after it.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)"  # OSC DCS SOS PM APC
    r"|\x1b[ -/]+[0-~]|\x1b[@-OQ-WYZ\\a-z=>78]"  # charset selection, single functions
)
_LINE_ENDS = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
# Invisible, direction-changing, or of a width terminals disagree about (joiners, variation selectors, skin tones).
_UNSEEN = re.compile(
    "[\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
_SPACES = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f]")
_CONTROLS = re.compile("[\x00-\x1f]")
_BROKEN = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff]")
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_STACKS = re.compile(f"([{_MARKS}]{{3}})[{_MARKS}]+|(?:^)([{_MARKS}])", re.MULTILINE)


_SOLE_TEXT = re.compile(r'\{"[^"\\]{1,64}": ?"((?:[^"\\]|\\.)*)(?:"\}|\\?…?)', re.DOTALL)


def plain(text: str) -> str:
    """Return foreign text as one harmless line: line ends become ⏎, tabs spaces, sequences are gone.

    Stray control characters show as their picture (␀ ␛): a reader should see that something was there.
    """
    if text.isascii() and text.isprintable():
        return text
    return _clean(_LINE_ENDS.sub(NEWLINE, _SEQUENCES.sub("", text)).replace("\t", " "))


def plain_lines(text: str) -> list[str]:
    """Return foreign text as harmless lines, tabs expanded to four columns."""
    if text.isascii() and text.isprintable():
        return [text]
    lines = _LINE_ENDS.split(_SEQUENCES.sub("", text))
    return [_clean(line.expandtabs(4)) for line in lines]


def _clean(text: str) -> str:
    if text.isascii():
        text = _UNSEEN.sub("", text)
        return text if text.isprintable() else _CONTROLS.sub(_picture, text)
    text = _SPACES.sub(" ", _UNSEEN.sub("", text))
    text = _CONTROLS.sub(_picture, _BROKEN.sub("\ufffd", text))
    return _STACKS.sub(_unstacked, _FLAGS.sub(_letter, text))


def _picture(match: re.Match[str]) -> str:
    return chr(0x2400 + ord(match[0]))


def _letter(match: re.Match[str]) -> str:
    """Flags are pairs of letters that terminals draw one, two or four cells wide: show the letters."""
    return chr(ord(match[0]) - 0x1F1E6 + ord("A"))


def _unstacked(match: re.Match[str]) -> str:
    return match[1] if match[1] else "◌" + match[2]


def sole_text(text: str) -> str:
    """The text in `{"question": "…"}`: what a function with one text argument was given, which may be cut off.
    Anything else is returned as it is."""
    found = _SOLE_TEXT.fullmatch(text)
    if found is None:
        return text
    try:
        return str(json.loads(f'"{found[1].rstrip(ELLIPSIS)}"'))
    except ValueError:  # cut off inside an escape
        return found[1]


def cells(text: str) -> int:
    """Return how many terminal cells harmless `text` takes (CJK and emoji take two)."""
    return len(text) if text.isascii() else cell_len(text)


def clip(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, the last of them … where something was cut."""
    if width <= 0:
        return ""
    if text[: width + 1].isascii():  # nearly always, and a twentieth of the time
        return text if len(text) <= width else text[: width - 1].rstrip() + ELLIPSIS
    text = text[: 4 * width + 8]  # three marks may sit on a character, see _STACKS
    if cells(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return `text` in exactly `width` cells: clipped, or padded (on the left if `right`)."""
    text = clip(text, width)
    pad = " " * (width - cells(text))
    return pad + text if right else text + pad


def wrap(text: str, width: int) -> list[str]:
    """Break one line into lines of at most `width` cells, at spaces where there are some. [""] for ""."""
    width = max(width, 2)
    if len(text) * 2 <= width or (text.isascii() and len(text) <= width):
        return [text]
    lines: list[str] = []
    line = ""
    room = width
    for word in re.findall(r"\s*\S+|\s+", text):
        size = cell_len(word)
        if size > room and line:
            lines.append(line)
            word = word.lstrip()
            line, room, size = "", width, cell_len(word)
        while size > width:
            head = _head(word, width)
            lines.append(head)
            word = word[len(head) :]
            size -= cells(head)  # measuring the rest anew would take the square of a long text without spaces
        line += word
        room -= size
    return [*lines, line] if line or not lines else lines


def _head(text: str, width: int) -> str:
    """The longest beginning of `text` that takes at most `width` cells, at least one character."""
    if text[:width].isascii():
        return text[:width]
    size = 0
    for index, char in enumerate(text):
        size += cell_len(char)
        if size > width:
            return text[: max(index, 1)]
    return text


def duration(ns: int | None, *, running: bool = False) -> str:
    """`310µs 4.2ms 310ms 1.24s 23m 02s 2h 05m 3d 04h`, `6.2s⋯` while it runs, – when not known."""
    if ns is None:
        return RUNNING if running else UNKNOWN
    text = _duration(max(ns, 0), 1 if running else 2)
    return text + RUNNING if running else text


def _duration(ns: int, digits: int) -> str:
    if ns < 999_500:
        return f"{ns / 1e3:.0f}µs"
    if ns < 999_500_000:
        return f"{ns / 1e6:.1f}ms" if ns < 9_950_000 else f"{ns / 1e6:.0f}ms"
    if ns < 59_950_000_000:
        return f"{ns / 1e9:.{digits}f}s" if ns < 9_995_000_000 else f"{ns / 1e9:.1f}s"
    seconds = round(ns / 1e9)
    if seconds < 3600:
        return f"{seconds // 60}m {seconds % 60:02}s"
    if seconds < 86_400:
        return f"{seconds // 3600}h {seconds % 3600 // 60:02}m"
    return f"{seconds // 86_400}d {seconds % 86_400 // 3600:02}h"


def tokens(count: int | None) -> str:
    """`286 4.1k 12.4k 310k 5.0M`: three digits at most, – when not known."""
    if count is None:
        return UNKNOWN
    if count < 1000:
        return str(count)
    for unit in "kMG":
        value = count / 1000
        if value < 999.5:
            return f"{value:.1f}{unit}" if value < 99.95 else f"{value:.0f}{unit}"
        count = count // 1000
    return f"{count / 1000:.0f}T"


def money(nanousd: int | None) -> str:
    """`$0.0182 $0.31 $4.12 $31.2 $151 $1.24k`: three digits at most, – when not known, <$0.0001 for crumbs."""
    if nanousd is None:
        return UNKNOWN
    dollars = nanousd / 1e9
    if dollars < 0:
        return "-" + money(-nanousd)
    if dollars == 0:
        return "$0"
    if dollars < 0.00005:
        return "<$0.0001"
    if dollars < 0.9995:
        return f"${dollars:.4f}" if dollars < 0.09995 else f"${dollars:.3f}".removesuffix("0")
    for limit, digits in ((9.995, 2), (99.95, 1), (999.5, 0)):
        if dollars < limit:
            return f"${dollars:.{digits}f}"
    return "$" + tokens(round(dollars)) if dollars >= 99_950 else f"${dollars / 1000:.3g}k"


def money_exact(nanousd: int | None) -> str:
    """Every digit that is there: `$0.01825`; – when not known."""
    if nanousd is None:
        return UNKNOWN
    text = f"{abs(nanousd) // 10**9}.{abs(nanousd) % 10**9:09}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{'-' if nanousd < 0 else ''}${whole}.{rest:0<2}"


def count(number: int) -> str:
    """`1,284`."""
    return f"{number:,}"


def age(then_ns: int, now_ns: int) -> str:
    """`now 12s 3m 2h 5d 14mo 3y`: at most four cells."""
    seconds = (now_ns - then_ns) // 1_000_000_000
    if seconds < 1:
        return "now"
    for size, unit in ((60, "s"), (3600, "m"), (86_400, "h")):
        if seconds < size:
            return f"{seconds // (size // 60 if unit != 'h' else 3600)}{unit}"
    days = seconds // 86_400
    if days < 100:
        return f"{days}d"
    return f"{days // 30}mo" if days < 730 else f"{days // 365}y"


def clock(ns: int) -> str:
    """Local wall-clock time to the millisecond: `2025-03-01 14:02:31.250`."""
    try:
        moment = datetime.fromtimestamp(ns / 1e9, UTC).astimezone()
    except (OverflowError, ValueError, OSError):
        return f"{ns} ns"
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{ns % 10**9 // 10**6:03}"


class Glyphs(NamedTuple):
    """The signs we draw with. All of them are one cell wide, in both sets."""

    kinds: dict[str, str]
    states: dict[str, str]
    cursor: str = "▸"
    opened: str = "▾"
    closed: str = "▸"
    tee: str = "├"
    elbow: str = "└"
    pipe: str = "│"
    dash: str = "─"
    bar: str = "━"
    gap: str = "╌"
    lane: str = "∥"
    heat: tuple[str, ...] = tuple("·▁▃▅█")
    dense: tuple[str, ...] = tuple(" ▁▂▃▄▅▆▇█")
    thick: str = "█"
    first_token: str = "┃"  # noqa: S105 - a sign, not a secret
    infra: str = "·"
    live: str = "●"
    warn: str = "⚠"
    arrow: str = "→"
    back: str = "‹"
    on: str = "›"
    thumb: str = "▐"
    up: str = "↑"
    down: str = "↓"
    enter: str = "↵"
    ghost: str = "◌"
    dot: str = "·"


UNICODE = Glyphs(
    kinds={
        "agent": "◆",
        "llm": "✦",
        "tool": "⚒",
        "retriever": "⌕",
        "embedding": "≋",
        "reranker": "≡",
        "chain": "▤",
        "guardrail": "⊘",
        "evaluator": "★",
        "prompt": "¶",
        "event": "•",
        "http": "↔",
        "db": "⛁",
        "span": "·",
    },
    states={"running": "●", "ok": "✔", "error": "✖", "abandoned": "◌"},
)

ASCII = Glyphs(
    kinds={
        "agent": "@",
        "llm": "*",
        "tool": "#",
        "retriever": "?",
        "embedding": "~",
        "reranker": "=",
        "chain": "%",
        "guardrail": "!",
        "evaluator": "^",
        "prompt": "&",
        "event": "'",
        "http": ":",
        "db": "$",
        "span": ".",
    },
    states={"running": "o", "ok": "+", "error": "x", "abandoned": "?"},
    cursor=">",
    opened="v",
    closed=">",
    tee="|",
    elbow="`",
    pipe="|",
    dash="-",
    bar="=",
    gap=".",
    lane="|",
    heat=tuple(".-=#@"),
    dense=tuple(" ..::--=="),
    thick="#",
    first_token="|",  # noqa: S106 - a sign, not a secret
    infra=".",
    live="o",
    warn="!",
    arrow=">",
    back="<",
    on=">",
    thumb="|",
    up="^",
    down="v",
    enter="<",
    ghost="?",
    dot="-",
)

_ASCII_SIGNS = str.maketrans(
    {
        "…": "~",
        "–": "-",
        "⋯": "~",
        "⏎": "|",
        "µ": "u",
        "·": "-",
        "→": ">",
        "×": "x",
        "─": "-",
        "↵": "<",
        "↓": "v",
        "↑": "^",
        "←": "<",
    }
)


def ascii_signs(text: str) -> str:
    """Replace the signs of our own texts (…, –, ⋯, →) by ASCII of the same width."""
    return text.translate(_ASCII_SIGNS)


def spilled(size: int, path: object) -> str:
    """What programs had no time to write waits beside the file: `size` bytes of it."""
    return (
        f"{size:,} bytes of spans wait in {path}.spill-*: the next traced program, or `tracetui collect`, reads them"
        " back once the one that wrote them has ended"
    )


def left_out(spans: int) -> str:
    """A sentence beside sums: so many spans of those programs are in none of them."""
    were = "1 span was" if spans == 1 else f"{spans:,} spans were"
    return f"{were} left out by sampling: counts, tokens and costs are of what was kept"


def unlooked(traces: int, most: int) -> str:
    """So many traces (counted up to `most`) were not looked at for signals."""
    if traces == 1:
        return "1 trace was not looked at for signals yet"
    return f"{'more than ' if traces >= most else ''}{traces:,} traces were not looked at for signals yet"
