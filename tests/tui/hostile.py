"""Text as a trace may bring it. The first four crash, colour or vanish in widgets that trust it."""

from __future__ import annotations

HOSTILE = ["[/red] done", "list[int]", "[@click=app.quit]free[/]", "\x1b[31mred\x1b[0m"]

CONTROL_STRINGS = [
    "\x1b]0;title\x07after",
    "\x1b]52;c;aGk=\x1b\\after",
    "\x1bPq#0\x1b\\after",
    "\x1b[2J\x1b[H\x1b[?1049l",
    "\x9b31m\x9d0;t\x9c\x90q\x9c",
    "\x1b]0;never ends",
    "\x1b",
    "\x00\x07\x08\x0e\x7f",
    "a\u202eevil\u202c\u2066x\u2069",
    "zero\u200bwidth\u200d\ufeff\u2060\u00ad",
    "tag\U000e0041\U000e0042",
    "lone \ud800 surrogate",
    "line\u2028sep\u2029para\x85nel\x0bvt\x0cff\rcr",
    "z" + "\u0301" * 400,
    "\u0301leading mark",
]

WIDE = [
    ("日本語", 6),
    ("한국어", 6),
    ("🙂", 2),
    ("👨‍👩‍👧", 6),
    ("👍🏽", 2),
    ("❤️", 1),
    ("🇮🇳", 2),
    ("e\u0301", 1),
    ("ＡＢ", 4),
]
