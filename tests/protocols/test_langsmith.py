"""Runs and feedback of LangSmith's API become the spans and scores that a person would make of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector import conventions
from collector.conventions.gather import is_known
from collector.errors import DecodeError, TooLarge, UnsupportedMedia
from collector.library import Media, MediaUse
from collector.model import Rank, Reading, SpanPart, Usage
from collector.protocols import langsmith
from collector.protocols.langsmith_runs import run_span_id, split_error
from collector.protocols.limits import Limits
from collector.protocols.times import iso, time_ns
from collector.redact import Policy
from collector.settings import Settings
from collector.store.merge import fold

PAYLOADS = Path(__file__).parents[1] / "payloads"
EXPECTATIONS = json.loads((PAYLOADS / "langsmith-expectations.json").read_text())
PLAIN = ("langsmith-openai_batch", "langsmith-js")
ROOT, CHILD = "01a1fbea-bba6-77a1-9288-abb9ea2dee86", "01a1fbea-bcc8-7a27-8b5c-a2db18b34122"
ORDER = f"20261121T022347361363Z{ROOT}"
BOUNDARY = "77cddf98c31d488a8e2c2ad6a29531bf"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def form(*parts: tuple[str, Any], end: str = "--") -> bytes:
    """A form as the Python SDK sends it; bytes go in as they are, everything else as JSON."""
    out = b""
    for name, value in parts:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        kind = "image/png" if isinstance(value, bytes) else "application/json"
        head = f'Content-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}'
        out += f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + b"\r\n"
    return out + f"--{BOUNDARY}{end}\r\n".encode()


def run(**fields: Any) -> dict[str, Any]:
    return {
        "id": ROOT, "trace_id": ROOT, "dotted_order": ORDER, "name": "agent", "run_type": "chain",
        "start_time": "2026-11-21T02:23:47.361363+00:00", **fields,
    }  # fmt: skip


def decoded(*runs: tuple[str, dict[str, Any]]) -> list[SpanPart]:
    body = {op: [one for kind, one in runs if kind == op] for op in ("post", "patch")}
    batch = langsmith.decode_batch(json.dumps(body).encode())
    assert batch.refused == ()
    return list(batch.parts)


def meaning(**fields: Any) -> Reading:
    return conventions.read(decoded(("post", run(**fields)))[0])


def batches(folder: str) -> Iterator[Any]:
    for request in json.loads((PAYLOADS / folder / "requests.json").read_text()):
        if request["file"] is None:
            continue
        body = (PAYLOADS / folder / request["file"]).read_bytes()
        if request["path"] == "/runs/multipart":
            yield langsmith.decode_multipart(body, request["headers"]["content-type"])
        elif request["path"] == "/runs/batch":
            yield langsmith.decode_batch(body)
        elif request["path"] == "/feedback":
            yield langsmith.decode_feedback(body)


@pytest.mark.parametrize("folder", PLAIN)
def test_recorded_runs_read_as_a_person_would_read_them(folder: str) -> None:
    parts: dict[str, list[SpanPart]] = {}
    for batch in batches(folder):
        assert batch.refused == ()
        for part in batch.parts:
            parts.setdefault(part.source_id or "", []).append(part)
    wanted = EXPECTATIONS[folder]["spans"]
    assert sorted(parts) == sorted(span["span_id"] for span in wanted)
    for want in wanted:
        span, _ = fold(parts[want["span_id"]])
        found = conventions.read(span)
        usage = found.usage
        said = {
            "name": span.name, "kind": found.kind, "project": found.project, "start_unix_nano": str(span.start_ns),
            "session_id": found.session_id, "user_id": found.user_id, "tags": list(found.tags),
            "model": found.model, "request_model": found.request_model, "provider": found.provider,
            "input_tokens": usage.input_tokens if usage else None,
            "output_tokens": usage.output_tokens if usage else None,
            "cached_input_tokens": usage.cache_read_tokens if usage else None,
            "reasoning_tokens": usage.reasoning_tokens if usage else None,
            "error_type": found.error_type, "error_message": span.status_message, "status": span.status or "ok",
        }  # fmt: skip
        assert {key: said[key] for key in said if key in want} == {key: want[key] for key in said if key in want}
        parent = want.get("parent_span_id")
        assert span.parent_id == (run_span_id(parent) if parent else None)
        assert span.trace_id == want["trace_id"].replace("-", "")
        if "ttft_ms" in want:
            assert found.ttft_ns == pytest.approx(want["ttft_ms"] * 1e6, rel=0.02)
        for call in want.get("output_tool_calls", ()):
            assert found.output
            assert {"type": "tool_call", **call} in [p for m in found.output.messages for p in m.parts]
        if "output_text" in want:
            assert found.output
            texts = [p["text"] for m in found.output.messages for p in m.parts if p["type"] == "text"]
            assert texts == [want["output_text"]]


def test_any_order_of_posts_and_patches_is_one_span() -> None:
    parts = decoded(
        ("post", run(inputs={"q": "why"}, outputs={}, extra={"metadata": {"a": 1}, "runtime": {"sdk": "x"}})),
        ("patch", run(outputs={"a": "because"}, end_time="2026-11-21T02:23:48+00:00", extra={"metadata": {"b": 2}})),
        ("patch", run(tags=["late"])),
    )
    folded = [fold(order)[0] for order in itertools.permutations(parts)]
    assert all(span == folded[0] for span in folded)
    found = conventions.read(folded[0])
    assert found.input
    assert found.input.value == {"q": "why"}
    assert found.output
    assert found.output.value == {"a": "because"}
    assert (found.metadata, found.tags) == ({"a": 1, "b": 2}, ("late",))
    assert (folded[0].rank, folded[0].end_ns) == (Rank.FINISHED, 1795227828000000000)


def test_post_patch_and_fields_of_one_form_belong_together() -> None:
    fields = {k: v for k, v in run().items() if k != "inputs"}
    batch = langsmith.decode_multipart(
        form(
            (f"post.{ROOT}", fields), (f"post.{ROOT}.inputs", {"q": 1}),
            (f"patch.{ROOT}", {**fields, "end_time": "2026-11-21T02:23:48+00:00"}), (f"patch.{ROOT}.outputs", {"a": 2}),
            (f"attachment.{ROOT}.chart", b"\x89PNG\r\n--not the boundary"),
        ), FORM,
    )  # fmt: skip
    assert batch.refused == ()
    span, _ = fold(batch.parts)
    assert (span.attributes["langsmith.run.inputs"], span.attributes["langsmith.run.outputs"]) == (
        '{"q": 1}',
        '{"a": 2}',
    )
    media, use = batch.library
    assert isinstance(media, Media)
    assert isinstance(use, MediaUse)
    assert (media.data, media.mime_type) == (b"\x89PNG\r\n--not the boundary", "image/png")
    assert (use.field, use.trace_id, use.span_id) == ("chart", span.trace_id, span.span_id)


def test_attachments_of_a_run_that_comes_alone_are_kept() -> None:
    """Client(auto_batch_tracing=False); of a file it sends the path alone."""
    said = run(attachments={"pic": ["image/png", "iVBOR3g="], "file": ["image/png", "/home/me/pic.png"], "odd": 1})
    batch = langsmith.decode_run(json.dumps(said).encode(), "post")
    assert [item.data for item in batch.library if isinstance(item, Media)] == [b"\x89PNGx"]
    assert [(one.reason, one.count) for one in batch.refused] == [
        ("an attachment within JSON that is no base64; send it as a part of a form", 2)
    ]


def test_old_sdks_leave_fields_within_the_run_of_a_form() -> None:
    """langsmith 0.1.147 sends only inputs, outputs and events as parts of their own."""
    extra = {"metadata": {"thread_id": "t", "ls_provider": "openai"}, "runtime": {"sdk": "langsmith-py"}}
    events = [{"name": "new_token", "time": "2026-11-21T02:23:47.861363+00:00"}]
    said = run(
        run_type="llm", end_time="2026-11-21T02:23:48+00:00", extra=extra, error="ValueError('no')", events=events
    )
    batch = langsmith.decode_multipart(form((f"post.{ROOT}", said), (f"post.{ROOT}.inputs", {"q": 1})), FORM)
    (part,) = batch.parts
    read = conventions.read(part)
    assert (read.session_id, read.provider, read.error_type, read.ttft_ns) == ("t", "openai", "ValueError", 500_000_000)
    assert (part.status_message, part.attributes["langsmith.run.inputs"]) == ("ValueError('no')", '{"q": 1}')
    assert part.resource is not None


def test_what_was_not_given_to_a_wrapped_client_is_no_parameter() -> None:
    unset = "<openai.Omit object at 0x7f68fe60ad90>"
    inputs = {"messages": [{"role": "user", "content": "q"}], "model": "m", "top_p": unset, "seed": 7, "tools": unset}
    read = meaning(run_type="llm", inputs=inputs, extra={"metadata": {"ls_temperature": unset, "ls_max_tokens": 9}})
    assert (read.params, read.tool_definitions) == ({"seed": 7, "max_tokens": 9}, None)


def test_steps_that_langgraph_counts_are_no_tags() -> None:
    assert meaning(tags=["prod", "seq:step:2", "graph:step:11", "map:key:a", "step:1"]).tags == ("prod", "step:1")


def test_a_failed_call_answered_nothing() -> None:
    """LangChain puts the body of the failure into an empty message."""
    message = {"lc": 1, "type": "constructor", "id": ["AIMessage"], "kwargs": {"content": "", "type": "ai"}}
    said = {"generations": [[{"text": "", "message": message}]]}
    assert meaning(run_type="llm", error="RateLimitError('no')", outputs=said).output is None
    assert meaning(run_type="llm", outputs=said).output is not None


def test_a_wrapped_google_client_reads_like_the_others() -> None:
    declared = {"name": "get_weather", "description": "w"}
    config = {"system_instruction": "be brief", "temperature": 0.1, "tools": [{"function_declarations": [declared]}]}
    usage = {"input_tokens": 50, "output_tokens": 10, "total_tokens": 65, "output_token_details": {"reasoning": 5}}
    read = meaning(
        run_type="llm", extra={"metadata": {"ls_provider": "google", "ls_model_name": "gemini-2.5-flash"}},
        inputs={"messages": [{"role": "user", "content": "hi"}], "model": "gemini-2.5-flash", "config": config},
        outputs={"content": "sunny", "usage_metadata": usage},
    )  # fmt: skip
    assert (read.provider, read.params) == ("gcp.gemini", {"temperature": 0.1})
    assert read.tool_definitions == [declared]
    assert [message.parts[0]["text"] for message in read.system] == ["be brief"]
    assert read.input is not None
    assert read.output is not None
    assert [message.parts[0]["text"] for message in (*read.input.messages, *read.output.messages)] == ["hi", "sunny"]
    assert read.usage == Usage(input_tokens=50, output_tokens=15, reasoning_tokens=5)  # Google counts thoughts apart


@pytest.mark.parametrize(
    ("outputs", "shape"),
    [
        ({"embedding": [0.1, 0.2, 0.3]}, {"dimensions": 3, "count": 1}),
        ({"output": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]}, {"dimensions": 2, "count": 3}),
        ({"data": [{"embedding": [0.1], "index": 0}], "model": "m"}, {"dimensions": 1, "count": 1}),
        ({"output": "nothing"}, "nothing"),
    ],
)
def test_an_embedding_says_how_many_vectors_of_how_many_dimensions(outputs: Any, shape: Any) -> None:
    read = meaning(run_type="embedding", inputs={"input": "a"}, outputs=outputs)
    assert read.output is not None
    assert read.output.value == shape


def test_a_child_without_a_trace_is_in_its_parents() -> None:
    bare = {"id": CHILD, "parent_run_id": ROOT, "name": "step", "run_type": "tool"}
    parts = decoded(("post", bare), ("post", run()))
    assert len({part.trace_id for part in parts}) == 1
    known = langsmith.decode_run(json.dumps(bare).encode(), "post", whose={ROOT: "ab" * 16}.get)
    assert known.parts[0].trace_id == "ab" * 16
    by_order = decoded(("post", {"id": CHILD, "dotted_order": f"{ORDER}.20261121T022347400776Z{CHILD}"}))
    assert (by_order[0].parent_id, by_order[0].trace_id) == (run_span_id(ROOT), ROOT.replace("-", ""))


def test_children_within_a_run_are_runs_too() -> None:
    child = {"id": CHILD, "trace_id": ROOT, "parent_run_id": ROOT, "name": "inner", "run_type": "llm"}
    names = {part.name: part.parent_id for part in decoded(("post", run(child_runs=[child])))}
    assert names == {"agent": None, "inner": run_span_id(ROOT)}


def test_an_end_a_moment_before_its_start_is_no_wrong_clock() -> None:
    start, early = "2026-11-21T02:45:42.991003Z", 1795229142991
    (part,) = decoded(("post", run(start_time=start, end_time=early)))
    assert part.start_ns == part.end_ns
    assert not conventions.read(part).notes
    (wrong,) = decoded(("post", run(start_time=start, end_time=early - 5000)))
    assert conventions.read(wrong).notes == ("ended before it started",)


@pytest.mark.parametrize(
    ("error", "message", "kind"),
    [
        ("ValueError('boom')\n\nTraceback (most recent call last):\n  File …", "ValueError('boom')", "ValueError"),
        ("TypeError: x is no function\n    at f (a.js:1:2)", "TypeError: x is no function", "TypeError"),
        ("openai.RateLimitError('slow')Traceback (most recent call last):", "openai.RateLimitError('slow')",
         "openai.RateLimitError"),
        ("it just failed", "it just failed", None),
        ("CancelledError()\n\nNoneType: None", "CancelledError()", "CancelledError"),
    ],
)  # fmt: skip
def test_an_error_is_its_message_its_type_and_its_stack(error: str, message: str, kind: str | None) -> None:
    assert split_error(error)[0] == message
    (part,) = decoded(("post", run(error=error)))
    assert (part.status, part.status_message, conventions.read(part).error_type) == ("error", message, kind)


def test_langchains_results_give_messages_usage_and_model() -> None:
    ai = {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "AIMessage"], "kwargs": {
        "content": "", "type": "ai", "id": "run--7",
        "tool_calls": [{"name": "get_weather", "args": {"city": "Patiala"}, "id": "call_1", "type": "tool_call"}],
        "response_metadata": {"model_name": "gpt-4o-mini-2024-07-18", "finish_reason": "tool_calls",
                              "id": "chatcmpl-1"},
        "usage_metadata": {"input_tokens": 101, "output_tokens": 53, "input_token_details": {"cache_read": 8},
                           "output_token_details": {"reasoning": 4}}}}  # fmt: skip
    human = {"lc": 1, "id": ["langchain", "schema", "messages", "HumanMessage"],
             "kwargs": {"content": "hi", "type": "human"}}  # fmt: skip
    found = meaning(
        run_type="llm", inputs={"messages": [[human]]},
        outputs={"generations": [[{"text": "", "message": ai}]], "llm_output": {}},
        extra={"metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4o-mini", "ls_temperature": 0.2},
               "invocation_params": {"model": "gpt-4o-mini", "n": 1, "tools": [{"type": "function"}]}},
    )  # fmt: skip
    assert found.usage
    assert (found.usage.input_tokens, found.usage.cache_read_tokens) == (101, 8)
    assert found.usage.reasoning_tokens == 4
    assert (found.model, found.request_model, found.response_id) == (
        "gpt-4o-mini-2024-07-18", "gpt-4o-mini", "chatcmpl-1",
    )  # fmt: skip
    assert found.input
    assert found.input.messages[0].parts == ({"type": "text", "text": "hi"},)
    assert found.output
    assert found.output.messages[0].parts[0]["arguments"] == {"city": "Patiala"}
    assert (found.finish_reasons, found.params) == (("tool_calls",), {"n": 1, "temperature": 0.2})
    assert found.tool_definitions == [{"type": "function"}]


def test_a_langchain_tools_arguments_and_result_are_unwrapped() -> None:
    message = {"lc": 1, "id": ["langchain", "schema", "messages", "ToolMessage"],
               "kwargs": {"content": '{"temp_c": 31}', "type": "tool", "tool_call_id": "call_1"}}  # fmt: skip
    found = meaning(run_type="tool", name="w", inputs={"input": "{'city': 'Patiala'}"}, outputs={"output": message})
    assert found.tool
    assert (found.tool.name, found.tool.call_id) == ("w", "call_1")
    assert (found.tool.arguments, found.tool.result) == ({"city": "Patiala"}, {"temp_c": 31})


def test_a_tool_of_the_ai_sdk_has_its_arguments_and_its_call() -> None:
    """`wrapAISDK` records both arguments of the function that runs it."""
    given = {"args": [{"city": "Patiala"}, {"toolCallId": "call_1", "messages": []}]}
    found = meaning(run_type="tool", name="w", inputs=given, outputs={"temp_c": 31})
    assert found.tool
    assert (found.tool.call_id, found.tool.arguments) == ("call_1", {"city": "Patiala"})


def test_camel_case_metadata_says_whose_it_is() -> None:
    """As Mastra writes it."""
    found = meaning(run_type="chain", extra={"metadata": {"sessionId": "s", "userId": "u", "plan": "pro"}})
    assert (found.session_id, found.user_id) == ("s", "u")


def test_a_retriever_has_its_query_and_documents() -> None:
    hits = [{"page_content": "a", "metadata": {"score": 0.5, "source": "x"}, "type": "Document"}, {"page_content": "b"}]
    found = meaning(run_type="retriever", inputs={"query": "why"}, outputs={"documents": hits})
    assert found.input
    assert found.input.value == "why"
    assert [(d.content, d.score, d.rank) for d in found.documents] == [("a", 0.5, 0), ("b", None, 1)]


def test_anthropics_cache_writes_and_a_reported_cost_are_read() -> None:
    usage = {"input_tokens": 100, "output_tokens": 5, "input_token_details":
             {"cache_read": 60, "ephemeral_5m_input_tokens": 20}, "total_cost": 0.002}  # fmt: skip
    found = meaning(run_type="llm", outputs={"role": "assistant", "content": "hi", "usage_metadata": usage})
    assert found.usage
    assert (found.usage.cache_read_tokens, found.usage.cache_write_tokens) == (60, 20)
    assert (found.usage.input_tokens, found.cost_nanousd) == (100, 2_000_000)


def test_metadata_keeps_what_is_the_users_own() -> None:
    metadata = {"thread_id": "t", "user_id": "u", "plan": "pro", "ls_method": "traceable", "LANGSMITH_PROJECT": "p",
                "revision_id": "v7", "lc_hub_repo": "greeting", "lc_hub_owner": "-",
                "lc_hub_commit_hash": "9f"}  # fmt: skip
    found = meaning(extra={"metadata": metadata})
    assert (found.session_id, found.user_id, found.metadata, found.release) == ("t", "u", {"plan": "pro"}, "v7")
    assert (found.prompt_name, found.prompt_version) == ("greeting", "9f")


def test_one_bad_run_leaves_the_others() -> None:
    body = {"post": [run(), {"name": "no id"}, 7, run(id="")], "patch": None}
    batch = langsmith.decode_batch(json.dumps(body).encode())
    assert [part.name for part in batch.parts] == ["agent"]
    assert sum(one.count for one in batch.refused) == 3
    torn = langsmith.decode_multipart(form((f"post.{ROOT}", run()), ("post.x", b"{"), ("odd", {})), FORM)
    assert {one.reason.partition(":")[0] for one in torn.refused} >= {
        "a part of a form that is no run, feedback or attachment", "run that is not JSON",
    }  # fmt: skip


def test_bodies_that_are_none_are_turned_away() -> None:
    with pytest.raises(DecodeError, match="not JSON"):
        langsmith.decode_batch(b"{")
    with pytest.raises(DecodeError, match="object was expected"):
        langsmith.decode_batch(b"[]")
    with pytest.raises(DecodeError, match="is a list of runs"):
        langsmith.decode_batch(b'{"post": {}}')
    with pytest.raises(UnsupportedMedia):
        langsmith.decode_multipart(b"{}", "application/json")
    with pytest.raises(DecodeError, match="no boundary"):
        langsmith.decode_multipart(b"", "multipart/form-data")
    with pytest.raises(DecodeError, match="never has the boundary"):
        langsmith.decode_multipart(b"hello", FORM)
    with pytest.raises(DecodeError, match="cut short"):
        langsmith.decode_multipart(form((f"post.{ROOT}", run()))[:-60], FORM)
    with pytest.raises(DecodeError, match="neither"):
        langsmith.decode_multipart(form((f"post.{ROOT}", run()), end="?!"), FORM)
    with pytest.raises(TooLarge):
        langsmith.decode_batch(json.dumps({"post": [run()] * 3}).encode(), Limits(spans=2))


def test_feedback_is_a_number_a_truth_or_a_label() -> None:
    def score(**fields: Any) -> tuple[Any, ...]:
        body = {"id": "f1", "key": "k", "run_id": CHILD, "created_at": "2026-11-21T02:23:47+00:00", **fields}
        (found,) = langsmith.decode_feedback(json.dumps(body).encode()).scores
        return found.value, found.label, found.data_type

    assert score(score=0.5) == (0.5, None, "numeric")
    assert score(score=True) == (1.0, None, "boolean")
    assert score(value="good") == (None, "good", "categorical")
    assert score(value={"a": 1}) == (None, '{"a":1}', "categorical")
    assert score(comment="hm") == (None, "", "categorical")
    with pytest.raises(DecodeError, match="no key"):
        langsmith.decode_feedback(b'{"id": "f", "run_id": "x"}')
    with pytest.raises(DecodeError, match="no run"):
        langsmith.decode_feedback(b'{"id": "f", "key": "k"}')


def test_feedback_without_a_trace_is_that_of_its_run() -> None:
    body = json.dumps({"id": "f1", "key": "k", "run_id": CHILD, "score": 1}).encode()
    assert langsmith.decode_feedback(body).scores[0].trace_id == CHILD.replace("-", "")
    (known,) = langsmith.decode_feedback(body, whose={CHILD: "ab" * 16}.get).scores
    assert (known.trace_id, known.span_id) == ("ab" * 16, run_span_id(CHILD))


@pytest.mark.parametrize(
    ("value", "nanoseconds"),
    [
        ("2026-11-21T02:23:47.361363+00:00", 1795227827361363000),
        ("2026-11-21T02:23:47.361363Z", 1795227827361363000),
        ("2026-11-21 04:23:47.361363123+02:00", 1795227827361363123),
        ("2026-11-21T02:23:47", 1795227827000000000),
        (1795227827361, 1795227827361000000),
        (1795227827.5, 1795227827500000000),
        ("soon", None), (None, None), (True, None), ("2026-13-01T00:00:00", None), (float("nan"), None), (-1, None),
    ],
)  # fmt: skip
def test_moments_are_read_in_every_spelling(value: Any, nanoseconds: int | None) -> None:
    assert time_ns(value) == nanoseconds
    if nanoseconds is not None:
        assert time_ns(iso(nanoseconds)) == nanoseconds // 1000 * 1000


@pytest.mark.parametrize("capture", ["redacted", "metadata"])
def test_without_contents_a_run_still_says_what_it_was_and_cost(capture: str, tmp_path: Path) -> None:
    secret = "nobody may read this"
    body = run(
        run_type="llm", end_time="2026-11-21T02:23:48+00:00", tags=["demo"], error=f"ValueError('{secret}')",
        inputs={"messages": [{"role": "user", "content": secret}], "model": "gpt-4o-mini"},
        outputs={"choices": [{"message": {"role": "assistant", "content": secret}, "finish_reason": "stop"}],
                 "model": "gpt-4o-mini-2024-07-18", "usage": {"prompt_tokens": 11, "completion_tokens": 3}},
        extra={"metadata": {"thread_id": "t-1", "ls_provider": "openai", "ls_model_name": "gpt-4o-mini"}},
    )  # fmt: skip
    policy = Policy(Settings(db=tmp_path / "t.db", capture_content=capture), key=lambda: b"k" * 32)
    part = policy.part(decoded(("post", body))[0])
    found = conventions.read(part)
    assert secret not in repr(part) + repr(found)
    assert (found.kind, found.model, found.provider) == ("llm", "gpt-4o-mini-2024-07-18", "openai")
    assert (found.session_id, found.tags, found.error_type) == ("t-1", ("demo",), "ValueError")
    assert found.usage == Usage(11, 3)
    assert found.finish_reasons == ("stop",)


def test_no_attribute_of_a_run_is_unknown_to_the_conventions() -> None:
    (part,) = decoded(("post", run(inputs={"a": 1}, extra={"metadata": {"x": 1}, "odd": 2}, reference_example_id="e")))
    assert {key for key in part.attributes if not is_known(key)} == set()


def of_litellm(outputs: dict[str, Any], **said: Any) -> Reading:
    """A run of LiteLLM 1.106's callback "langsmith", as its proxy sent it, without what nothing is read from."""
    asked = {"session_id": "s-1", "trace_user_id": "u-1", "tags": ["demo"]}
    payload = {
        "litellm_call_id": "f71cace2", "session_id": "", "call_type": "acompletion", "stream": True,
        "custom_llm_provider": "anthropic", "model": "anthropic/claude-sonnet-4-5", "model_group": "claude",
        "startTime": 1795293784.25, "completionStartTime": 1795293784.75, "end_user": "u-2",
        "metadata": {"user_api_key_hash": "master", "requester_metadata": asked},
        "messages": [{"role": "user", "content": "hi"}], "model_parameters": {"temperature": 0.2, "stream": True},
        **said,
    }  # fmt: skip
    return meaning(name="LLMRun", run_type="llm", inputs=payload, outputs=outputs)


def test_a_call_through_litellm_is_read_out_of_all_that_litellm_says() -> None:
    reading = of_litellm({
        "id": "chatcmpl-1", "model": "claude", "object": "chat.completion",
        "choices": [{"finish_reason": "stop", "index": 0, "message": {"role": "assistant", "content": "Sunny."}}],
        "usage": {"prompt_tokens": 101, "completion_tokens": 53, "completion_tokens_details": {"reasoning_tokens": 16},
                  "prompt_tokens_details": {"cached_tokens": 8}},
        "usage_metadata": {"input_tokens": 101, "output_tokens": 53, "total_tokens": 154, "total_cost": 0.5},
    })  # fmt: skip
    assert (reading.kind, reading.request_model, reading.model) == ("llm", "claude", "claude-sonnet-4-5")
    assert (reading.provider, reading.session_id, reading.user_id) == ("anthropic", "s-1", "u-1")
    assert reading.usage == Usage(101, 53, cache_read_tokens=8, reasoning_tokens=16)
    assert (reading.cost_nanousd, reading.ttft_ns) == (500_000_000, 500_000_000)
    assert reading.params == {"temperature": 0.2, "stream": True}
    assert reading.input is not None
    assert [m.role for m in reading.input.messages] == ["user"]


@pytest.mark.parametrize(("trace", "session"), [("s-5", "s-5"), ("650fc91b-a83b-4383-b177-b1190c6ef496", None)])
def test_litellm_calls_the_session_of_a_program_its_trace(trace: str, session: str | None) -> None:
    assert of_litellm({}, metadata={"requester_metadata": {}}, trace_id=trace).session_id == session


def test_an_embedding_through_litellm_is_no_call_of_a_model() -> None:
    reading = of_litellm(
        {"model": "emb", "data": [{"embedding": [0.1, 0.2]}], "usage_metadata": {"input_tokens": 3}},
        call_type="aembedding", custom_llm_provider="openai", model="openai/text-embedding-3-small",
        model_group="emb", model_parameters={}, stream=None,
    )  # fmt: skip
    assert (reading.kind, reading.request_model, reading.model) == ("embedding", "emb", "text-embedding-3-small")
    assert reading.input is not None
    assert reading.input.value == ["hi"]
    assert reading.output is not None
    assert reading.output.value == {"dimensions": 2, "count": 1}
    assert reading.ttft_ns is None


@pytest.mark.parametrize(
    "error",
    [
        "GraphInterrupt((Interrupt(value={'question': 'send it?'}, id='5'),))Traceback (most recent call last):\n  x",
        'GraphInterrupt: [{"value": "send it?"}]\n    at interrupt (file:///app/node_modules/x.js:1:1)',
        "ParentCommand(Command(graph='__parent__', goto='other'))",
    ],
)
def test_a_graph_that_waits_for_a_person_has_not_failed(error: str) -> None:
    (part,) = decoded(("post", run(error=error, end_time="2026-11-21T02:23:48+00:00")))
    assert (part.status, part.status_message) == (None, None)
    assert part.attributes["langsmith.run.error"] == error
    assert [event.attributes["exception.type"] for event in part.events] == [error.split("(")[0].split(":")[0]]
    (failed,) = decoded(("post", run(error="ValueError('no such city')")))
    assert failed.status == "error"
