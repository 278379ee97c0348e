"""Files that we write for people: 0600, and there under their name only when they are complete."""

from __future__ import annotations

import errno
import gzip
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def destination(output: Path) -> Iterator[IO[bytes]]:
    """A file that appears (0600) under its name only when it is complete; one that ends in .gz is gzipped.

    What is no plain file (/dev/null, a pipe) is written to as it stands: a device must not be replaced by a file.
    """
    output = output.resolve()
    if output.exists() and not output.is_file():
        with output.open("wb") as raw:
            yield raw
        return
    if not output.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"there is no directory {output.parent}", str(output))
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(output)) from error  # named as it was asked for
    try:
        with open(handle, "wb") as raw:
            if output.suffix == ".gz":
                with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield raw
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def written(output: Path, chunks: Iterable[tuple[int, bytes]]) -> int:
    """Write (spans, bytes) into a file; how many spans there were."""
    count = 0
    with destination(output) as out:
        for spans, data in chunks:
            out.write(data)
            count += spans
    return count


def unused(folder: Path, stem: str, suffix: str) -> Path:
    """A name in a folder that no file has yet: stem.html, stem-2.html, …"""
    path = folder / f"{stem}{suffix}"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path
