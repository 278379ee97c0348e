"""Who may talk to the receiver: Host, Origin and token, before anything is read; and CORS for local web apps.

Loopback is no border: any web page can make the browser post to 127.0.0.1, and a name that resolves to it (DNS
rebinding) makes it the page's own origin. So, without a token, Host must be a name of this machine; and an Origin,
which every browser sends with a POST, must be local or listed, token or not. Other users of the machine can reach
loopback ports too: only a token keeps them out.

SDKs that we did not write send a key wherever theirs belongs, so the token is taken as `Authorization: Bearer TOKEN`,
as the password of `Authorization: Basic` (Langfuse's secret key), as `Authorization: TOKEN` (Logfire), as `x-api-key`
(LangSmith), as `api-key`, or as `x-tracetui-token`, for where the others hold a key that is passed on. Without
a token any key is let in, and none kept.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from collector.receiver.ports import is_loopback

LOCAL_NAMES = frozenset({"localhost", "host.docker.internal", "host.containers.internal"})
TOKEN_HEADERS = ("x-api-key", "api-key", "x-tracetui-token")
WANTED = (
    "this collector wants its token: as 'Authorization: Bearer TOKEN', as the password of Basic, "
    "as 'x-api-key' or as 'x-tracetui-token'"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a request is turned away: `status` is 401 or 403, or 0 where it may pass; `reason` is its short name."""

    status: int = 0
    message: str = ""
    reason: str = ""


PASS = Verdict()


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules in force. `hosts` and `origins` are allowed beside the local ones."""

    bound: str = "127.0.0.1"
    token: str | None = None
    hosts: Collection[str] = ()
    origins: Collection[str] = ()

    def check(self, headers: Mapping[str, str]) -> Verdict:
        """Judge a request by its headers (lower-case names)."""
        origin = headers.get("origin")
        if origin is not None and not self.allows_origin(origin):
            return Verdict(
                403,
                f"pages of {origin} may not send here; allow it with allowed_origins (TRACETUI_ALLOWED_ORIGINS)",
                "foreign Origin",
            )
        if self.token:
            if not self.has_token(headers):
                return Verdict(401, WANTED, "no token, or a wrong one")
        elif not self.allows_host(headers.get("host", "")):
            return Verdict(
                403,
                f"Host {headers.get('host', '')!r} is no name of this machine; "
                "allow it with allowed_hosts (TRACETUI_ALLOWED_HOSTS), or set a token",
                "foreign Host",
            )
        return PASS

    def has_token(self, headers: Mapping[str, str]) -> bool:
        """Whether the right token is there."""
        if not self.token:
            return True
        token = self.token.encode()
        header = headers.get("authorization", "")
        given = [header, _credential(header), *(headers.get(name, "") for name in TOKEN_HEADERS)]
        return any(hmac.compare_digest(one.encode("utf-8", "replace"), token) for one in given if one)

    def allows_host(self, header: str) -> bool:
        """Whether a Host header names this machine."""
        name = _host(f"//{header}")
        return bool(name) and (self._is_local(name) or name == self.bound.lower() or name in self.hosts)

    def allows_origin(self, origin: str) -> bool:
        """Whether a page of this origin may post."""
        if origin in self.origins or "*" in self.origins:
            return True
        return origin.startswith(("http://", "https://")) and self._is_local(_host(origin))

    @staticmethod
    def _is_local(name: str) -> bool:
        return name in LOCAL_NAMES or name.endswith(".localhost") or is_loopback(name)


def _credential(header: str) -> str:
    """What an Authorization header holds: a bearer's token, or the password of Basic (RFC 7617)."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace").partition(":")[2]
    except ValueError:
        return ""


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def cors_headers(origin: str, asked_headers: str | None, *, preflight: bool) -> dict[str, str]:
    """What lets an allowed page read the answer; on a preflight also what it may send."""
    headers = {"access-control-allow-origin": origin, "vary": "Origin"}
    if preflight:
        headers |= {
            "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
            "access-control-allow-headers": asked_headers or "content-type, content-encoding, authorization, x-api-key",
            "access-control-allow-private-network": "true",
            "access-control-max-age": "600",
        }
    return headers
