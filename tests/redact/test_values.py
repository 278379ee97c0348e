from __future__ import annotations

import copy
import json
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.library import Item, MediaUse, PromptLabels
from collector.model import (
    Batch,
    Content,
    Event,
    Link,
    LogRecord,
    Message,
    Process,
    Reading,
    Refusal,
    Resource,
    Scope,
    Score,
    SpanPart,
    Tool,
    Value,
)
from collector.redact import Redactor, user_key
from tests.redact.corpus import SECRETS

SECRET = SECRETS["openai"]
CARD = "4111 1111 1111 1111"


def redactor(mode: str = "default") -> Redactor:
    return Redactor(b"k" * 32, mode)


def test_a_clean_value_is_the_very_same_object() -> None:
    value: Value = {"a": ["text", 1, 2.5, None, True, {"b": "more text than nothing"}], "c": b"\xff\x00"}
    assert redactor().value(value) is value


def test_texts_are_redacted_at_any_depth_and_the_original_is_left_alone() -> None:
    value: Value = {"a": ["x", {"b": f"key {SECRET}"}], "n": 4111111111111111, "raw": SECRET.encode()}
    clean = redactor().value(value)
    assert SECRET not in str(clean)
    assert SECRET.encode() not in str(clean).encode()
    assert isinstance(clean, dict)
    assert clean["n"] == 4111111111111111, "a number is no text"
    assert isinstance(value, dict)
    assert SECRET in str(value["a"])


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_json_in_a_text_stays_the_json_it_was_but_for_the_secret(
    ascii_only: bool, indent: int | None, separators: tuple[str, str]
) -> None:
    data = {"b": [1.50, 1e5, None], "a": f'naïve 你好\n{SECRET} "quoted"', "A": {"id": "4111111111111111"}}
    raw = json.dumps(data, ensure_ascii=ascii_only, indent=indent, separators=separators)
    clean = redactor().text(raw)
    placeholder = redactor().text(SECRET)
    assert clean == raw.replace(SECRET, placeholder)


@pytest.mark.parametrize("secret", [*SECRETS.values(), "postgres://u:hunter2@h"])
def test_a_secret_spelled_in_escapes_does_not_escape(secret: str) -> None:
    hidden = "".join(f"\\u{ord(char):04x}" for char in secret)
    raw = f'{{"a": "{hidden}", "b": 1}}'
    clean = redactor().text(raw)
    assert hidden not in clean
    assert json.loads(clean) == {"a": redactor().text(secret), "b": 1}


def test_json_within_json_is_looked_into() -> None:
    inner = json.dumps({"key": f"\n{SECRET}", "hidden": "x"}).replace("sk-", "\\u0073k-")
    raw = json.dumps({"arguments": inner})
    clean = redactor().text(raw)
    assert SECRET not in json.loads(json.loads(clean)["arguments"])["key"]


def test_slashes_escaped_as_some_encoders_do_hide_no_password() -> None:
    assert "hunter2" not in redactor().text('{"url": "https:\\/\\/user:hunter2@example.com\\/"}')


def test_a_card_number_that_is_a_json_number_leaves_the_json_readable() -> None:
    raw = '{"total": 4111111111111111, "note": "4111111111111111"}'
    clean = json.loads(redactor().text(raw))
    assert clean["total"] == 4111111111111111
    assert clean["note"].startswith("[CARD:")


def test_a_secret_under_a_repeated_key_goes_too() -> None:
    assert SECRET not in redactor().text(f'{{"a": "{SECRET}", "a": "harmless"}}')


def test_json_that_was_cut_short_is_redacted_as_text() -> None:
    clean = redactor().text(f'[{{"role": "user", "content": "line\\n{SECRET}')
    assert SECRET not in clean
    assert clean.startswith('[{"role": "user", "content": "line\\n[')


def test_a_key_of_an_object_can_be_a_secret() -> None:
    assert SECRET not in redactor().text(json.dumps({SECRET: 1, "b": 2}))


def test_a_value_named_as_a_secret_goes_whatever_it_looks_like() -> None:
    value: Value = {
        "headers": {"Authorization": "Custom 0123456789abcdef0123", "Accept": "*/*"},
        "http.request.header.x-api-key": ["0123456789abcdef0123"],
        "api_key": "none",
        "max_tokens": 100,
    }
    clean = redactor().value(value)
    assert "0123456789abcdef0123" not in str(clean)
    assert isinstance(clean, dict)
    assert clean["api_key"] == "none"


@pytest.mark.parametrize("key", ["gen_ai.response.id", "gen_ai.request.model", "session.id", "user.id", "order_id"])
def test_an_id_is_no_card_but_a_key_in_it_is_still_a_key(key: str) -> None:
    assert redactor().value({key: CARD}) == {key: CARD}
    assert SECRET not in str(redactor().value({key: SECRET}))
    assert redactor().value({"note": CARD}) != {"note": CARD}


def dirty_part() -> SpanPart:
    said = f"my key is {SECRET}"
    return SpanPart(
        "a" * 32,
        "b" * 16,
        name="chat gpt-4o",
        status_message=said,
        attributes={"input.value": said, "gen_ai.request.model": "gpt-4o", "n": 1},
        events=(Event(1, "exception", {"exception.message": said}), Event(2, "clean", {"a": "b"})),
        links=(Link("c" * 32, "d" * 16, attributes={"note": said}),),
        logs=(LogRecord(3, "gen_ai.user.message", {"content": said}, {"x": said}),),
        resource=Resource({"process.command_args": ["app", said], "service.name": "app"}),
        scope=Scope("s", "1", {"x": said}),
        reading=Reading(
            convention="sdk",
            model="gpt-4o",
            system=(Message("system", ({"type": "text", "text": said},)),),
            input=Content((Message("user", ({"type": "text", "text": said},)),)),
            output=Content(value={"answer": said}),
            tool=Tool("t", "c1", {"q": said}, said),
            metadata={"m": said},
            status_message=said,
            tags=(said,),
        ),
    )


def test_everything_a_part_holds_is_redacted() -> None:
    part = dirty_part()
    clean = redactor().part(part)
    assert SECRET not in repr(clean)
    assert repr(clean).count("[API_KEY:") == repr(part).count(SECRET)
    assert (clean.trace_id, clean.span_id, clean.name) == (part.trace_id, part.span_id, part.name)
    assert SECRET in repr(part), "the part that was given is not changed"


def test_a_clean_part_is_the_very_same_object_however_often_its_like_was_seen() -> None:
    clean = redactor()
    part = clean.part(dirty_part())
    assert clean.part(part) is part
    twin = copy.deepcopy(part)
    assert clean.part(twin) is twin


def test_attributes_and_reading_agree_after_redaction() -> None:
    clean = redactor().part(dirty_part())
    assert clean.reading.input is not None
    assert clean.reading.input.messages[0].parts[0]["text"] == clean.attributes["input.value"]


def test_mode_off_leaves_a_part_and_a_batch_as_they_are() -> None:
    part = dirty_part()
    batch = Batch("sdk", (part,))
    assert redactor("off").part(part) is part
    assert redactor("off").batch(batch) is batch


def test_a_batch_is_redacted_with_its_scores_processes_and_refusals() -> None:
    batch = Batch(
        "sdk",
        (dirty_part(),),
        (Score("s1", "quality", 1, value=1.0, comment=SECRET, metadata={"k": SECRET}),),
        (Process("p", 1, 1, command=f"python app.py --key {SECRET}"),),
        (Refusal("bad id", f'{{"spanId": "{SECRET}'),),
    )
    assert SECRET not in repr(redactor().batch(batch))


LEAVES = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.sampled_from([SECRET, CARD])
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(JSON, st.booleans())
def test_json_text_and_decoded_value_are_redacted_alike(value: Value, ascii_only: bool) -> None:
    container: Value = {"v": value}
    raw = json.dumps(container, ensure_ascii=ascii_only)
    assert json.loads(redactor().text(raw)) == redactor().value(container)


def test_the_users_key_is_made_once_for_the_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "tracetui"
    key = user_key(folder)
    assert len(key) == 32
    assert user_key(folder) == key
    files = list(folder.iterdir())
    assert len(files) == 1
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


def test_two_that_come_first_at_once_agree_on_one_key(tmp_path: Path) -> None:
    keys: list[bytes] = []
    gate = threading.Barrier(8)

    def ask() -> None:
        gate.wait()
        keys.append(user_key(tmp_path / "new"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1


def test_without_a_place_to_keep_it_the_key_lasts_as_long_as_the_process(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    assert len(user_key(blocked)) == 32


def test_a_damaged_key_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "redact.key").write_text("not hex")
    assert len(user_key(tmp_path)) == 32
    assert user_key(tmp_path) == user_key(tmp_path)


def test_a_message_that_many_spans_hold_is_looked_at_once_a_batch() -> None:
    looked: list[str] = []
    history = tuple(Message("user", ({"type": "text", "text": f"{n}: {SECRET}"},)) for n in range(5))
    calls = [SpanPart("1" * 32, f"{n:016x}", reading=Reading(input=Content(history[:n]))) for n in range(1, 6)]
    masking = Redactor(b"k" * 32, mask=lambda text: looked.append(text) or text)
    clean = [masking.part(call) for call in calls]
    assert len(looked) == len(history)
    assert SECRET not in str(clean)
    assert clean == [redactor().part(call) for call in calls]
    masking.forget()
    assert masking.part(calls[0]) == clean[0]
    assert len(looked) == len(history) + 1


@pytest.mark.parametrize("item", [MediaUse("m", "input", "a" * 32), PromptLabels("greeting", 1, ("production",))])
def test_an_item_of_nothing_but_names_is_left_as_it_is(item: Item) -> None:
    assert redactor().item(item) is item


@pytest.mark.parametrize("key", ["token", "note"])
@pytest.mark.parametrize("text", ["a" * 300_000, "é" * 300_000, "sk-" * 100_000, "api_key=" * 40_000])
def test_a_long_text_without_a_secret_is_gone_through_once(key: str, text: str) -> None:
    """From each of its letters on, a digit that never comes was looked for up to its end: this would take hours."""
    clean = {key: text}
    assert redactor().value(clean) is clean
