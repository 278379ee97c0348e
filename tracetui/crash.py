"""What is kept of a crash: where it happened and on what, nothing of what was on screen.

Messages of exceptions and values of variables may quote what a trace holds, so a report has neither: kinds of
exceptions, files, lines and functions, and versions.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from collector.version import VERSION

MOST_KEPT = 20
MOST_FRAMES = 60
LIBRARIES = ("textual", "rich")


def folder() -> Path:
    from platformdirs import user_state_dir

    return Path(user_state_dir("tracetui")) / "crashes"


def save(error: BaseException, where: str) -> Path | None:
    """Write the report (0600) into the state folder, else where temporary files go; None when neither can be written.
    Only the newest MOST_KEPT stay."""
    text = report(error, where)
    for into in (folder(), Path(tempfile.gettempdir())):
        with suppress(OSError):
            into.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = into / f"tracetui-crash-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.txt"
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            _forget_oldest(into)
            return path
    return None


def report(error: BaseException, where: str) -> str:
    """`where` is the screen it happened on, by its class."""
    lines = [
        f"tracetui {VERSION}, {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}",
        ", ".join(f"{name} {_version(name)}" for name in LIBRARIES),
        f"TERM={_word('TERM')} COLORTERM={_word('COLORTERM')}",
        f"screen: {where}",
        "Messages and values are left out: they may hold what a trace holds.",
        "",
    ]
    for one in _chain(error):
        lines += [f"{type(one).__module__}.{type(one).__qualname__}", *_frames(one), ""]
    return "\n".join(lines)


def kind(error: BaseException) -> BaseException:
    """What really went wrong: the innermost of errors raised from one another."""
    return list(_chain(error))[-1]


def _chain(error: BaseException) -> Iterator[BaseException]:
    """From what was caught to what began it, as a traceback goes back."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen and len(seen) < 10:
        seen.add(id(one))
        yield one
        one = one.__cause__ or getattr(one, "error", None) or (None if one.__suppress_context__ else one.__context__)
        one = one if isinstance(one, BaseException) else None


def _frames(error: BaseException) -> Iterator[str]:
    frames = traceback.extract_tb(error.__traceback__)
    if len(frames) > MOST_FRAMES:
        yield f"  … {len(frames) - MOST_FRAMES} more"
    for frame in frames[-MOST_FRAMES:]:
        yield f"  {_relative(frame.filename)}:{frame.lineno} in {frame.name}"


def _relative(path: str) -> str:
    """Below the folder it is imported from: the rest says whose machine this is."""
    for base in sorted((one for one in sys.path if one), key=len, reverse=True):
        if path.startswith(base + os.sep):
            return path[len(base) + 1 :]
    return os.path.basename(path)


def _word(name: str) -> str:
    said = os.environ.get(name, "")
    return said if said.isprintable() and len(said) <= 40 else "?"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"


def _forget_oldest(into: Path) -> None:
    known = sorted(into.glob("tracetui-crash-*.txt"))
    for path in known[:-MOST_KEPT]:
        with suppress(OSError):
            path.unlink()
