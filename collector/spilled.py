"""What programs had to leave beside the file, for whoever writes to it next: the SDK, the receiver, `tracetui run`.

Native JSON lines, one file a process (`sdk.spill` writes them). A writer claims one by renaming it, and reads it back.
What its program had no time to judge by its sampling is in a file of its own, whose first line holds the rules:

    {"type": "sampling", "sample_rate": 0.1, "sampling": [{"rate": 0, "name": "health*"}], "environments": {…}}
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collector.model import Batch
    from collector.settings import Settings

BATCH_LINES = 500
UNSAMPLED = "unsampled-"
RULES = ("sample_rate", "sampling")

_CLAIMED: set[str] = set()
"""What this process reads back just now: its own id does not tell a thread from another."""
_CLAIMING = threading.Lock()


class Sift(Protocol):
    """What of a batch sampling keeps; `ending` when nothing more will come."""

    def __call__(self, batch: Batch, *, ending: bool = False) -> Batch: ...


def spill_path(db: Path, *, unsampled: bool = False) -> Path:
    """`unsampled` is what whoever reads it back has still to judge, because here was no time for it."""
    return db.with_name(f"{db.name}.spill-{UNSAMPLED if unsampled else ''}{os.getpid()}")


def rules_line(settings: Settings) -> bytes:
    """The first line of what was not judged: by which rules it is to be."""
    import orjson

    own = {name: _said(table) for name, table in settings.environments.items()}
    mine = _said({name: getattr(settings, name) for name in RULES})
    return orjson.dumps({"type": "sampling", **mine, "environment": settings.environment, "environments": own}) + b"\n"


def _said(table: Mapping[str, Any]) -> dict[str, Any]:
    """What a table of settings says of sampling, as a settings file would."""
    said = {name: value for name, value in table.items() if name in RULES}
    if "sampling" in said:
        rules = map(asdict, said["sampling"])
        said["sampling"] = [{key: one for key, one in rule.items() if one or key == "rate"} for rule in rules]
    return said


def read_back(settings: Settings, write: Callable[[Batch], object]) -> int:
    """Write all that was left beside the file; how many spans that were. For writers that trace nothing themselves.

    Raises what `write` raises: what is not written by then stays, for the next one.
    """
    if not any(_found(settings.db)):  # the usual case is cheap
        return 0
    spans = 0
    for batch in claim(settings.db):
        write(batch)
        spans += len(batch.parts)
    return spans


def beside(db: Path) -> int:
    """The bytes of what was left beside the file and waits for a writer."""
    total = 0
    for path in db.parent.glob(f"{db.name}.spill-*"):
        with suppress(OSError):
            total += path.stat().st_size
    return total


def claim(
    db: Path,
    *,
    sift: Sift | None = None,
    refused: Callable[[str], None] = lambda reason: None,
    appending: AbstractContextManager[object] | None = None,
) -> Iterator[Batch]:
    """Take over the spill files beside the database, and yield what they hold.

    From the end, so that what the caller has written, which it says by asking for more, can be cut off: a long file
    is read back by several short programs. One whose claimer died is claimed again. A line that was cut short by a
    crash is told to `refused` and passed over. `sift` judges what this process spilled unjudged itself; `appending` is
    the lock that its threads hold while they spill.
    """
    for path in _found(db):
        # a name that no earlier claim had: one that failed half-way left its file, and rename() overwrites
        unsampled = UNSAMPLED if UNSAMPLED in path.name.removeprefix(db.name) else ""
        mine = db.with_name(f"{db.name}.spill-claimed-{unsampled}{time.time_ns()}-{os.getpid()}")
        with _CLAIMING:
            if str(path) in _CLAIMED:
                continue
            try:
                with appending or nullcontext():
                    path.rename(mine)
            except OSError:
                continue  # another writer was faster
            _CLAIMED.add(str(mine))
        try:
            yield from _taken(mine, sift if unsampled and _whose(path) == os.getpid() else None, refused)
        except FileNotFoundError:  # somebody has removed it
            continue
        finally:
            _CLAIMED.discard(str(mine))


def _taken(path: Path, sift: Sift | None, refused: Callable[[str], None]) -> Iterator[Batch]:
    from collector.protocols import native
    from collector.sampling import Verdicts

    lines = path.read_bytes().splitlines(keepends=True)
    rules = _rules(lines[0]) if lines else None
    first = 0 if rules is None else 1
    verdicts = None
    if rules is not None and sift is None:
        verdicts = Verdicts(rules)
        for at in range(first, len(lines), BATCH_LINES):
            verdicts.hear(native.decode(lines[at : at + BATCH_LINES]).parts)
    for at in reversed(range(first, len(lines), BATCH_LINES)):
        batch = replace(native.decode(lines[at:]), source="sdk")
        for refusal in batch.refused:
            if not refusal.process_id:
                refused(refusal.reason)
        if verdicts is not None:
            parts, left_out = verdicts.judge(batch.parts)
            batch = replace(batch, parts=parts, sampled_out=(*batch.sampled_out, *left_out))
        yield batch if sift is None else sift(batch)
        del lines[at:]
        os.truncate(path, sum(map(len, lines)))
    path.unlink(missing_ok=True)


def _rules(line: bytes) -> Settings | None:
    """The rules that a first line holds; None where it is none of ours, or of a version that knows others."""
    if not line.startswith(b'{"type":"sampling"'):
        return None
    import orjson

    from collector.settings import resolve

    try:
        said = orjson.loads(line)
        known = {name: said.get(name) for name in (*RULES, "environment", "environments")}
    except ValueError:
        return None
    return resolve(strict=False, env={}, user_config=Path(os.devnull), cwd=Path("/"), **known).settings


def _found(db: Path) -> list[Path]:
    return [path for path in sorted(db.parent.glob(f"{db.name}.spill-*")) if not _in_use(path)]


def _whose(path: Path) -> int | None:
    pid = path.name.rpartition("-")[2]
    return int(pid) if pid.isdigit() else None


def _in_use(path: Path) -> bool:
    """Whether another process that spills here, or reads it back, still lives."""
    pid = _whose(path)
    if pid is None or pid == os.getpid():
        return False
    import psutil

    return psutil.pid_exists(pid)
