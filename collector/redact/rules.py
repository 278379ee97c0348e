"""What a secret looks like.

Every pattern starts with a literal and looks behind from there: Python's `re` then searches for the literal at
C speed. `_start` also lets a secret follow a JSON escape ("\\nsk-…" in raw JSON is a backslash, an n, and a key),
so that patterns hold for raw JSON as they do for plain text. Token rules ask for a digit or a capital where their
prefix is also a word ("task-…" is none of them).

Formats: platform.openai.com, docs.anthropic.com, cloud.google.com/docs/authentication, docs.aws.amazon.com/IAM
(reference_identifiers), docs.github.com (token formats), api.slack.com/authentication/token-types, docs.stripe.com,
docs.gitlab.com (token overview), RFC 7519 (JWT), RFC 7468 (PEM), RFC 3986 (URLs), ISO/IEC 7812 (cards).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Mark = Callable[[str, str], str]
"""(kind, secret) -> placeholder."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """`gates` are texts of which one must be present; `group` is the secret in a match."""

    kind: str
    gates: tuple[str, ...]
    pattern: re.Pattern[str]
    group: int = 0

    def apply(self, text: str, mark: Mark) -> str:
        if self.group == 0:
            return self.pattern.sub(lambda m: mark(self.kind, m[0]), text)
        return self.pattern.sub(self._within(mark), text)

    def _within(self, mark: Mark) -> Callable[[re.Match[str]], str]:
        def put(match: re.Match[str]) -> str:
            start, end = match.span(self.group)
            whole, base = match[0], match.start()
            return whole[: start - base] + mark(self.kind, whole[start - base : end - base]) + whole[end - base :]

        return put


def _start(literal: str) -> str:
    """The literal, at the start of a word or behind a JSON escape."""
    at = re.escape(literal)
    return rf"{at}(?:(?<![A-Za-z0-9]{at})|(?<=\\[nrtbf]{at})|(?<=\\u00[0-9a-fA-F][0-9a-fA-F]{at}))"


def _token(kind: str, literal: str, rest: str) -> Rule:
    return Rule(kind, (literal,), re.compile(_start(literal) + rest))


_MIXED = r"(?=[a-z_-]*[A-Z0-9])"  # not just a long hyphenated word

API_KEYS: tuple[Rule, ...] = (
    _token(  # OpenAI, Anthropic, OpenRouter, DeepSeek, Langfuse; a Langfuse pk-lf- is public
        "API_KEY",
        "sk-",
        rf"(?:(?:proj|ant|svcacct|admin|or|lf)-[\w-]{{12,}}|{_MIXED}[\w-]{{16,}}|[a-z]{{20,}})",
    ),
    _token("API_KEY", "AIza", r"[\w-]{30,}"),  # Google
    _token("API_KEY", "AKIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),  # AWS
    _token("API_KEY", "ASIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    *(_token("API_KEY", f"gh{kind}_", r"[A-Za-z0-9]{30,}") for kind in "pousr"),
    _token("API_KEY", "github_pat_", r"\w{22,}"),
    _token("API_KEY", "xox", r"[abeoprs](?:\.[abeoprs])?-[\w-]{10,}"),  # Slack
    _token("API_KEY", "xapp-", r"[\w-]{16,}"),
    _token("API_KEY", "sk_live_", r"[A-Za-z0-9]{10,}"),  # Stripe
    _token("API_KEY", "rk_live_", r"[A-Za-z0-9]{10,}"),
    _token("API_KEY", "sk_test_", r"[A-Za-z0-9]{10,}"),
    _token("API_KEY", "rk_test_", r"[A-Za-z0-9]{10,}"),
    _token("API_KEY", "whsec_", r"[A-Za-z0-9+/=]{16,}"),
    _token("API_KEY", "hf_", r"[A-Za-z0-9]{30,}"),
    _token("API_KEY", "npm_", r"[A-Za-z0-9]{30,}"),
    _token("API_KEY", "pypi-", _MIXED + r"[\w-]{32,}"),
    _token("API_KEY", "glpat-", r"[\w-]{20,}(?:\.\w+)*"),
    _token("API_KEY", "lsv2_", r"[a-z]{2}_\w{16,}"),  # LangSmith
    _token("API_KEY", "ls__", r"[a-f0-9]{32}"),
    _token("API_KEY", "pylf_v", r"\d+_[a-z]+_\w{20,}"),  # Logfire
    _token("API_KEY", "gsk_", r"[A-Za-z0-9]{20,}"),  # Groq
    _token("API_KEY", "xai-", r"[A-Za-z0-9]{20,}"),
    _token("API_KEY", "pplx-", r"[A-Za-z0-9]{20,}"),
    _token("API_KEY", "nvapi-", r"[\w-]{20,}"),
    _token("API_KEY", "tvly-", _MIXED + r"[\w-]{16,}"),
    _token("API_KEY", "r8_", r"[A-Za-z0-9]{30,}"),
    _token("API_KEY", "pcsk_", r"\w{20,}"),
    _token("API_KEY", "dop_v1_", r"[a-f0-9]{30,}"),
    _token("API_KEY", "SG.", r"[\w-]{16,}\.[\w-]{16,}"),  # SendGrid
    _token("API_KEY", "ya29.", r"[\w-]{20,}"),  # Google OAuth
)

JWT = _token("JWT", "eyJ", r"[\w-]{8,}\.[\w-]{8,}(?:\.{1,2}[\w-]+)*")

PRIVATE_KEY = Rule(
    "PRIVATE_KEY",
    ("-----BEGIN ",),
    re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|"
               r"(?:\s|\\[nr])*(?:[A-Za-z0-9+/=]{16,}(?:\s|\\[nr])*)*)", re.S),
)  # fmt: skip
"""A key cut short by a size limit has no END line: then as much as looks like its body."""

_VALUE = r"(?=[^\s\"'\\]*\d)[A-Za-z0-9._~+/=-]{16,}"  # a digit tells a token from a word or a variable's name
LONG_TOKEN = re.compile(_VALUE)


def _any_case(pattern: str) -> str:
    """The pattern with every letter in both cases. `re.IGNORECASE` gives up its fast search for the first letter."""
    return re.sub(r"[a-z]", lambda m: f"[{m[0]}{m[0].upper()}]", pattern)


def _assigned(name: str, *gates: str) -> Rule:
    scheme = f"(?:(?:{_any_case('bearer')}|{_any_case('basic')}|{_any_case('token')})\\s+)?"
    sign = r"(?:\\*[\"'])?\s*[:=]\s*(?:\\*[\"'])?"
    return Rule("SECRET", gates, re.compile(f"{_any_case(name)}{sign}{scheme}({_VALUE})"), 1)


BY_CONTEXT: tuple[Rule, ...] = (
    Rule("TOKEN", ("bearer ",), re.compile(rf"{_any_case('bearer')} +({_VALUE})"), 1),
    _assigned("authorization", "authorization"),
    _assigned("api[_-]?key", "api_key", "api-key", "apikey"),
    _assigned("access[_-]?token", "ss_token", "stoken"),
    _assigned("refresh[_-]?token", "sh_token", "shtoken"),
    _assigned("auth[_-]?token", "th_token", "th-token", "thtoken"),
    _assigned("id_token", "id_token"),
    _assigned("client[_-]?secret", "client_secret", "clientsecret"),
    _assigned("secret[_-]?(?:access[_-]?)?key", "secret_", "secretkey", "secretaccesskey"),
)
"""A header or variable that says what it holds: `Authorization: Basic …`, `api_key="…"`, `"access_token": "…"`.
Their gates are lower case and searched for in the lower-cased text."""

URL_PASSWORD = Rule(
    "PASSWORD",
    ("://", ":\\/\\/"),
    re.compile(r"(?<=[A-Za-z0-9]):(?://|\\/\\/)[^\s:/@\"'<>\\]*:(?!\[[A-Z_]+:[0-9a-f]{4}\]@)([^\s/\"'<>\\]+)@"),
    1,
)

BY_PREFIX: tuple[Rule, ...] = (*API_KEYS, JWT)
"""All of these, like BY_CONTEXT and PRIVATE_KEY, hold a run of at least 16 token characters (`scan.RUN`):
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


EMAIL = Rule("EMAIL", ("@",), re.compile(r"[\w.+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}\b"))

PII_RULES: tuple[Rule, ...] = (
    Rule(
        "NATIONAL_ID",  # US social security number
        ("-", " "),
        re.compile(r"(?<![\w.+-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}(?![\w-])"),
    ),
    Rule("IBAN", ("",), re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")),
    Rule(
        "PHONE",  # with a country's code, or as Americans write it
        ("+", "-", "(", "."),
        re.compile(
            r"(?<![\w.+/:=-])(?:\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}"
            r"|(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4})(?![\w/:-]|\.\d)"
        ),
    ),
)
"""Only in mode "pii": guesses about shape, some will be wrong."""
