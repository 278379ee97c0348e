"""What a model call cost, in integer nano-dollars, from a table that needs no network.

The table is genai-prices' bundled snapshot (its updater is never started), asked for the price at the time
of the call. A model's price list is compiled once per (provider, model, day) into integer rates over a
common scale, so that a priced call costs a few integer products and is exact; the library itself takes
a hundred times as long per call. Rules taken from it (github.com/pydantic/genai-prices):

- cache reads and writes are part of the input tokens, reasoning of the output tokens; a part without a
  price of its own pays the price of its whole;
- a tier is chosen by the total of input tokens and applies to all of them;
- prices begin at midnight UTC, and a few change with the time of day.

Where parts exceed their whole (`Reading.notes` says so), the parts are priced and the rest is 0, never less.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from collector.model import Usage

DAY_NS = 86_400_000_000_000
MEMO_ENTRIES = 4096

PRICE_ALIASES = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "input_audio_mtok": "audio_input",
    "output_audio_mtok": "audio_output",
    "output_reasoning_mtok": "reasoning",
}
"""The library's price keys and ours (those of `Settings.prices`); overrides may use either. Dollars per million."""

PROVIDER_ALIASES = {
    "azure.ai.inference": "azure",
    "gcp.gen_ai": "google",
    "google_genai": "google",
    "x_ai": "x-ai",
    "fireworks_ai": "fireworks",
    "amazon_bedrock": "aws",
}
"""Provider names of OTel's GenAI conventions and of frameworks that the library does not know."""

LOCAL_PROVIDERS = frozenset({"ollama", "vllm", "llama.cpp", "llamacpp", "llama_cpp", "lmstudio", "lm_studio", "local"})
"""Runtimes on one's own machine: a famous model name there is no reason for a price of the cloud."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices as integers: one token costs `rate / scale` nano-dollars; `request` is per call in the same scale."""

    scale: int
    input: int
    output: int
    cache_read: int
    cache_write: int
    audio_input: int
    audio_output: int
    reasoning: int
    request: int

    def cost(self, usage: Usage) -> int:
        """Nano-dollars, rounded half to even. Unknown counts are taken as 0."""
        read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
        total = self.request + read * self.cache_read + write * self.cache_write
        rest = (usage.input_tokens or 0) - read - write
        if rest > 0:
            total += rest * self.input
            if usage.audio_input_tokens and self.audio_input != self.input:
                total += min(rest, usage.audio_input_tokens) * (self.audio_input - self.input)
        output = usage.output_tokens or 0
        total += output * self.output
        if usage.audio_output_tokens and self.audio_output != self.output:
            total += min(output, usage.audio_output_tokens) * (self.audio_output - self.output)
        if usage.reasoning_tokens and self.reasoning != self.output:
            total += min(output, usage.reasoning_tokens) * (self.reasoning - self.output)
        return half_even(total, self.scale)


def half_even(number: int, scale: int) -> int:
    """`number / scale` as the nearest integer, a tie to the even one; exact at any size."""
    quotient, rest = divmod(number, scale)
    if 2 * rest > scale or (2 * rest == scale and quotient & 1):
        return quotient + 1
    return quotient


@dataclass(frozen=True, slots=True)
class Parts:
    """Nano-dollars of calls by what they paid for. `saved` is what they would have cost more without a cache; it is
    below 0 where writing the cache cost more than reading it brought."""

    input: float
    cache_read: float
    cache_write: float
    output: float
    reasoning: float
    saved: float


Priced = Callable[[Usage, int], "int | None"]
"""A compiled price list: (usage, Unix nanoseconds of the call) -> nano-dollars, or None where it names no price."""


class Prices:
    """The price list in force: the user's own prices over the built-in table.

    `overrides` maps a model name, or a glob of it ("my-model*", "ollama/llama3*" with the provider), to dollars
    per million tokens: {"input": 0.5, "output": 1.5, "cache_read": …, "cache_write": …, "audio_input": …,
    "audio_output": …, "request": dollars per call}. An exact name wins over a glob, the first glob over later ones.
    Safe to use from several threads.
    """

    def __init__(self, overrides: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._own = {name.lower(): compile_override(table) for name, table in (overrides or {}).items()}
        self._memo: dict[tuple[str | None, str, int], tuple[str, Priced] | None] = {}

    def cost(self, provider: str | None, model: str | None, usage: Usage | None, at_ns: int) -> int | None:
        """Nano-dollars of one call at `at_ns` (Unix nanoseconds); None where model or usage is unknown."""
        return self.quote(provider, model, usage, at_ns)[0]

    def quote(self, provider: str | None, model: str | None, usage: Usage | None, at_ns: int) -> tuple[int | None, str]:
        """The cost and where its price is from: "override", "table", or (None, "unknown")."""
        if not model or usage is None or (usage.input_tokens is None and usage.output_tokens is None):
            return None, "unknown"
        key = (provider, model, at_ns // DAY_NS)
        try:
            found = self._memo[key]
        except KeyError:
            found = self._look_up(key, at_ns)
        if found is None:
            return None, "unknown"
        cost = found[1](usage, at_ns)
        return (None, "unknown") if cost is None else (cost, found[0])

    def parts(self, provider: str | None, model: str, usage: Usage, calls: int, at_ns: int) -> Parts | None:
        """What `calls` alike calls of one day paid for, by the price list; None where it does not know the model.

        `usage` are their sums. A tier is chosen by their mean: calls that differ much are told apart by nothing here.
        """
        found = self._look_up_memo(provider, model, at_ns)
        if found is None:
            return None
        size = max((usage.input_tokens or 0) // max(calls, 1), 1000)
        plain = found[1](Usage(size, 0), at_ns)
        if plain is None:
            return None

        def rate(*asked: int) -> float:
            """Nano-dollars a token, of `size` tokens of one type beside as many of plain input."""
            cost = found[1](Usage(*asked), at_ns)
            return 0.0 if cost is None else cost / size

        fee, base = rate(0, 0), plain / size
        whole = base - fee
        read, write = rate(size, 0, size) - fee, rate(size, 0, 0, size) - fee
        out, thought = rate(size, size) - base, rate(size, size, 0, 0, size) - base
        n_read, n_write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
        n_thought = min(usage.reasoning_tokens or 0, usage.output_tokens or 0)
        return Parts(
            max((usage.input_tokens or 0) - n_read - n_write, 0) * whole, n_read * read, n_write * write,
            ((usage.output_tokens or 0) - n_thought) * out, n_thought * thought,
            n_read * (whole - read) - n_write * (write - whole),
        )  # fmt: skip

    def _look_up_memo(self, provider: str | None, model: str, at_ns: int) -> tuple[str, Priced] | None:
        key = (provider, model, at_ns // DAY_NS)
        return self._memo[key] if key in self._memo else self._look_up(key, at_ns)

    def _look_up(self, key: tuple[str | None, str, int], at_ns: int) -> tuple[str, Priced] | None:
        own = self._override(key[0], key[1])
        priced = own or compile_model(key[0], key[1], at_ns)
        found = None if priced is None else ("override" if own else "table", priced)
        if len(self._memo) >= MEMO_ENTRIES:
            self._memo.clear()
        self._memo[key] = found
        return found

    def _override(self, provider: str | None, model: str) -> Priced | None:
        if not self._own:
            return None
        names = [model.lower()] if not provider else [f"{provider}/{model}".lower(), model.lower()]
        for name in names:
            if name in self._own:
                return self._own[name]
        return next((own for glob, own in self._own.items() if any(fnmatchcase(n, glob) for n in names)), None)


def compile_override(table: Mapping[str, Any]) -> Priced:
    """A user's own price table, all in dollars; what it does not name follows its whole, or is 0."""
    prices = {PRICE_ALIASES.get(key, key): Decimal(str(value)) for key, value in table.items()}
    rates = _rates(prices, prices.get("request", Decimal(0)))
    return lambda usage, _: rates.cost(usage)


def compile_model(provider: str | None, model: str, at_ns: int) -> Priced | None:
    """The table's price list for a model on the day of `at_ns`, or None where the table does not know it."""
    info = _find(provider, model)
    if info is None:
        return None
    conditions = info.prices if isinstance(info.prices, list) else []
    if not any(hasattr(condition.constraint, "start_time") for condition in conditions):
        return compile_price(info.get_prices(_moment(at_ns)))
    by_price: dict[int, Priced | None] = {}

    def by_time(usage: Usage, at_ns: int) -> int | None:
        price = info.get_prices(_moment(at_ns))
        if id(price) not in by_price:  # the table owns its price lists and lives as long as the process
            by_price[id(price)] = compile_price(price)
        priced = by_price[id(price)]
        return None if priced is None else priced(usage, at_ns)

    return by_time


def compile_price(price: Any) -> Priced | None:
    """One genai-prices ModelPrice as a function; None where it has no price for tokens (audio hours, pages)."""
    listed = {ours: getattr(price, theirs, None) for theirs, ours in PRICE_ALIASES.items()}
    if listed["input"] is None and listed["output"] is None:
        return None
    request = (getattr(price, "requests_kcount", None) or Decimal(0)) / 1000
    starts = sorted({tier.start for value in listed.values() for tier in getattr(value, "tiers", ())})
    steps = [
        _rates({k: p for k, v in listed.items() if (p := _at(v, start)) is not None}, request)
        for start in [-1, *starts]
    ]
    base = steps[0]
    has_input, has_output = listed["input"] is not None, listed["output"] is not None

    def priced(usage: Usage, _: int) -> int | None:
        if (not has_input and usage.input_tokens) or (not has_output and usage.output_tokens and not has_input):
            return None
        step = steps[bisect_left(starts, usage.input_tokens or 0)] if starts else base
        return step.cost(usage)

    return priced


def _at(price: Any, start: int) -> Decimal | None:
    """A price, possibly tiered, for input totals just over `start`."""
    if price is None or isinstance(price, Decimal):
        return price
    found: Decimal = price.base
    for tier in price.tiers:
        if tier.start <= start:
            found = tier.price
    return found


def _rates(prices: Mapping[str, Decimal], request: Decimal) -> Rates:
    whole_in, whole_out = prices.get("input", Decimal(0)), prices.get("output", Decimal(0))
    dollars_per_million = (
        whole_in,
        whole_out,
        prices.get("cache_read", whole_in),
        prices.get("cache_write", whole_in),
        prices.get("audio_input", whole_in),
        prices.get("audio_output", whole_out),
        prices.get("reasoning", whole_out),
        request * 1_000_000,
    )
    scale = _common_scale(dollars_per_million)
    return Rates(scale, *(int(price * 1000 * scale) for price in dollars_per_million))


def _common_scale(prices: Iterable[Decimal]) -> int:
    """The power of ten that makes every price, in nano-dollars per token, a whole number."""
    places = 0
    for price in prices:
        exponent = (price * 1000).normalize().as_tuple().exponent
        places = max(places, -exponent) if isinstance(exponent, int) else places
    return int(10**places)


def _moment(at_ns: int) -> datetime:
    try:
        return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    except (ValueError, OverflowError, OSError):  # a clock gone mad: price it as of now
        return datetime.now(UTC)


@cache
def context_window(provider: str | None, model: str) -> int | None:
    """How many tokens a model takes, by the table; None where it does not say."""
    info = _find(provider, model)
    size = getattr(info, "context_window", None)
    return size if isinstance(size, int) and size > 0 else None


def load() -> None:
    """Load the table (0.7 s), so that the first call to be priced need not wait for it."""
    _find("openai", "gpt-4o")


def _find(provider: str | None, model: str) -> Any:
    """genai-prices' ModelInfo, or None. Imported here because that takes 0.5 s."""
    from genai_prices.data_snapshot import get_snapshot

    name = (provider or "").strip().lower()
    if name in LOCAL_PROVIDERS:
        return None
    table = get_snapshot()
    tries: list[tuple[str | None, str]] = [(PROVIDER_ALIASES.get(name, name) or None, model)]
    head, slash, tail = model.partition("/")
    if slash and head.lower() not in LOCAL_PROVIDERS:
        tries.append((PROVIDER_ALIASES.get(head.lower(), head), tail))
    if name and not _knows(table, tries[0][0]):
        tries.append((None, model))
    for provider_id, model_ref in tries:
        try:
            return table.find_provider_model(model_ref, None, provider_id, None)[1]
        except LookupError:
            continue
    return None


def _knows(table: Any, provider: str | None) -> bool:
    try:
        table.find_provider(None, provider, None)
    except LookupError:
        return False
    return True
