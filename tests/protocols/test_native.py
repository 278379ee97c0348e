from __future__ import annotations

import math

import pytest
from hypothesis import given

from collector.model import Batch, Process, Score, SpanPart
from collector.protocols import native
from tests.protocols import strategies

SPAN = SpanPart("ab" * 16, "cd" * 8, name="plan_trip")


@given(strategies.any_parts())
def test_a_span_comes_back_as_it_was(part: SpanPart) -> None:
    assert native.decode([native.encode(part)]).parts == (part,)


@given(strategies.scores)
def test_a_score_comes_back_as_it_was(score: Score) -> None:
    assert native.decode([native.encode(score)]).scores == (score,)


@given(strategies.processes)
def test_a_process_comes_back_as_it_was(process: Process) -> None:
    assert native.decode([native.encode(process)]).processes == (process,)


@pytest.mark.parametrize("number", [math.inf, -math.inf])
def test_infinity_survives(number: float) -> None:
    part = SpanPart("ab" * 16, "cd" * 8, attributes={"x": number})
    assert native.decode([native.encode(part)]).parts[0].attributes == {"x": number}


def test_not_a_number_survives() -> None:
    part = SpanPart("ab" * 16, "cd" * 8, attributes={"x": [math.nan]})
    (again,) = native.decode([native.encode(part)]).parts
    assert repr(again.attributes) == "{'x': [nan]}"


def test_a_bad_line_is_refused_and_the_rest_goes_on() -> None:
    lines = [native.encode(SPAN), "{", "[]", '{"type": "span"}', '{"type": "moon"}', "", native.encode(SPAN)]
    batch = native.decode(lines)
    assert batch.parts == (SPAN, SPAN)
    assert sum(refusal.count for refusal in batch.refused) == 4
    assert all(refusal.reason and refusal.sample for refusal in batch.refused)


@pytest.mark.parametrize("line", [
    '{"type":"span","trace_id":"xyz","span_id":"cdcdcdcdcdcdcdcd"}',
    '{"type":"span","trace_id":"00000000000000000000000000000000","span_id":"cdcdcdcdcdcdcdcd"}',
    '{"type":"span","trace_id":7,"span_id":"cdcdcdcdcdcdcdcd"}',
    '{"type":"span","trace_id":"abababababababababababababababab","span_id":"cdcdcdcdcdcdcdcd","attributes":7}',
    '{"type":"span","trace_id":"abababababababababababababababab","span_id":"cdcdcdcdcdcdcdcd","events":[7]}',
    '{"type":"span","trace_id":"abababababababababababababababab","span_id":"cdcdcdcdcdcdcdcd","start_ns":"x"}',
    '{"type":"score","name":"quality"}',
    '{"type":"process","process_id":{"$b":"!"}}',
])  # fmt: skip
def test_a_line_in_the_wrong_shape_is_refused(line: str) -> None:
    batch = native.decode([line])
    assert batch.parts == batch.scores == batch.processes == ()
    assert len(batch.refused) == 1


def test_a_body_holds_everything_of_a_batch() -> None:
    score, process = Score("s1", "quality", 5, value=0.5), Process("p1", 42, 7)
    body = native.encode_batch(Batch("sdk", (SPAN,), (score,), (process,)))
    again = native.decode_body(body)
    assert (again.parts, again.scores, again.processes) == ((SPAN,), (score,), (process,))


def test_fields_of_a_newer_version_are_skipped() -> None:
    line = native.encode(SPAN)[:-1] + ',"mood":"sunny"}'
    assert native.decode([line]).parts == (SPAN,)


def test_text_that_looks_like_a_line_end_stays_in_its_line() -> None:
    part = SpanPart("ab" * 16, "cd" * 8, attributes={"x": "a\u2028b\u0085c\x0b\x0c\x1c\r\n"})
    assert native.decode_body(native.encode_batch(Batch("sdk", (part, part)))).parts == (part, part)
