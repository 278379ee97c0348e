"""What a secret looks like, wherever it comes from: headers, assignments, URLs, private keys, cards.

Every pattern starts with a literal and looks behind from there: Python's `re` then searches for the literal at
C speed. `rule.start` also lets a secret follow a JSON escape ("\\nsk-…" in raw JSON is a backslash, an n, and a
key), so that patterns hold for raw JSON as they do for plain text.

Formats: RFC 7519 (JWT), RFC 7468 (PEM), RFC 9580 (OpenPGP armor), RFC 3986 (URLs), ISO/IEC 7812 (cards), the
connection strings of ADO.NET, ODBC, JDBC and libpq. Those of makers are in `formats`, personal data is in `personal`.
"""

from __future__ import annotations

import re

from collector.redact.formats import BY_START
from collector.redact.rule import Mark, Rule, token

JWT = token("eyJ", r"[\w-]{8,}\.[\w-]{8,}(?:\.{1,2}[\w-]+)*", "JWT")

PRIVATE_KEY = Rule(
    "PRIVATE_KEY",
    ("-----BEGIN ",),
    re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|"
               r"(?:\s|\\[nr])*(?:[A-Za-z0-9+/=]{16,}(?:\s|\\[nr])*)*)", re.S),
)  # fmt: skip
"""A key cut short by a size limit has no END line: then as much as looks like its body."""

_SIGN = r"[A-Za-z0-9._~+/=-]"
_DIGIT_SOON = r"(?=[^\s\"'\\]{0,200}\d)"
"""A digit tells a token from a word or a variable's name. Looked for no further: a text without any would be gone
through from each of its letters on."""
_VALUE = rf"{_DIGIT_SOON}{_SIGN}{{16,}}"
LONG_TOKEN = re.compile(rf"(?<!{_SIGN})(?={_SIGN}{{16}}){_DIGIT_SOON}")
"""Only where one begins: what holds for a part of it holds for all of it."""


def _any_case(pattern: str) -> str:
    """The pattern with every letter in both cases. `re.IGNORECASE` gives up its fast search for the first letter."""
    return re.sub(r"[a-z]", lambda m: f"[{m[0]}{m[0].upper()}]", pattern)


def _assigned(name: str, *gates: str) -> Rule:
    scheme = f"(?:(?:{_any_case('bearer')}|{_any_case('basic')}|{_any_case('token')})\\s+)?"
    sign = r"(?:\\*[\"'])?\s*[:=]\s*(?:\\*[\"'])?"
    return Rule("SECRET", gates, re.compile(f"{_any_case(name)}{sign}{scheme}({_VALUE})"), 1)


BY_CONTEXT: tuple[Rule, ...] = (
    Rule("TOKEN", ("bearer ",), re.compile(rf"{_any_case('bearer')} +({_VALUE})"), 1),
    Rule("TOKEN", ("basic ",), re.compile(rf"{_any_case('basic')} +([A-Za-z0-9+/]{{16,}}={{1,2}})(?![\w=])"), 1),
    _assigned("authorization", "authorization"),
    _assigned("api[_-]?key", "api_key", "api-key", "apikey"),
    _assigned(
        "api[_-]?(?:token|secret)", "api_token", "api-token", "apitoken", "api_secret", "api-secret", "apisecret"
    ),
    _assigned("access[_-]?token", "ss_token", "stoken"),
    _assigned("refresh[_-]?token", "sh_token", "shtoken"),
    _assigned("auth[_-]?token", "th_token", "th-token", "thtoken"),
    _assigned("(?:session|security|bot)[_-]?token", "n_token", "ntoken", "y_token", "ytoken", "y-token", "t_token"),
    _assigned("id_token", "id_token"),
    _assigned("client[_-]?secret", "client_secret", "clientsecret"),
    _assigned("secret[_-]?(?:access[_-]?)?key", "secret_", "secretkey", "secretaccesskey"),
    _assigned("(?:account|sharedaccess|subscription)[_-]?key", "accountkey", "accesskey", "account_key", "ion-key"),
    Rule("SECRET", ("sig=",), re.compile(r"(?<=[?&;])sig=([A-Za-z0-9%+/_-]{30,}=*)"), 1),
    Rule(
        "WEBHOOK",
        ("hooks.slack.com",),
        re.compile(r"hooks\.slack\.com\\?/(?:services|workflows|triggers)\\?/([\w/\\-]{20,})"),
        1,
    ),
    Rule("WEBHOOK", ("/webhooks",), re.compile(r"discord(?:app)?\.com\\?/api\\?/webhooks\\?/\d+\\?/([\w-]{40,})"), 1),
)
"""A header or variable that says what it holds: `Authorization: Basic …`, `api_key="…"`, `"access_token": "…"`,
`AccountKey=…`, the signature of a shared URL. Gates are lower case, searched for in the lower-cased text, and
each holds one of CONTEXT_WORDS."""

CONTEXT_WORDS = ("token", "api", "secret", "bearer", "authorization", "basic ", "key", "sig=", "hook")

PASSWORD_WORDS = ("assw", "ASSW", "assph", "ASSPH")
PASSWORD_VARIABLES = ("pwd=", "Pwd=", "PWD=")
PASSWORDS: tuple[Rule, ...] = (
    Rule(  # connection strings: another key=value stands before it
        "PASSWORD",
        (),
        re.compile(
            r"(?:[;?&]\s?|\b(?:host|hostaddr|user|uid|dbname|port|server|database)=[^\s=]{1,200}\s)"
            r"(?:[Pp]assword|PASSWORD|[Pp]wd|PWD)\s?=\s?(?!\[[A-Z_]+:[0-9a-f]{4}\])([^\s;&\"'\\<>(){}$]+)"
        ),
        1,
    ),
    Rule(  # the environment
        "PASSWORD",
        (),
        re.compile(
            r"(?:PASSWORD|PASSWD|PASSPHRASE|_PWD)=[\"']?(?!\[[A-Z_]+:[0-9a-f]{4}\])([^\s\"'\\()\[\]{}$<>;&,*]{4,})"
        ),
        1,
    ),
    Rule(  # JSON, and Python's dicts
        "PASSWORD",
        (),
        re.compile(
            r"(?:[Pp]assword|[Pp]asswd|[Pp]assphrase)\\*[\"']:\s?\\*([\"'])(?!\[[A-Z_]+:[0-9a-f]{4}\])"
            r"((?:(?!\1)[^\\\n]|\\(?![\"'])[^\n])+)"
        ),
        2,
    ),
)
"""Tried where one of PASSWORD_WORDS or PASSWORD_VARIABLES is: a password has no form and may be short."""

URL_PASSWORD = Rule(
    "PASSWORD",
    ("://", ":\\/\\/"),
    re.compile(r"(?<=[A-Za-z0-9]):(?://|\\/\\/)[^\s:/@\"'<>\\]*:(?!\[[A-Z_]+:[0-9a-f]{4}\]@)([^\s/\"'<>\\]+)@"),
    1,
)

BY_PREFIX: tuple[Rule, ...] = (*BY_START, JWT)
"""All of these, like BY_MIDDLE, BY_CONTEXT and PRIVATE_KEY, hold a run of at least 16 token characters (`scan.RUN`):
where there is no such run, there is no need to look."""

_CARD = re.compile(r"[0-9](?:[0-9]{12,18}|[0-9]{2,5}(?:[ -][0-9]{3,7}){1,5})")
_CARD_LEFT = re.compile(r"[\w+/-]\Z|[0-9]\.\Z")
_CARD_RIGHT = re.compile(r"[\w/=-]|\.\d|:\d")
_ESCAPED_LEFT = re.compile(r"\\[nrtbf]\Z")
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12,15}|3(?:0[0-5]|095|[689]\d)\d{11}|35\d{14}|62\d{14,17}|(?:50|5[6-8]|6[37])\d{11,17}"
)


def redact_cards(text: str, mark: Mark) -> str:
    """Card numbers: an issuer's prefix and length, the Luhn digit, groups by space or dash, nothing glued to it.

    The issuer rule keeps millisecond times and most long numbers out, which pass Luhn one time in ten.
    """

    def put(match: re.Match[str]) -> str:
        digits = match[0].replace(" ", "").replace("-", "")
        if not _ISSUERS.fullmatch(digits) or not luhn(digits):
            return match[0]
        before = text[max(0, match.start() - 2) : match.start()]
        if _CARD_RIGHT.match(text, match.end()) or (_CARD_LEFT.search(before) and not _ESCAPED_LEFT.search(before)):
            return match[0]
        return mark("CARD", digits)

    return _CARD.sub(put, text)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: every second digit from the right doubled, digit sums, a multiple of ten."""
    odd = sum(map(int, digits[-1::-2]))
    even = sum((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[int(d)] for d in digits[-2::-2])
    return (odd + even) % 10 == 0
