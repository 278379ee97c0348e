"""Secrets stop here, before disk: keys, tokens, private keys, passwords in URLs, card numbers.

rules     what a secret looks like (one table, each rule with the literals that must be there for it)
scan      the prefilter: a few C-speed passes that tell clean text in microseconds
placeholder  what takes a secret's place, and the key it is made with
redactor  Redactor: texts, values, parts; memoised, so that a resent history costs a look-up
"""

from __future__ import annotations

from collector.redact.placeholder import user_key
from collector.redact.redactor import Redactor

__all__ = ["Redactor", "user_key"]
