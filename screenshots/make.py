"""The pictures of README and docs, from a file of the demo: the explorer itself, as SVG.

    python screenshots/make.py build/traces.db screenshots            # all of them
    python screenshots/make.py build/traces.db screenshots costs      # only this one

`make screenshots` runs the demo and then this. Times and ids differ from run to run; what is shown does not.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from collector.settings import Settings
from collector.store import filters
from tracetui.cli.explore import make_app, make_source
from tracetui.demo.server import Answer, Server
from tracetui.source import Source

DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class Picture:
    """What to press, apart by blanks, each time until a text shows. `opens` finds the trace to begin in, `answer` is
    what the demo's model says to whatever is sent again."""

    size: tuple[int, int]
    rounds: tuple[tuple[str, str], ...] = ()
    opens: str = ""
    answer: str = ""


PICTURES = {
    "tracetui": Picture((144, 18), (("", "get_order"), ("j j j", "Your order")), "name:support_agent"),
    "list": Picture((132, 22), (("f minus n a m e colon t u t o r asterisk enter", "-name:tutor*"), ("G", "retries"))),
    "search": Picture((110, 20), (("slash o r d e r enter", "hits"),)),
    "costs": Picture((132, 26), (("3", "latency"),)),
    "overview": Picture((110, 28), (("4", "dearest calls"),)),
    "errors": Picture((132, 22), (("5", "failures of"),)),
    "signals": Picture((132, 24), (("6", "signals of"),)),
    "context": Picture((132, 30), (("c", "calls"), ("G", "added")), "name:review_pull_request"),
    "graph": Picture((110, 26), (("a", "actors"),), "name:supervisor"),
    "replay": Picture(
        (132, 30),
        (("j j j", "Your order"), ("r", "ctrl+r sends"), ("ctrl+r", "last Friday"), ("", "simulated")),
        "name:support_agent",
        "Your order 789 was delivered last Friday.",
    ),
}


def newest(source: Source, where: str) -> str:
    """The newest trace that a filter finds."""
    with source.open_reader() as reader:
        rows = reader.traces(filters.parse(where, time.time_ns()), limit=1)
    if not rows:
        raise SystemExit(f"{source.path} has no trace for {where}")
    return rows[0].trace_id


def shown(pilot: Pilot[object]) -> str:
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def still(pilot: Pilot[object]) -> None:
    """Until three looks in a row are the same."""
    looks = [shown(pilot)]
    while len(looks) < 4:
        await pilot.pause(0.1)
        look = shown(pilot)
        looks = [*looks, look] if look == looks[-1] else [look]


class Always(dict[str, Answer]):
    """One answer to whatever is asked."""

    def get(self, key: str, default: Answer | None = None) -> Answer | None:  # type: ignore[override]
        return next(iter(self.values()), default)


async def taken(source: Source, picture: Picture) -> str:
    with Server(given=Always(it=Answer(picture.answer))) as model:
        os.environ["OPENAI_BASE_URL"] = model.url
        return await painted(source, picture)


async def painted(source: Source, picture: Picture) -> str:
    app = make_app(source, trace_id=newest(source, picture.opens) if picture.opens else None)
    async with app.run_test(size=picture.size) as pilot:
        for keys, text in (("", "Messages" if picture.opens else "traces"), *picture.rounds):
            await pilot.press(*keys.split())
            end = time.monotonic() + DEADLINE_S
            while text not in shown(pilot):
                if time.monotonic() > end:
                    raise SystemExit(f"{text!r} did not show:\n{shown(pilot)}")
                await pilot.pause(0.05)
        for field in (*app.screen.query(Input), *app.screen.query(TextArea)):
            field.cursor_blink = False
        await still(pilot)
        svg = app.export_screenshot(title="tracetui", simplify=False)
    # some renderers trim the spaces that columns are made of
    return svg.replace("<text ", '<text xml:space="preserve" ')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("db", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(PICTURES)} [all]")
    given = parser.parse_args()
    if unknown := set(given.names) - set(PICTURES):
        parser.error(f"there is no picture {', '.join(sorted(unknown))}; there are {', '.join(PICTURES)}")
    os.environ.pop("NO_COLOR", None)
    os.environ["TEXTUAL_THEME"] = "tracetui"
    for name in given.names or PICTURES:
        svg = asyncio.run(taken(make_source(Settings(db=given.db)), PICTURES[name]))
        (given.folder / f"{name}.svg").write_text(svg, encoding="utf-8")
        print(f"wrote {given.folder / name}.svg")


if __name__ == "__main__":
    main()
