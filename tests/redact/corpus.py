"""What must go and what must stay, from `corpus/`. Every secret there is made up, or an issuer's own example.

secrets.jsonl       keys and card numbers, wherever they stand
context.jsonl       what is known by the words around it
harmless.txt        ids, models, times, numbers: nothing may change, a line each
personal.jsonl      what mode "pii" finds;  not_personal.txt  what looks like it and has a wrong check digit

A key is kept as `prefix` and `body` and put together here: scanners of source code would else take it for a leak.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "corpus"


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (_FOLDER / name).read_text("utf-8").splitlines()]


def _secret(row: dict[str, Any]) -> str:
    return str(row["prefix"] + row["body"])


def _around(row: dict[str, Any]) -> str:
    return str(row["before"] + _secret(row) + row["after"])


SECRETS: dict[str, str] = {row["name"]: _secret(row) for row in _rows("secrets.jsonl")}

FRAMES = ["{}", "the value is {}.", "({})", '"{}"', "key={}", "a\n{}\nb", "用户的密钥是 {}，请保密", "<{}>", "{}, and"]

PEM = (
    "-----BEGIN RSA PRIVATE "
    + "KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7\nQxZ+abc=\n-----END RSA PRIVATE KEY-----"
)
OPENSSH = PEM.replace("RSA ", "OPENSSH ")
PGP = (
    "-----BEGIN PGP PRIVATE "
    + "KEY BLOCK-----\n\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----"
)
SERVICE_ACCOUNT = json.dumps({"type": "service_account", "project_id": "demo", "private_key": PEM + "\n"})

IN_CONTEXT: list[tuple[str, str]] = [  # (text, what must be gone)
    *((_around(row), _secret(row)) for row in _rows("context.jsonl")),
    *((text, "MIIEpAIBAAKCAQEA") for text in (PEM, PEM.replace("\n", "\\n"), PEM[:110], OPENSSH, PGP, SERVICE_ACCOUNT)),
]

HARMLESS = (_FOLDER / "harmless.txt").read_text("utf-8").splitlines()

PERSONAL: list[tuple[str, str, str]] = [
    (_around(row), row["kind"], _secret(row)) for row in _rows("personal.jsonl")
]  # (text, kind, what must be gone)
NOT_PERSONAL = (_FOLDER / "not_personal.txt").read_text("utf-8").splitlines()
