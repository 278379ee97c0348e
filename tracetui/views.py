"""Saving a filter under a name in the settings file, which stays as its owner wrote it: comments, order, spaces."""

from __future__ import annotations

import os
import re
from pathlib import Path

from collector.errors import SettingsError
from collector.settings import writable_settings_file

VIEW_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


def save_view(name: str, text: str, *, cwd: Path | None = None) -> Path:
    """Write `name = "text"` under [views]; the file it went to: the project's, else the user's own. A view of that
    name is replaced. SettingsError when the name is none, or the file cannot be read as TOML."""
    if not VIEW_NAME.fullmatch(name):
        raise SettingsError(f"{name!r} is no name for a view: letters, digits, - and _, at most 64")
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = writable_settings_file(cwd or Path.cwd())
    try:
        document = tomlkit.parse(path.read_text("utf-8")) if path.exists() else tomlkit.document()
        table = document
        for part in ("tool", "tracetui") if path.name == "pyproject.toml" else ():
            table = table.setdefault(part, tomlkit.table())
        views = table.setdefault("views", tomlkit.table())
        views[name] = text
    except (TOMLKitError, UnicodeDecodeError, TypeError, AttributeError) as error:
        raise SettingsError(f"cannot save the view in {path}: {error}") from error
    _replace(path, tomlkit.dumps(document))
    return path


def _replace(path: Path, text: str) -> None:
    """All of the file or none; a new one is only its owner's to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()  # a link stays one
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            file.write(text)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
