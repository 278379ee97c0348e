from __future__ import annotations

import hashlib

import pytest

from collector import ids
from collector.errors import DecodeError

HEX32 = "0af7651916cd43dd8448eb211c80319c"
HEX16 = "b7ad6b7169203331"


@pytest.mark.parametrize("text", [HEX32, HEX32.upper(), f"trace_{HEX32}", "0af76519-16cd-43dd-8448-eb211c80319c"])
def test_a_trace_id_of_fitting_hex_is_used_as_it_is(text: str) -> None:
    assert ids.trace_id(text) == HEX32


@pytest.mark.parametrize("text", [HEX16, HEX16.upper(), f"span_{HEX16}"])
def test_a_span_id_of_fitting_hex_is_used_as_it_is(text: str) -> None:
    assert ids.span_id(text) == HEX16


def test_anything_else_becomes_the_head_of_its_hash() -> None:
    assert ids.trace_id("run-7") == hashlib.sha256(b"tracerun-7").hexdigest()[:32]
    assert ids.span_id(HEX32) == hashlib.sha256(f"span{HEX32}".encode()).hexdigest()[:16]
    assert ids.span_id("Ünï\ud800") == ids.span_id("Ünï\ud800")


def test_trace_and_span_of_one_text_do_not_share_a_hash() -> None:
    assert not ids.trace_id("run-7").startswith(ids.span_id("run-7"))


@pytest.mark.parametrize("text", ["", "   ", "0" * 16, "0" * 32, "trace_", "00000000-0000-0000-0000-000000000000"])
def test_an_empty_or_all_zero_id_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        ids.trace_id(text)


@pytest.mark.parametrize("text", ["-" * 36, "a-b", "٣" * 32, "g" * 32])
def test_what_is_not_hex_is_hashed_or_refused_but_never_used(text: str) -> None:
    try:
        got = ids.trace_id(text)
    except DecodeError:
        return
    assert got != text
    assert len(got) == 32
    assert set(got) <= set("0123456789abcdef")
