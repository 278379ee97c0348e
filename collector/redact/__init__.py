"""What may reach the disk: no secrets, and of contents and user ids what the settings allow.

policy       Policy: all of it by a span's environment; what ingest, the spill file and the HTTP sink apply
redactor     Redactor: texts, values, parts; memoised, so that a resent history costs a look-up
formats      the makers' key formats;  rules: headers, assignments, URLs, private keys, cards;  personal: mode "pii"
scan         the prefilter: a few C-speed passes that tell clean text in microseconds
content      `capture_content`: contents as their form only, or not at all
users        `hash_user_ids`
placeholder  what takes a secret's place, and the key it is made with
"""

from __future__ import annotations

from collector.redact.placeholder import user_key
from collector.redact.policy import Policy
from collector.redact.redactor import Redactor

__all__ = ["Policy", "Redactor", "user_key"]
