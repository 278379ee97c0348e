"""Content is stored once and comes back as it was sent, byte for byte, however it was spelt."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench import resent
from collector.ingest import Ingest
from collector.memo import Memo
from collector.model import Batch, Content, Event, LogRecord, Resource, SpanPart, Value
from collector.protocols import otlp
from collector.settings import Settings
from collector.store import open_reader
from collector.store.content import Elements, Encoder
from collector.store.recipes import encode_string
from tests.builders import T0, TRACE, conversation, make_llm, make_part, make_started, span_id, trace_id, user
from tests.store.audit import rows

Message = dict[str, Any]
Layout = Callable[[list[Message]], dict[str, Value]]


def opened(path: Path) -> Ingest:
    return Ingest(path, Settings(db=path, redact="off"))


# --- a history that is resent with every turn ---


def words(seed: int, n: int) -> str:
    """Text that no other seed has, and that does not repeat itself."""
    return " ".join(f"{(seed * 7919 + i) * 2654435761 % 2**32:x}" for i in range(n))


def history(turns: int) -> list[Message]:
    said: list[Message] = [{"role": "system", "content": "You are helpful."}]
    for n in range(turns):
        said.append({"role": "user", "content": f"Frage {n}: größer? {words(2 * n, 250)}"})
        said.append({"role": "assistant", "content": f"answer {n}: {words(2 * n + 1, 500)}"})
    return said


def openinference(said: list[Message]) -> dict[str, Value]:
    out: dict[str, Value] = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o-mini"}
    for n, message in enumerate(said):
        out[f"llm.input_messages.{n}.message.role"] = message["role"]
        out[f"llm.input_messages.{n}.message.content"] = message["content"]
    out["input.value"] = json.dumps({"model": "gpt-4o-mini", "messages": said, "temperature": 0.5})
    out["input.mime_type"] = "application/json"
    return out


def genai(said: list[Message]) -> dict[str, Value]:
    parts = [{"role": m["role"], "parts": [{"type": "text", "content": m["content"]}]} for m in said]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.input.messages": json.dumps(parts, ensure_ascii=False),
    }


def session(path: Path, layout: Layout, turns: int) -> int:
    """Write a session whose every call resends all before it; return the bytes of the closed file."""
    said = history(turns)
    with opened(path) as ingest:
        for n in range(1, turns + 1):
            ingest.write(Batch("test", (make_part(n, attributes=layout(said[: 2 * n])),)))
    return path.stat().st_size


@pytest.mark.parametrize("layout", [openinference, genai])
def test_a_session_of_twice_the_turns_takes_twice_the_room(tmp_path: Path, layout: Layout) -> None:
    unique = sum(len(message["content"].encode()) for message in history(40))
    twenty = session(tmp_path / "20.db", layout, 20)
    forty = session(tmp_path / "40.db", layout, 40)
    assert forty <= 2.2 * twenty
    assert forty < 5 * unique  # resent in full, it would be 20 times


@pytest.mark.parametrize("layout", [openinference, genai])
def test_a_resent_history_comes_back_byte_for_byte(tmp_path: Path, layout: Layout) -> None:
    path = tmp_path / "traces.db"
    session(path, layout, 12)
    said = history(12)
    with open_reader(path) as reader:
        for n in range(1, 13):
            sent = layout(said[: 2 * n])
            assert reader.span(TRACE, span_id(n)).attributes == sent
        exported = {part.span_id: part.attributes for part in reader.parts()}
    assert exported == {span_id(n): layout(said[: 2 * n]) for n in range(1, 13)}


def test_a_session_whose_spans_come_in_two_parts_takes_no_more_room_than_its_turns(tmp_path: Path) -> None:
    def grown(turns: int) -> int:
        path, said = tmp_path / f"{turns}.db", history(turns)
        with opened(path) as ingest:
            for n in range(1, turns + 1):
                start = make_started(n, attributes=genai(said[: 2 * n]))
                ingest.write(Batch("test", (start, make_part(n, attributes={"gen_ai.response.model": "gpt-4o"}))))
        with open_reader(path) as reader:
            sent, found = genai(said[: 2 * turns]), reader.span(TRACE, span_id(turns)).attributes
            assert found["gen_ai.input.messages"] == sent["gen_ai.input.messages"]
        assert all(row["parts"] for row in rows(path, "select parts from bodies"))
        return path.stat().st_size

    assert grown(40) <= 2.2 * grown(20)


def test_an_output_that_is_one_message_is_stored_once(tmp_path: Path) -> None:
    path, text = tmp_path / "traces.db", words(1, 100)
    sent = json.dumps({"role": "assistant", "content": text, "refusal": None}) + " "
    attributes = {"langfuse.observation.type": "generation", "langfuse.observation.output": sent}
    with opened(path) as ingest:
        ingest.write(Batch("test", (make_part(1, attributes=attributes),)))
    assert len([row for row in rows(path, "select text from texts") if text in row["text"]]) == 1
    with open_reader(path) as reader:
        assert reader.span(TRACE, span_id(1)).attributes["langfuse.observation.output"] == sent


def test_a_text_is_stored_once_wherever_it_stands(tmp_path: Path) -> None:
    path, text = tmp_path / "traces.db", words(1, 100)
    with opened(path) as ingest:
        call = make_llm(1, reading={"input": conversation(user(text))}, attributes={"input.value": text, "other": text})
        ingest.write(Batch("test", (call, make_part(2, name=text, events=(Event(T0, "said", {"text": text}),)))))
    assert len([row for row in rows(path, "select text from texts") if row["text"] == text]) == 1


# --- any spelling ---

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "hi", "größer 世界 🙂", "\0", 'a "quoted" \\ line\n', "</script>", "\u2028", "\x7f\x1b[31m"]),
    st.builds(lambda text, n: (text * n)[:600], st.text(min_size=1, max_size=30), st.integers(2, 60)),
    st.integers(0, 3).map(lambda n: words(n, 30)),
)
ROLES = st.sampled_from(["system", "user", "user", "assistant", "tool", "developer", ""])
MESSAGES = st.lists(
    st.one_of(
        st.builds(lambda role, text: {"role": role, "content": text}, ROLES, TEXTS),
        st.builds(lambda role, text: {"role": role, "parts": [{"type": "text", "content": text}]}, ROLES, TEXTS),
        st.builds(
            lambda text: {"role": "assistant", "tool_calls": [{"id": "c1", "arguments": json.dumps({"q": text})}]},
            TEXTS,
        ),
        st.builds(lambda text, n: {"role": "user", "content": [text, {"n": n}, None, text]}, TEXTS, st.floats()),
        st.builds(lambda n: {"role": "user", "content": json.loads("[" * n + "]" * n)}, st.sampled_from([50, 400])),
        st.just({}),
    ),
    max_size=8,
)
SPELLINGS = st.fixed_dictionaries({
    "ensure_ascii": st.booleans(),
    "indent": st.sampled_from([None, None, 0, 2, "\t"]),
    "separators": st.sampled_from([None, (",", ":"), (" ,\n", " : "), (", ", ":")]),
})  # fmt: skip
CHANGES: list[Callable[[str], str]] = [
    lambda raw: raw,
    lambda raw: f"\n  {raw}\t ",
    lambda raw: f'{{"model": "m", "messages": {raw}, "n": 1}}',
    lambda raw: f'{{"messages": "none", "input": {raw}}}',
    lambda raw: raw.replace('{"role"', '{"role": "first", "role"'),
    lambda raw: raw.replace("a", "\\u0061").replace("/", "\\/"),
    lambda raw: raw.replace("i", "\\ud83d", 1),
    lambda raw: raw.replace("e", "\\ude42\\ud83d"),
    lambda raw: raw.replace("e", "\\ud83d\\ude42"),
    lambda raw: raw.replace("t", "\\u0000"),
    lambda raw: raw[:-1],
    lambda raw: raw[: len(raw) // 2],
    lambda raw: raw + raw,
    lambda raw: raw.replace(",", ",,", 1),
    lambda raw: "[" * 600 + raw + "]" * 600,
    lambda raw: "[" * 100_000,
    lambda raw: json.dumps(raw),
]
JSON_KEYS = st.sampled_from(["gen_ai.input.messages", "input.value", "gen_ai.prompt", "output.value", "anything"])
FLAT_KEYS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["llm.input_messages.", "llm.output_messages.", "gen_ai.prompt.", "llm.prompts."]),
    st.sampled_from(["0", "0", "1", "1", "2", "3", "4", "5", "7", "00", "01", "-1", "x", "", "²", "9999999"]),
    st.sampled_from([".message.role", ".message.content", ".content", "", ".", ".message.tool_calls.0.x"]),
)
VALUES = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=90),
    st.lists(TEXTS, max_size=3), st.dictionaries(st.sampled_from(["$t", "$o", "a", "$"]), TEXTS, max_size=2),
)  # fmt: skip


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Path, Ingest, Iterator[int]]]:
    """One file for all examples: each meets what those before it left."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traces.db"
        with Ingest(path, Settings(db=path, redact="off", max_part_bytes=10**8)) as ingest:
            yield path, ingest, count(1)


def comes_back(shared: tuple[Path, Ingest, Iterator[int]], *sent: dict[str, Value]) -> None:
    path, ingest, numbers = shared
    first = next(numbers)
    parts = [SpanPart(trace_id(first), span_id(n), at_ns=T0, start_ns=T0, end_ns=T0, attributes=a)
             for n, a in enumerate(sent, 1)]  # fmt: skip
    receipt = ingest.write(Batch("test", tuple(parts)))
    assert (receipt.stored, receipt.clipped, receipt.rejected) == (len(sent), 0, 0)
    with open_reader(path) as reader:
        for part in parts:
            found = reader.span(part.trace_id, part.span_id).attributes
            assert repr(sorted(found.items())) == repr(sorted(part.attributes.items()))


EXAMPLES = settings(suppress_health_check=list(HealthCheck))


@EXAMPLES
@given(MESSAGES, SPELLINGS, st.sampled_from(CHANGES), JSON_KEYS)
def test_any_spelling_of_a_message_list_comes_back(
    shared: Any, said: list[Message], spelling: dict[str, Any], change: Callable[[str], str], key: str
) -> None:
    """Twice, the second time one message longer: then most of it is known."""
    longer = [*said, {"role": "user", "content": "and now? " * 12}]
    spelt = [change(json.dumps(messages, **spelling)) for messages in (said, longer)]
    comes_back(shared, {key: spelt[0]}, {key: spelt[1]})


@EXAMPLES
@given(st.lists(st.tuples(FLAT_KEYS | JSON_KEYS, VALUES), max_size=14).map(dict))
def test_any_flattened_list_comes_back(shared: Any, attributes: dict[str, Value]) -> None:
    comes_back(shared, attributes, dict(reversed(attributes.items())))


def test_all_of_it_comes_out_of_an_export(shared: Any) -> None:
    """What the examples wrote, in one go: the same as span by span."""
    path = shared[0]
    comes_back(shared, {"gen_ai.input.messages": genai(history(3))["gen_ai.input.messages"]})
    with open_reader(path) as reader:
        for part in reader.parts():
            found = reader.span(part.trace_id, part.span_id).attributes
            assert repr(found) == repr(part.attributes)


def test_a_value_nested_beyond_all_reason_costs_only_its_span(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    deep: Value = "x"
    for _ in range(5000):
        deep = [deep]
    with opened(path) as ingest:
        receipt = ingest.write(Batch("test", (make_part(1), make_part(2, attributes={"a": deep}), make_part(3))))
    assert (receipt.received, receipt.stored, receipt.rejected) == (3, 2, 1)
    assert receipt.reasons == ("nested too deep",)


# --- text that UTF-8 cannot hold ---

HALF = "cut \ud83d here"
MENDED = "cut \ufffd here"


def test_half_an_emoji_in_otlp_json_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    body = otlp.encode_traces([make_part(1, name="NAME", attributes={"a": "VALUE"}), make_part(2)])
    body = body.replace(b"NAME", b"cut \\ud83d here").replace(b"VALUE", b"cut \\ud83d here")
    with opened(path) as ingest:
        assert ingest.write(otlp.decode_traces(body, otlp.JSON)).stored == 2
    with open_reader(path) as reader:
        found = reader.span(TRACE, span_id(1))
    assert (found.row.name, found.attributes) == (MENDED, {"a": MENDED})


def test_half_an_emoji_within_a_json_string_is_no_half_and_comes_back(tmp_path: Path) -> None:
    """The attribute is fine UTF-8; only what it spells is not. Its reading has U+FFFD, or nothing."""
    path = tmp_path / "traces.db"
    said = [{"role": "user", "content": f"{n} {HALF * 20}"} for n in range(6)]
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(said)}
    with opened(path) as ingest:
        receipt = ingest.write(Batch("test", (make_part(1, attributes=attributes),)))
    assert (receipt.stored, receipt.clipped) == (1, 0)
    with open_reader(path) as reader:
        assert reader.span(TRACE, span_id(1)).attributes == attributes


PLACES: dict[str, dict[str, Any]] = {
    "name": {"name": HALF},
    "a short value": {"attributes": {"a": HALF}},
    "a long value": {"attributes": {"a": HALF * 20}},
    "a key": {"attributes": {HALF: 1}},
    "a nested value": {"attributes": {"a": {"b": [HALF * 20, 1]}}},
    "an event": {"events": (Event(T0, HALF, {"a": HALF}),)},
    "a log record": {"logs": (LogRecord(T0, "said", {"content": HALF}),)},
    "a resource": {"resource": Resource({"service.name": HALF})},
    "a session": {"reading": {"session_id": HALF, "tags": (HALF,), "metadata": {"a": HALF}}},
    "a message": {"reading": {"input": conversation(user(HALF * 20))}},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("redact", ["off", "default"])
def test_half_an_emoji_from_our_own_sdk_is_replaced_and_marked(tmp_path: Path, place: str, redact: str) -> None:
    path = tmp_path / "traces.db"
    with Ingest(path, Settings(db=path, redact=redact)) as ingest:
        receipt = ingest.write(Batch("sdk", (make_llm(1), make_llm(2, **PLACES[place]), make_llm(3))))
    assert (receipt.stored, receipt.clipped, receipt.rejected) == (3, 1, 0)
    with open_reader(path) as reader:
        said = repr(reader.span(TRACE, span_id(2)))
        assert MENDED in said or repr(MENDED)[1:-1] in said
        marked = [row for row in reader.ledger() if row.outcome == "clipped"]
    assert [(row.n, row.reason) for row in marked] == [(1, "no Unicode: half of a surrogate pair")]


# --- a history that many spans of one batch hold ---


def test_what_was_imported_before_is_known_by_its_rows(tmp_path, monkeypatch):
    said = [user(f"question {n}: {words(n, 20)}") for n in range(6)]
    calls = tuple(make_llm(n, reading={"input": conversation(*said[:n])}) for n in range(1, 7))
    running = make_started(9, name="still at it")
    with opened(tmp_path / "x.db") as ingest:
        assert ingest.write(Batch("import", (*calls, running))).stored == 7
        before = rows(tmp_path / "x.db", "select * from spans order by id")
        monkeypatch.setattr("collector.store.stored.Stored.parts", _never)
        again = ingest.write(Batch("import", (*calls, running)))
    assert (again.stored, again.duplicate) == (0, 7)
    assert rows(tmp_path / "x.db", "select * from spans order by id") == before


def _never(*_: object) -> None:
    raise AssertionError("a history was taken apart to find out that it says nothing new")


@pytest.mark.parametrize("change", [{"name": "other"}, {"attributes": {"n": 1}}, {"status": "error"}])
def test_one_field_more_is_something_new(tmp_path, change):
    with opened(tmp_path / "x.db") as ingest:
        ingest.write(Batch("import", (make_part(1),)))
        assert ingest.write(Batch("import", (make_part(1, **change),))).stored == 1


@pytest.mark.parametrize("client", resent.CLIENTS)
def test_whoever_resends_a_history_each_text_is_kept_once_and_no_span_lists_them_all(tmp_path, client):
    db, said = tmp_path / "traces.db", set()
    with opened(db) as ingest:
        for turn in resent.turns(25, 10_000, client):
            assert ingest.write(turn.decode()).rejected == 0
            said |= {text for _, text in turn.prompt}
    long = [row["text"] for row in rows(db, "select text from texts where length(text) >= 1000")]
    assert said <= set(long)
    assert len(long) <= len(said) + 1, "the last answer is in no prompt"
    columns = "length(attributes), ifnull(length(in_value), 0), ifnull(length(out_value), 0), ifnull(length(parts), 0)"
    (sizes,) = rows(db, f"select max(max({columns})) most from bodies")
    assert sizes["most"] < 3000, "as much in the last turn as in the first"
    (mentions,) = rows(db, "select max(n) most from (select count(*) n from mentions group by span_id)")
    assert mentions["most"] < 20, "the last turn brings as many texts as the first"


@pytest.mark.parametrize("structured", [False, True])
def test_a_history_within_events_is_kept_once_and_comes_back_as_it_was(tmp_path, structured):
    db, history, sent = tmp_path / "traces.db", [], {}
    with opened(db) as ingest:
        for turn in range(12):
            history.append({"role": "user", "content": f"question {turn} " * 200})
            said = list(history) if structured else json.dumps(history)
            events = (Event(5, "gen_ai.content.prompt", {"gen_ai.prompt": said, "n": turn}),)
            logs = (LogRecord(6, "gen_ai.x", {"messages": list(history)}, {"more": said}),)
            span = f"{turn + 1:016x}"
            sent[span] = (events, logs)
            part = SpanPart(f"{turn + 1:032x}", span, name="x", start_ns=turn + 1, events=events, logs=logs)
            assert ingest.write(Batch("otlp-http", (part,))).rejected == 0
            history.append({"role": "assistant", "content": f"answer {turn} " * 200})
    long = [row["text"] for row in rows(db, "select text from texts where length(text) >= 1000")]
    assert len(long) == 23, "twelve questions and eleven answers"
    (sizes,) = rows(db, "select max(max(length(events), length(logs))) most from bodies")
    assert sizes["most"] < 2000, "as much in the last turn as in the first"
    with open_reader(db) as reader:
        for span, (events, logs) in sent.items():
            found = reader.span(span.rjust(32, "0"), span)
            assert (found.events, found.logs) == (events, logs)


def test_a_value_that_is_a_conversation_comes_back_as_it_was(tmp_path):
    db = tmp_path / "traces.db"
    state = {"n": 1.5, "messages": [{"role": "user", "content": words(n, 300), "at": [n, None]} for n in range(8)]}
    for value in (state, state["messages"], json.dumps(state), json.dumps(words(9, 300)), {**state, "m": float("inf")}):
        sides = {"input": Content(value=value), "output": Content(value=value)}
        with opened(db) as ingest:
            ingest.write(Batch("sdk", (make_llm(1, reading=sides),)))
        with open_reader(db) as reader:
            (part,) = reader.parts()
        assert repr((part.reading.input, part.reading.output)) == repr((Content(value=value), Content(value=value)))
        db.unlink()


def test_what_is_remembered_of_a_batch_that_failed_is_collected_again() -> None:
    elements: Elements = Memo(1_000_000)
    sent = json.dumps(history(4))
    first = Encoder({}, elements)
    encoded = encode_string(sent, first)
    again = Encoder({}, elements)  # the file has nothing of it: the transaction did not come about
    assert encode_string(sent, again) == encoded
    assert (again.texts, again.recipes, again.used) == (first.texts, first.recipes, first.used)
    later = Encoder(dict.fromkeys([*first.texts, *first.recipes]), elements)
    assert encode_string(sent, later) == encoded
    assert (later.texts, later.recipes, later.used) == ({}, {}, first.used)
