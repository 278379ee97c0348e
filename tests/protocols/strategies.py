"""Any part that OTLP can carry, and any that we can."""

from __future__ import annotations

from hypothesis import strategies as st

from collector.model import (
    Content,
    Document,
    Event,
    Link,
    LogRecord,
    Message,
    Process,
    Rank,
    Reading,
    Resource,
    Scope,
    Score,
    SpanPart,
    Tool,
    Usage,
)  # fmt: skip

int64 = st.integers(-(2**63), 2**63 - 1)
uint64 = st.integers(1, 2**64 - 1)
times = st.integers(1, 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = st.one_of(
    st.none(), texts, st.booleans(), int64, st.sampled_from([-(2**63), 2**63 - 1, 0]),
    st.floats(allow_nan=False), st.binary(max_size=8),
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
attributes = st.dictionaries(texts, values, max_size=4)
counts = st.integers(0, 2**32 - 1)
trace_ids = st.binary(min_size=16, max_size=16).filter(any).map(bytes.hex)
span_ids = st.binary(min_size=8, max_size=8).filter(any).map(bytes.hex)
events = st.builds(Event, st.integers(0, 2**64 - 1), texts, attributes, counts)
links = st.builds(Link, trace_ids, span_ids, texts, attributes, counts, counts)
keys = st.lists(texts, min_size=1, max_size=2)
entities = st.fixed_dictionaries(
    {},
    optional={"schema_url": texts.filter(bool), "type": texts.filter(bool), "id_keys": keys, "description_keys": keys},
)
resources = st.none() | st.builds(Resource, attributes, counts, texts, st.lists(entities, max_size=2).map(tuple))
scopes = st.none() | st.builds(Scope, texts, texts, attributes, counts, texts)


@st.composite
def otlp_parts(draw: st.DrawFn) -> SpanPart:
    """A part as OTLP's decoder makes it: its derived fields follow from the others."""
    start = draw(st.none() | times)
    end = draw(st.none() | st.integers(start or 1, 2**63 - 1))
    code = draw(st.integers(0, 2))
    return SpanPart(
        draw(trace_ids), draw(span_ids), Rank.FINISHED if end else Rank.STARTED, end or start or 0,
        draw(st.none() | span_ids), draw(texts) or None, start, end, (None, "ok", "error")[code],
        draw(texts) or None, draw(st.integers(0, 5)), code, draw(texts), draw(counts), draw(attributes),
        tuple(draw(st.lists(events, max_size=2))), tuple(draw(st.lists(links, max_size=2))), (),
        draw(counts), draw(counts), draw(counts), draw(resources), draw(scopes),
    )  # fmt: skip


wild_text = st.text(max_size=12)
"""With half surrogate pairs, too."""
wild = st.recursive(
    scalars | wild_text | st.integers(-(2**80), 2**80),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts | st.sampled_from(["$b", "$f", "$i", "$s", "$o"]), inner, max_size=3)
    ),
    max_leaves=6,
)
wild_attributes = st.dictionaries(texts | st.sampled_from(["$b", "$o"]), wild, max_size=4)
parts_of_messages = st.tuples(st.fixed_dictionaries({"type": st.just("text"), "text": wild_text}))
messages = st.builds(Message, texts, parts_of_messages, st.none() | texts, st.none() | texts)
contents = st.builds(Content, st.tuples(messages)) | st.builds(Content, value=wild)
some = st.none() | texts
readings = st.builds(
    Reading, convention=some, kind=some, provider=some, model=some, params=st.none() | wild_attributes,
    usage=st.none() | st.builds(Usage, st.none() | times, st.none() | times), cost_nanousd=st.none() | times,
    system=st.tuples(messages) | st.just(()), input=st.none() | contents, output=st.none() | contents,
    tool=st.none() | st.builds(Tool, some, some, wild, wild), tool_definitions=wild,
    documents=st.tuples(st.builds(Document, some, some, st.none() | st.floats(allow_nan=False), st.none() | times)),
    tags=st.tuples(texts), metadata=st.none() | wild_attributes, ttft_ns=st.none() | times, notes=st.tuples(texts),
)  # fmt: skip
logs = st.builds(LogRecord, times, texts, wild, wild_attributes, texts, st.integers(0, 24))


@st.composite
def any_parts(draw: st.DrawFn) -> SpanPart:
    part = draw(otlp_parts())
    part.rank = draw(st.sampled_from(Rank))
    part.attributes = draw(wild_attributes)
    part.logs = tuple(draw(st.lists(logs, max_size=2)))
    part.source_id, part.process_id = draw(some), draw(some)
    part.keep_parts = draw(st.booleans())
    part.reading = draw(readings)
    return part


scores = st.builds(
    Score, texts, texts, times, some, some, some, st.none() | st.floats(allow_nan=False), some, texts, some, texts,
    st.none() | wild_attributes,
)  # fmt: skip
processes = st.builds(Process, texts, times, times, texts, texts, texts, texts, texts, times, st.none() | times)
