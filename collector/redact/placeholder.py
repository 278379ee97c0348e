"""What takes a secret's place: `[KIND:xxxx]`, 16 bits of an HMAC under a key that is not in the file.

Equal secrets get equal placeholders, so that one can see the same key used twice and equal content is
still stored once; the file alone does not let anybody test guesses.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from pathlib import Path

from collector.settings import user_config_file

KEY_BYTES = 32
KEY_FILE = "redact.key"


def placeholder(key: bytes, kind: str, secret: str) -> str:
    """`[KIND:xxxx]` for a secret; digits of a card are told apart by their digits alone."""
    return f"[{kind}:{digest(key, secret, 2)}]"


def digest(key: bytes, text: str, size: int) -> str:
    """The first `size` bytes of the HMAC of a text, as hex."""
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")[:size].hex()


_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]*:[0-9a-f]{4}\]")


def is_placeholder(text: str) -> bool:
    """True for what `placeholder` makes, and nothing around it."""
    return _PLACEHOLDER.fullmatch(text) is not None


def user_key(config_dir: Path | str | None = None) -> bytes:
    """The user's own key, made on first use as a file of mode 0600 in `config_dir`
    (None: the user's own, where `config.toml` is looked for).

    Two processes that come first at once agree on one key. Where the directory cannot be written or read,
    the key lasts as long as the process: placeholders of two runs then do not compare.
    """
    path = (user_config_file().parent if config_dir is None else Path(config_dir)) / KEY_FILE
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _read(path) or _create(path)
    except OSError:
        return secrets.token_bytes(KEY_BYTES)


def _read(path: Path) -> bytes | None:
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (FileNotFoundError, ValueError):
        return None
    return key if len(key) >= 16 else None


def _create(path: Path) -> bytes:
    """Write a whole file beside it, then link it into place: nobody ever reads half a key."""
    key = secrets.token_bytes(KEY_BYTES)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key.hex() + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            if (known := _read(path)) is not None:
                return known
            os.replace(draft, path)  # what stood there was no key
        except OSError:  # a file system without hard links
            os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return key
