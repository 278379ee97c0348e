"""The errors a caller can act on. One class for each thing one can do about it.

TracetuiError
├── DecodeError        the bytes are not what their type says      (HTTP 400)
├── UnsupportedMedia   a type or encoding nobody here reads         (HTTP 415)
├── TooLarge           over a limit; send less                      (HTTP 413)
├── Forbidden          wrong Host, Origin or token                  (HTTP 403)
├── SettingsError      a setting or argument that makes no sense    (exit 2)
├── FilterError        a filter that cannot be read, with its column (exit 2)
├── NotFound           no such trace, span or file                  (exit 1)
├── NotKept            a client's API has it, nothing here does     (HTTP 501)
├── Interrupted        a question that nobody waits for any more
└── StoreError         the file cannot be read or written
    ├── StoreBusy      locked for longer than we wait; try again    (HTTP 503)
    └── SchemaTooNew   a newer tracetui wrote it; read, not written
"""

from __future__ import annotations


class TracetuiError(Exception):
    """Base of every error this project raises on purpose. The message is for people."""


class DecodeError(TracetuiError):
    """The bytes are not what their content type says."""


class UnsupportedMedia(TracetuiError):
    """A content type or encoding that is not read here."""


class TooLarge(TracetuiError):
    """Over a limit."""


class Forbidden(TracetuiError):
    """The caller may not: wrong Host, Origin or token."""


class SettingsError(TracetuiError):
    """A setting or argument that makes no sense."""


class FilterError(TracetuiError):
    """A filter that cannot be read.

    `column` counts characters from 0 in the filter's text.
    """

    def __init__(self, message: str, text: str = "", column: int = 0) -> None:
        super().__init__(message)
        self.text = text
        self.column = column


class NotFound(TracetuiError):
    """No such trace, span, session or file."""


class Interrupted(TracetuiError):
    """A question was broken off, because nobody waits for its answer any more. Not a fault of the file."""


class NotKept(TracetuiError):
    """What a client's API has and nothing here stands for; the message says what to use instead."""


class StoreError(TracetuiError):
    """The file cannot be read or written."""


class StoreBusy(StoreError):
    """Another process held the file for longer than we wait."""


class SchemaTooNew(StoreError):
    """A newer version wrote this file: it can be read, not written."""
