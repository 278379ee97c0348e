"""The body of a request as a document: JSON, or the fields of a form."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from collector.protocols import jsonbody, multipart

MOST_FIELDS = 200


def document_of(body: bytes, content_type: str) -> Any:
    """JSON whatever its type says (few clients name it), unless it is multipart/form-data: then a dict of texts and
    files ({"data": base64, "mime_type", "filename"}); what comes several times under one name is a list. DecodeError
    where it is neither."""
    if not content_type.lower().startswith("multipart/form-data"):
        return jsonbody.load(body, "the request")
    found: dict[str, Any] = {}
    for part in multipart.decode(body, content_type, MOST_FIELDS):
        one = _file(part) if part.filename else part.data.decode("utf-8", "replace")
        if part.name in found:
            before = found[part.name]
            found[part.name] = [*before, one] if isinstance(before, list) else [before, one]
        else:
            found[part.name] = one
    return found


def _file(part: multipart.FormPart) -> dict[str, Any]:
    kind = {"mime_type": part.media_type} if part.media_type not in ("", "application/octet-stream") else {}
    return {"data": b64encode(part.data).decode(), "filename": part.filename, **kind}
