"""python -m bench: what can be measured. python -m bench NAME …: measure it, with small sizes unless told otherwise.

    python -m bench ingest session_size
    python -m bench session_size -- --turns 200 400     # what follows -- goes to each of them
    python -m bench --write build/bench.md ingest       # .json for programs

Each benchmark is a module of this package with a `main(argv)`; its first line is the question that it answers.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import report

HERE = Path(__file__).parent


def benchmarks() -> dict[str, str]:
    """Names, with the question each answers. Nothing is imported."""
    found = {}
    for path in sorted(HERE.glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        if path.stem != "__main__" and any(isinstance(n, ast.FunctionDef) and n.name == "main" for n in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def run(name: str, argv: list[str]) -> dict[str, Any]:
    """Run one. Its figures, how long it took, and the load before and after."""
    try:
        module = importlib.import_module(f"bench.{name}")
    except ImportError as error:
        raise SystemExit(
            f"bench {name} cannot run here: {error}; `make setup` installs what benchmarks need"
        ) from error
    before, first, began = report.load(), len(report.figures), time.perf_counter()
    module.main(argv)
    took = time.perf_counter() - began
    rows = [asdict(figure) for figure in report.figures[first:]]
    return {"name": name, "arguments": argv, "seconds": round(took), "load": [before, report.load()], "figures": rows}


def markdown(document: dict[str, Any]) -> str:
    """The same as a block for a page."""
    lines = [f"{document['machine']}; {document['versions']}."]
    for one in document["benchmarks"]:
        command = " ".join(["python -m bench", one["name"], *(["--", *one["arguments"]] if one["arguments"] else [])])
        lines += ["", f"`{command}` ({one['seconds']} s, {' to '.join(one['load'])})", ""]
        lines += ["| what | to hold | measured |", "|---|---|---|"]
        lines += [f"| {row['what']} | {row['budget'] or '–'} | {row['measured']} |" for row in one["figures"]]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    argv = sys.argv[1:] if argv is None else argv
    at = argv.index("--") if "--" in argv else len(argv)
    mine, rest = argv[:at], argv[at + 1 :]
    known = benchmarks()
    listed = "\n".join(f"  {name:<{max(map(len, known))}}  {question}" for name, question in known.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, epilog=f"benchmarks:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--write", type=Path, metavar="FILE", help="a table of the figures: .md, or .json")
    asked = parser.parse_args(mine)
    if unknown := [name for name in asked.names if name not in known]:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(known)}")
    if not asked.names:
        report.say(f"Benchmarks; `python -m bench NAME …` runs them, --help says how:\n\n{listed}")
        return
    done: list[dict[str, Any]] = []
    document = {"machine": report.machine(), "versions": report.versions(), "benchmarks": done}
    for name in asked.names:
        done.append(run(name, rest))
        if asked.write:  # after each, so that a long series leaves what it has
            asked.write.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(document, indent=2) if asked.write.suffix == ".json" else markdown(document)
            asked.write.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
