"""From attributes to meaning: what a span says, whoever instrumented it. Pure."""

from __future__ import annotations
