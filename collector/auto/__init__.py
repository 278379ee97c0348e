"""Tracing a Python program without a change to its code: `tracetui run --auto`.

`variables` makes an environment in which every Python that the command starts finds `site/sitecustomize.py` first.
That file starts nothing: it watches for the import of a client library, and only then borrows what it needs
(`wiring`). So `python x.py`, `python -m`, console scripts, `uv run` and `poetry run` are all the same to it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

VARIABLE = "_TRACETUI_AUTO"
LENT = ("orjson", "platformdirs", "psutil")
"""What the SDK needs to send its spans to a collector, lent to a Python that has it not, if it is of our version."""


def variables(env: Mapping[str, str], url: str) -> dict[str, str]:
    """What to add to the environment. `url` is where a Python without our package sends its spans."""
    site = str(Path(__file__).parent / "site")
    others = [place for place in env.get("PYTHONPATH", "").split(os.pathsep) if place and place != site]
    lent = {name: place for name in LENT if (place := _place(name)) is not None}
    said = {
        "site": site,
        "collector": str(Path(__file__).parents[2]),
        "lent": lent,
        "tag": sys.implementation.cache_tag,
        "url": url,
    }
    return {VARIABLE: json.dumps(said), "PYTHONPATH": os.pathsep.join([site, *others])}


def _place(name: str) -> str | None:
    """The directory that a package is imported from."""
    found = find_spec(name)
    if found is None or found.origin is None:
        return None
    origin = Path(found.origin)
    return str(origin.parents[1] if origin.name == "__init__.py" else origin.parent)
