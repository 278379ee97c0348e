"""The program that is traced while it is measured: one process, one SDK, nothing else loaded.

`python sdk_subjects.py SDK SCENE` prints what it measured as one line of JSON. SDKs are used as their own
documentation shows them, with the defaults they come with. Imports nothing but the SDK and the standard library.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from statistics import mean, median
from typing import Any

SINK = os.environ.get("BENCH_SINK", "")
KEY = "bench-0123456789abcdef"
Function = Callable[..., Any]
Traced = tuple[Function, Function, Callable[[], object]]
"""A traced function of two scalars, one of a list of messages, and what waits until all is sent."""


def plain(number: int, word: str) -> int:
    return number


def ask(messages: list[dict[str, str]]) -> str:
    return "yes"


def nothing() -> Traced:
    return plain, ask, lambda: None


def tracetui() -> Traced:
    from collector import flush, observe

    return observe(plain), observe(kind="llm")(ask), lambda: flush(600)


def opentelemetry() -> Traced:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{SINK}/v1/traces")))
    tracer = provider.get_tracer("bench")

    def one(number: int, word: str) -> int:
        with tracer.start_as_current_span("plain", attributes={"number": number, "word": word}) as span:
            span.set_attribute("output", number)
            return number

    def two(messages: list[dict[str, str]]) -> str:
        with tracer.start_as_current_span("ask") as span:  # as OpenTelemetry's instrumentations keep a history
            span.set_attribute("gen_ai.input.messages", json.dumps(messages))
            span.set_attribute("gen_ai.output.messages", '"yes"')
            return "yes"

    return one, two, provider.force_flush


def logfire() -> Traced:
    import logfire as library

    advanced = library.AdvancedOptions(base_url=SINK)
    library.configure(token=KEY, console=False, inspect_arguments=False, advanced=advanced)
    instrument = library.instrument(record_return=True)
    return instrument(plain), instrument(ask), lambda: library.force_flush(600_000)


def langfuse() -> Traced:
    from langfuse import Langfuse, get_client, observe

    Langfuse(public_key=KEY, secret_key=KEY, host=SINK)
    return observe(plain), observe(as_type="generation")(ask), get_client().flush


def langsmith() -> Traced:
    os.environ.update(LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT=SINK, LANGSMITH_API_KEY=KEY)
    from langsmith import Client, traceable

    client = Client()
    traced = traceable(client=client)
    return traced(plain), traceable(run_type="llm", client=client)(ask), client.flush


SDKS: dict[str, Callable[[], Traced]] = {
    "nothing": nothing, "tracetui": tracetui, "opentelemetry-sdk": opentelemetry, "logfire": logfire,
    "langfuse": langfuse, "langsmith": langsmith,
}  # fmt: skip


def resident_mb() -> float:
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def timed(calls: int, call: Callable[[int], object], pause_s: float = 0.0) -> list[int]:
    """Nanoseconds of each call; with a pause, calls begin that far apart."""
    took = []
    clock, due = time.perf_counter_ns, time.monotonic()
    for number in range(calls):
        began = clock()
        call(number)
        took.append(clock() - began)
        if pause_s:
            due += pause_s
            time.sleep(max(0.0, due - time.monotonic()))
    return took


def spans(traced: Traced, calls: int, per_s: float) -> dict[str, float]:
    """Calls at once, or so many a second: what each cost its caller, and all of it the processor."""
    one, _, flush = traced
    one(0, "warm")
    flush()
    used, began = time.process_time(), time.monotonic()
    took = timed(calls, lambda number: one(number, "hello"), 1 / per_s if per_s else 0.0)
    made_s = time.monotonic() - began
    flush()
    return {
        "p50_us": median(took) / 1e3, "mean_us": mean(took) / 1e3, "made_s": made_s, "asked": calls + 1,
        "cpu_us": (time.process_time() - used) / calls * 1e6, "settled_s": time.monotonic() - began,
    }  # fmt: skip


def history(traced: Traced, calls: int, messages: int) -> dict[str, float]:
    """A chat of so many messages of 500 characters, given to a traced function again and again, one longer each time:
    an agent's loop."""
    _, two, flush = traced
    said = [{"role": ("user", "assistant")[n % 2], "content": f"{n} " + "lorem ipsum " * 41} for n in range(messages)]
    two(said)
    flush()
    used = time.process_time()
    took = []
    for number in range(calls):
        said.append({"role": "user", "content": f"{messages + number} " + "dolor sit amet " * 33})
        began = time.perf_counter_ns()
        two(said)
        took.append(time.perf_counter_ns() - began)
        time.sleep(0.02)  # a model would take longer
    flush()
    used = (time.process_time() - used) / calls * 1e6
    return {"p50_us": median(took) / 1e3, "mean_us": mean(took) / 1e3, "cpu_us": used, "asked": calls + 1}


def leave(traced: Traced, calls: int) -> dict[str, float]:
    """Calls at once, then the end of the program: whoever started us knows when it is over."""
    one, _, _ = traced
    timed(calls, lambda number: one(number, "hello"))
    return {"asked": calls, "left_at": time.time()}


def overload(traced: Traced, seconds: float) -> dict[str, float]:
    """Calls as fast as they go for so long, and the memory of the process meanwhile."""
    one, _, _ = traced
    made, sizes, until = 0, [], time.monotonic() + seconds
    due = time.monotonic()
    while (now := time.monotonic()) < until:
        for number in range(200):
            one(number, "hello")
        made += 200
        if now >= due:
            sizes.append(resident_mb())
            due = now + seconds / 60
    third = len(sizes) // 3
    return {
        "asked": made, "first_mb": sizes[0], "middle_mb": max(sizes[third : 2 * third]),
        "last_mb": max(sizes[2 * third :]), "left_at": time.time(),
    }  # fmt: skip


def play(sdk: str, scene: str, arguments: list[float]) -> None:
    traced = SDKS[sdk]()
    scenes: dict[str, Callable[..., dict[str, float]]] = {
        "spans": lambda calls, per_s: spans(traced, int(calls), per_s),
        "history": lambda calls, messages: history(traced, int(calls), int(messages)),
        "leave": lambda calls: leave(traced, int(calls)),
        "overload": lambda seconds: overload(traced, seconds),
    }
    print(json.dumps(scenes[scene](*arguments)), flush=True)


if __name__ == "__main__":
    play(sys.argv[1], sys.argv[2], [float(argument) for argument in sys.argv[3:]])
