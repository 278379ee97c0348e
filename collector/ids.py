"""Ids of other systems as ours: 32 hex characters for a trace, 16 for a span.

Hex that fits is used as it is (in lower case; a UUID without its dashes, `trace_<32 hex>`,
`span_<16 hex>`). Anything else becomes the first 32 or 16 hex characters of sha256(kind + text),
so that the same foreign id always names the same span. The original belongs into `source_id`.

And our own name for one run of a program (`tracetui run`): `20261121-074148-3fa9c2`, its start in UTC and a few
random digits, so that it sorts by time, can be said aloud, and tells a reader where to begin to look.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from secrets import token_hex

from collector.errors import DecodeError

TRACE_HEX, SPAN_HEX = 32, 16
RUN_ATTRIBUTE = "tracetui.run.id"
"""The resource attribute that names the run. The semantic conventions have `cicd.pipeline.run.id` for pipelines and
`service.instance.id` for one instance of a service, nothing for a program and its children that somebody started."""

_hex = re.compile(r"[0-9a-f]+", re.ASCII).fullmatch


def trace_id(text: str) -> str:
    """32 lower-case hex characters. DecodeError for an id that is empty or all zero."""
    return _ours("trace", text, TRACE_HEX)


def span_id(text: str) -> str:
    """16 lower-case hex characters. DecodeError for an id that is empty or all zero."""
    return _ours("span", text, SPAN_HEX)


def _ours(kind: str, text: str, length: int) -> str:
    bare = text.strip().lower().removeprefix(f"{kind}_")
    packed = bare.replace("-", "") if len(bare) == length + 4 else bare
    if not bare.strip("0-"):
        raise DecodeError(
            f"{kind} id {text[:80]!r} is {'all zero' if bare else 'empty'}; every {kind} needs one of its own"
        )
    if len(packed) == length and _hex(packed):
        return packed
    return hashlib.sha256(f"{kind}{text}".encode(errors="surrogatepass")).hexdigest()[:length]


def new_run(now_ns: int) -> str:
    """A fresh name for a run that starts now."""
    return f"{datetime.fromtimestamp(now_ns // 10**9, UTC):%Y%m%d-%H%M%S}-{token_hex(3)}"


def run_start_ns(run: str) -> int | None:
    """When a run started, Unix nanoseconds, to the second below; None for a name that is not of ours."""
    try:
        began = datetime.strptime(run[:16], "%Y%m%d-%H%M%S-").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(began.timestamp()) * 10**9
