"""`hash_user_ids`: a user's id becomes `user-` and 48 bits of an HMAC under the per-user key.

The same user is the same in every run on this machine, and nobody can test a guess with the file alone. 48 bits, not
the 16 of a placeholder: ids are counted and grouped by, and must not meet.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from collector.model import NO_READING, SpanPart, Value
from collector.redact.placeholder import digest

USER_KEYS = frozenset(
    """
    user.id enduser.id gen_ai.user.id user_id userId langfuse.user.id langfuse.trace.user_id metadata.user_id
    langsmith.metadata.user_id langfuse.trace.metadata.user_id traceloop.association.properties.user_id
    gen_ai.request.user
    """.split()
)
_WITHIN = frozenset({"user_id", "userId", "user"})
_NESTED = frozenset({"metadata", "llm.invocation_parameters", "langfuse.trace.metadata"})
_HASHED = re.compile(r"user-[0-9a-f]{12}")


class Users:
    """Replaces user ids in parts. Doing it twice is doing it once."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def id(self, user: str) -> str:
        """The placeholder of a user's id."""
        return user if not user or _HASHED.fullmatch(user) else f"user-{digest(self._key, user, 6)}"

    def part(self, part: SpanPart) -> SpanPart:
        """The part with its user ids replaced, wherever a convention puts them; the same object without any."""
        changes: dict[str, Any] = {}
        found = {key: self._value(key, part.attributes[key]) for key in part.attributes.keys() & (USER_KEYS | _NESTED)}
        if found:
            changes["attributes"] = {**part.attributes, **found}
        if part.resource is not None and (said := part.resource.attributes.keys() & USER_KEYS):
            hashed = {key: self._value(key, part.resource.attributes[key]) for key in said}
            changes["resource"] = replace(part.resource, attributes={**part.resource.attributes, **hashed})
        r = part.reading
        if r is not NO_READING and (r.user_id or r.metadata or r.params):
            user = None if r.user_id is None else self.id(r.user_id)
            changes["reading"] = replace(r, user_id=user, metadata=self._dict(r.metadata), params=self._dict(r.params))
        return replace(part, **changes) if changes else part

    def _value(self, key: str, value: Value) -> Value:
        if key not in _NESTED:
            return self.id(str(value)) if isinstance(value, (str, int)) else value
        if isinstance(value, dict):
            return self._dict(value)
        if not isinstance(value, str) or '"user' not in value:
            return value
        try:
            said = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return json.dumps(self._dict(said), ensure_ascii=False) if isinstance(said, dict) else value

    def _dict(self, said: dict[str, Value] | None) -> dict[str, Value] | None:
        if not said or _WITHIN.isdisjoint(said):
            return said
        return {
            key: self.id(str(value)) if key in _WITHIN and isinstance(value, (str, int)) else value
            for key, value in said.items()
        }
