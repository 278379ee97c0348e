"""Personal data, for mode "pii": e-mail, phone, national ids, bank accounts.

Whatever has a check digit must get it right, so that order numbers and times stay: US social security number (the
ranges that SSA issues), IBAN (ISO 13616), Spain's DNI and NIE, Italy's codice fiscale, France's NIR, Belgium's and
Sweden's numbers with their separators, Finland's HETU, Germany's tax id in its groups, Poland's PESEL after its name,
Britain's National Insurance number (it has no check digit, but a form of its own).

IP addresses stay: in a trace they nearly always name machines (127.0.0.1, a database host), and one cannot be told
from a version of four numbers. Who has clients' addresses in prompts adds a pattern (`redact_patterns`). Names and
street addresses have no form that a pattern could know.
"""

from __future__ import annotations

import re

from collector.redact.rule import Rule

EMAIL = Rule("EMAIL", ("@",), re.compile(r"[\w.+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}\b"))

_IBAN_LENGTHS = {
    found[:2]: int(found[2:])
    for found in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18"
        " FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20"
        " LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18"
        " SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    ).split()
}
"""Characters by country, from the IBAN registry (swift.com)."""


def _iban(text: str) -> int:
    """ISO 13616: the right length for the country, and remainder 1 of 97 with letters as numbers."""
    wanted = _IBAN_LENGTHS.get(text[:2], 0)
    seen = 0
    for size, char in enumerate(text, 1):
        seen += char != " "
        if seen == wanted:
            compact = text[:size].replace(" ", "")
            turned = compact[4:] + compact[:4]
            return size if int("".join(str(int(c, 36)) for c in turned)) % 97 == 1 else 0
    return 0


_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def _dni(text: str) -> int:
    digits = re.sub(r"\D", "", text[:-1].translate(str.maketrans("XYZ", "012")))
    return len(text) if _DNI[int(digits) % 23] == text[-1] else 0


_CF_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip


def _codice_fiscale(text: str) -> int:
    odd = sum(_CF_ODD[c] for c in text[0:15:2])
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in text[1:15:2])
    return len(text) if chr(65 + (odd + even) % 26) == text[15] else 0


def _nir(text: str) -> int:
    compact = text.replace(" ", "").replace("2A", "19").replace("2B", "18")
    return len(text) if 97 - int(compact[:13]) % 97 == int(compact[13:]) else 0


def _belgian(text: str) -> int:
    digits = re.sub(r"\D", "", text)
    told = int(digits[9:])
    return len(text) if told in (97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97) else 0


def _luhn10(text: str) -> int:
    digits = re.sub(r"\D", "", text)[-10:]
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(digits))
    return len(text) if total % 10 == 0 else 0


def _hetu(text: str) -> int:
    number = int(text[:6] + text[7:10])
    return len(text) if "0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == text[10] else 0


def _steuer_id(text: str) -> int:
    """ISO 7064 MOD 11,10; of the first ten digits one stands there twice or thrice."""
    digits = text.replace(" ", "")
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return len(text) if (11 - product) % 10 == int(digits[10]) and len(set(digits[:10])) in (8, 9) else 0


def _pesel(text: str) -> int:
    digits = text[-11:]
    total = sum(int(d) * w for d, w in zip(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), strict=True))
    return len(text) if total % 10 == 0 else 0


_AT, _END = r"(?<![\w.+/:=-])", r"(?![\w/:-]|\.\d)"
_DAY, _MONTH = r"(?:0[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])"


def _id(pattern: str, length: object = None) -> Rule:
    return Rule("NATIONAL_ID", (), re.compile(pattern), 0, length)  # type: ignore[arg-type]


PII_RULES: tuple[Rule, ...] = (
    _id(r"(?<![\w.+-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}(?![\w-])"),  # US
    Rule("IBAN", (), re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"), 0, _iban),
    _id(rf"{_AT}(?:\d{{8}}|[XYZ]-?\d{{7}})-?[{_DNI}]{_END}", _dni),
    _id(rf"{_AT}[A-Z]{{6}}\d\d[A-EHLMPRST]\d\d[A-Z]\d{{3}}[A-Z]{_END}", _codice_fiscale),
    _id(rf"{_AT}[12] ?\d\d ?{_MONTH} ?(?:\d\d|2[AB]) ?\d{{3}} ?\d{{3}} ?\d\d{_END}", _nir),
    _id(rf"{_AT}\d\d\.{_MONTH}\.{_DAY}-\d{{3}}[.-]\d\d{_END}", _belgian),
    _id(rf"{_AT}(?:19|20)?\d\d{_MONTH}(?:{_DAY}|[6-9]\d)[-+]\d{{4}}{_END}", _luhn10),  # Sweden
    _id(rf"{_AT}{_DAY}{_MONTH}\d\d[-+A-FU-Y]\d{{3}}[0-9A-Y]{_END}", _hetu),
    _id(rf"{_AT}[1-9]\d \d{{3}} \d{{3}} \d{{3}}{_END}", _steuer_id),
    _id(r"PESEL\W{0,3}\d{11}(?!\d)", _pesel),
    _id(rf"{_AT}(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PRSTW-Z][A-CEGHJ-NPRSTW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]{_END}"),  # UK
    Rule(
        "PHONE",  # with a country's code, or as Americans write it
        (),
        re.compile(
            r"(?<![\w.+/:=-])(?:\+[1-9]\d{0,2}(?:[ .-]?\(?\d{1,4}\)?){2,6}"
            r"|(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4})(?![\w/:-]|\.\d)"
        ),
    ),
)
"""Applied in this order. Those without a check are guesses about shape; some will be wrong."""
