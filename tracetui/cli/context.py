"""`tracetui show TRACE --context`: how the contexts of its model calls grew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from collector.context import UNRECORDED, Step
from collector.pricing import Prices
from tracetui import contexts
from tracetui import format as fmt
from tracetui.shapes import dollars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.store.reader import Reader

BAR = 24


def read(reader: Reader, trace_id: str, prices: Mapping[str, Mapping[str, Any]]) -> list[contexts.Chain]:
    return contexts.chains_of(reader.seen(trace_id), Prices(prices).cost, reader.seen_before(trace_id))


def context_json(found: Sequence[contexts.Chain]) -> dict[str, object]:
    """Chains and their calls. Tokens of segments and changes are estimates scaled to the reported input tokens."""
    return {
        "chains": [
            {"name": chain.name, "over_usd": dollars(chain.over_nanousd), "calls": [_step(one) for one in chain.steps]}
            for chain in found
        ]
    }


def _step(step: Step) -> dict[str, object]:
    return {
        "span_id": step.call.span_id,
        "name": step.call.name,
        "model": step.call.model,
        "before": step.before.span_id if step.before else None,
        "tokens": step.tokens,
        "estimated": step.estimated,
        "segments": step.segments,
        "changes": [asdict(change) for change in step.changes],
        "broken": asdict(step.broken) if step.broken else None,
        "compacted": step.compacted,
        "missed_tokens": step.missed_tokens,
        "over_usd": dollars(step.over_nanousd),
    }


def text_lines(found: Sequence[contexts.Chain]) -> Iterator[str]:
    if not found:
        yield "no model call of this trace has its prompt in the file"
    for chain in found:
        over = f", broken prefixes cost {fmt.money(chain.over_nanousd)}" if chain.over_nanousd else ""
        yield ""
        calls = "1 call" if len(chain.steps) == 1 else f"{len(chain.steps)} calls"
        bare = ", prompts not in the file" if UNRECORDED in chain.steps[0].segments else ""
        yield f"{fmt.plain(chain.name)}: {calls}, up to {fmt.tokens(chain.largest)} tokens{over}{bare}"
        for step in chain.steps:
            signs = "".join(text for text, _ in contexts.bar(step, chain.largest, BAR))
            head = f"  {step.call.span_id[:8]}  {fmt.plain(step.call.name):<28.28} {fmt.tokens(step.tokens):>6}"
            yield f"{head} {contexts.growth(step):>6}  {signs:<{BAR}} {contexts.share(step):>4}".rstrip()
            for line, _ in contexts.told(step)[1:]:
                yield f"      {line}"
    if found:
        yield ""
        yield "  ".join(f"{sign} {name}" for name, sign in contexts.SIGNS.items()) + "   % read from the cache"
