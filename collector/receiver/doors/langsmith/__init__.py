"""LangSmith's API, as far as its SDKs (Python, JavaScript) and LangChain's tracer need it to start and to work.

    LANGSMITH_ENDPOINT=http://127.0.0.1:4318     (or with /api or /api/v1 behind it; LANGCHAIN_ENDPOINT is the same)

Runs and feedback in (`writes`, `tokens`) and out (`reads`, `stats`, `v2`, `threads`), projects, datasets and examples
both ways (`kept`, `splits`, `versions`, `tables`, `compare`), prompts too (`hub`). What the SDKs can ask and is not
here says so (`absent`).
Ways answer under the prefixes that the SDKs put before them. An error is {"detail": "one sentence"}.
"""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response

from collector.receiver.answers import json_response
from collector.receiver.call import Call, Door, Way
from collector.receiver.doors.langsmith import (
    absent,
    compare,
    hub,
    kept,
    reads,
    splits,
    stats,
    tables,
    threads,
    tokens,
    v2,
    versions,
    writes,
)

PREFIXES = ("", "/api/v1", "/api")
PLATFORM = ("/v1/platform", "/platform", "/api/v1/platform")


def fail(call: Call, status: int, message: str) -> Response:
    """An error as LangSmith words it. What is not here will not be here the next moment either: the newer half of the
    SDK sends whatever is answered with 5xx again, but for this header."""
    answer = json_response({"detail": message}, status)
    if status == 501:
        answer.headers["x-should-retry"] = "false"
    return answer


def _ways() -> Iterator[Way]:
    every = (
        *writes.WAYS, *tables.WAYS, *stats.WAYS, *tokens.WAYS, *absent.WAYS, *compare.WAYS, *versions.WAYS,
        *splits.WAYS, *reads.WAYS, *kept.WAYS, *hub.WAYS,
    )  # fmt: skip
    for prefix in PREFIXES:
        for methods, path, answer in every:
            yield Way(methods, prefix + path, answer)
    for prefix in PLATFORM:
        for methods, path, answer in (*splits.PLATFORM_WAYS, *kept.PLATFORM_WAYS, *absent.PLATFORM_WAYS):
            yield Way(methods, prefix + path, answer)
    for methods, path, answer in (*threads.WAYS, *v2.WAYS, *absent.V2_WAYS):
        yield Way(methods, f"/api/v2{path}", answer)
        yield Way(methods, f"/v2{path}", answer)


DOOR = Door("langsmith", tuple(_ways()), fail=fail)
