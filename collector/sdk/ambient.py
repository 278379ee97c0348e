"""What every span of a context carries: session, user, tags, metadata, environment, release.

Kept in a context variable of its own, so that it reaches all children, through tasks as far as they copy
the context. A value is never changed, only replaced by one that says more.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from collector.sdk.capture import capture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Ambient:
    """What is said for a whole context. None and empty say nothing."""

    __slots__ = ("environment", "metadata", "release", "session", "tags", "user")

    def __init__(
        self,
        session: str | None = None,
        user: str | None = None,
        tags: tuple[str, ...] = (),
        metadata: dict[str, Any] | None = None,
        environment: str | None = None,
        release: str | None = None,
    ) -> None:
        self.session = session
        self.user = user
        self.tags = tags
        self.metadata = metadata
        self.environment = environment
        self.release = release


AMBIENT: ContextVar[Ambient | None] = ContextVar("tracetui_ambient", default=None)


def added(
    outer: Ambient | None,
    session: object = None,
    user: object = None,
    tags: Iterable[object] | str | None = None,
    metadata: Mapping[str, object] | None = None,
    environment: object = None,
    release: object = None,
) -> Ambient:
    """What holds within `outer` when this is said as well: tags and metadata add up, the rest is replaced."""
    base = outer or Ambient()
    more = [tags] if isinstance(tags, str) else list(tags or ())
    copied = capture(dict(metadata))[0] if metadata else None
    return Ambient(
        _text(session) or base.session,
        _text(user) or base.user,
        tuple(dict.fromkeys([*base.tags, *(_text(tag) or "" for tag in more)])),
        {**(base.metadata or {}), **copied} if copied else base.metadata,
        _text(environment) or base.environment,
        _text(release) or base.release,
    )


def _text(value: object) -> str | None:
    """Ids come as text, numbers, UUIDs; of anything else `capture` knows what may be said."""
    if value is None:
        return None
    copied = capture(value)[0]
    return copied if isinstance(copied, str) else str(copied)
