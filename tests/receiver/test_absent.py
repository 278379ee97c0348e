"""What a client's API has and nothing here stands for is turned away with a sentence, and counted where it was sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.receiver.running import running, settings_for


@pytest.mark.parametrize(
    ("door", "path", "words"),
    [
        ("langsmith", "/annotation-queues", {"detail": "tracetui has no annotation queues; "
         "give feedback to the runs, or put them into a dataset"}),
        ("langfuse", "/api/public/annotation-queues", {"message": "tracetui keeps no annotation queues; "
         "nothing was stored", "error": "NotImplementedError"}),
    ],
)  # fmt: skip
def test_what_is_sent_to_what_is_not_here_is_in_the_ledger(
    tmp_path: Path, door: str, path: str, words: dict[str, str]
) -> None:
    with running(settings_for(tmp_path), real=True) as up:
        for method in ("GET", "POST"):
            answer = up.client.request(method, path, **({"json": {}} if method == "POST" else {}))
            assert (answer.status_code, answer.json()) == (405 if door == "langfuse" else 501, words)
        sources = up.client.get("/v1/status").json()["sources"]
    (row,) = [one for one in sources if one["source"] == door]
    assert [(one["reason"], one["count"]) for one in row["reasons"]] == [("of a kind that is not kept here", 1)]
