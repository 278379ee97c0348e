from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model import Usage
from collector.pricing import Prices, half_even

NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 1_000_000_000


def at(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1_000_000_000  # type: ignore[arg-type,misc]


def test_a_call_costs_what_the_price_list_says() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
    assert Prices().cost("openai", "gpt-4o-mini", usage, NOON) == 750_000_000  # $0.15 + $0.60


def test_cached_input_is_a_part_of_the_input_and_not_paid_twice() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=0, cache_read_tokens=400_000)
    assert Prices().cost("openai", "gpt-4o-mini", usage, NOON) == 90_000_000 + 30_000_000


def test_cache_writes_have_their_own_price() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=0, cache_read_tokens=300_000, cache_write_tokens=200_000)
    cost = Prices().cost("anthropic", "claude-sonnet-4-5-20250929", Usage(input_tokens=1000, output_tokens=0), NOON)
    assert cost == 3_000_000
    assert (
        Prices().cost("anthropic", "claude-3-5-haiku-20241022", usage, NOON) == 400_000_000 + 24_000_000 + 200_000_000
    )


def test_a_price_is_the_price_of_the_day_of_the_call() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    assert Prices().cost("openai", "o3", usage, at(2025, 6, 9, 23)) == 10_000_000_000
    assert Prices().cost("openai", "o3", usage, at(2025, 6, 10)) == 2_000_000_000


def test_a_price_that_changes_with_the_hour_is_not_frozen_by_the_memo() -> None:
    prices, usage = Prices(), Usage(input_tokens=1_000_000, output_tokens=0)
    assert prices.cost("deepseek", "deepseek-reasoner", usage, at(2025, 5, 1, 12)) != prices.cost(
        "deepseek", "deepseek-reasoner", usage, at(2025, 5, 1, 20)
    )


def test_the_tier_of_a_long_prompt_holds_for_all_its_tokens() -> None:
    prices = Prices()
    below = prices.cost("google", "gemini-2.5-pro", Usage(input_tokens=200_000, output_tokens=0), NOON)
    above = prices.cost("google", "gemini-2.5-pro", Usage(input_tokens=200_001, output_tokens=0), NOON)
    assert below == 250_000_000
    assert above == 500_002_500


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "no-such-model"), (None, "no-such-model"), ("ollama", "gpt-4o"), ("openai", "whisper-1x"), ("x", "")],
)
def test_an_unknown_model_has_no_price_rather_than_a_price_of_0(provider: str | None, model: str) -> None:
    assert Prices().quote(provider, model, Usage(input_tokens=10, output_tokens=5), NOON) == (None, "unknown")


def test_a_model_paid_by_the_hour_has_no_price_by_the_token() -> None:
    assert Prices().cost("groq", "whisper-large-v3", Usage(input_tokens=10, output_tokens=5), NOON) is None


def test_unknown_tokens_have_no_price_but_one_known_side_has() -> None:
    prices = Prices()
    assert prices.cost("openai", "gpt-4o-mini", Usage(), NOON) is None
    assert prices.cost("openai", "gpt-4o-mini", None, NOON) is None
    assert prices.cost("openai", "text-embedding-3-small", Usage(input_tokens=1_000_000), NOON) == 20_000_000


@pytest.mark.parametrize("provider", ["azure.ai.openai", "OpenAI", None, "langchain", "pydantic_ai"])
def test_names_that_conventions_give_a_provider_find_its_prices(provider: str | None) -> None:
    assert Prices().cost(provider, "gpt-4o-mini-2024-07-18", Usage(1_000_000, 0), NOON) == 150_000_000


def test_a_model_with_its_provider_in_front_is_found() -> None:
    assert Prices().cost("litellm", "anthropic/claude-sonnet-4-5", Usage(1000, 0), NOON) == 3_000_000
    assert Prices().cost(None, "openai/gpt-4o-mini", Usage(1_000_000, 0), NOON) == 150_000_000


def test_own_prices_win_over_the_table_and_reach_local_models() -> None:
    prices = Prices({"gpt-4o-mini": {"input": 1.0, "output": 2.0}, "ollama/llama3*": {"input_mtok": "0.25"}})
    assert prices.quote("openai", "gpt-4o-mini", Usage(1_000_000, 1_000_000), NOON) == (3_000_000_000, "override")
    assert prices.quote("ollama", "llama3.2:1b", Usage(1_000_000, 9), NOON) == (250_000_000, "override")
    assert prices.quote("openai", "gpt-4o", Usage(1_000_000, 0), NOON) == (2_500_000_000, "table")


def test_an_own_price_for_cached_input_or_for_a_call_is_used() -> None:
    prices = Prices({"mine-*": {"input": 2, "output": 8, "cache_read": 0.2, "request": 0.001}})
    usage = Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=600)
    assert prices.cost(None, "Mine-7b", usage, NOON) == 400 * 2000 + 600 * 200 + 100 * 8000 + 1_000_000


def test_parts_that_exceed_their_whole_never_make_a_negative_rest() -> None:
    usage = Usage(input_tokens=100, output_tokens=10, cache_read_tokens=400, reasoning_tokens=50)
    assert Prices().cost("openai", "gpt-4o-mini", usage, NOON) == 400 * 75 + 10 * 600


def test_a_broken_clock_is_priced_as_of_now() -> None:
    assert Prices().cost("openai", "gpt-4o-mini", Usage(1_000_000, 0), 10**30) == 150_000_000


@given(st.integers(-(10**30), 10**30), st.sampled_from([1, 10, 1000, 10**6]))
def test_rounding_is_half_to_even(number: int, scale: int) -> None:
    assert half_even(number, scale) == round(Fraction(number, scale))


MODELS = ["gpt-4o", "gpt-4.1-nano", "claude-sonnet-4-5", "claude-3-5-haiku-latest", "gemini-2.5-pro", "o4-mini"]


@given(
    st.sampled_from(MODELS),
    st.integers(0, 2_000_000),
    st.integers(0, 500_000),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_compiled_prices_equal_the_library(model: str, inputs: int, outputs: int, read: float, write: float) -> None:
    from genai_prices import Usage as LibraryUsage
    from genai_prices import calc_price

    reads = int(inputs * read)
    writes = int((inputs - reads) * write)
    theirs = LibraryUsage(
        input_tokens=inputs, output_tokens=outputs, cache_read_tokens=reads, cache_write_tokens=writes
    )
    moment = datetime.fromtimestamp(NOON // 10**9, UTC)
    expected = calc_price(theirs, model, genai_request_timestamp=moment).total_price * 10**9
    ours = Prices().cost(None, model, Usage(inputs, outputs, reads, writes), NOON)
    assert ours == int(expected.to_integral_value(ROUND_HALF_EVEN))


def test_the_slow_table_is_not_loaded_before_a_price_is_asked_for() -> None:
    code = "import sys, collector.pricing as p; p.Prices({'m': {'input': 1}}); sys.exit('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
