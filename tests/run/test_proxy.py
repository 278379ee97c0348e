"""`--proxy`: the command's LLM clients go through our proxy, to where they went before."""

from __future__ import annotations

from pathlib import Path

from collector.receiver.status import Status
from tests.run.running import environment, program, run
from tests.sdk.clients.said_by_openai import completion
from tests.sdk.clients.server import Reply, Server
from tracetui.run.proxied import lead_through

HERE = Status("0.1.0", 41, http_port=4320)
ASKS = """
from openai import OpenAI
with OpenAI() as client:
    said = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}])
print(said.choices[0].message.content)
"""


def test_a_base_url_of_the_users_is_the_upstream_of_the_run(tmp_path: Path) -> None:
    with Server() as model:
        model.says(Reply(completion()))
        env = environment(tmp_path, OPENAI_BASE_URL=f"{model.url}/deep/v1", OPENAI_API_KEY="none")
        done = run(tmp_path, "--proxy", "--", *program(tmp_path, ASKS), env=env)
        assert (done.returncode, done.stdout) == (0, "Hi there\n"), done.stderr
        assert model.asked[0][0] == "/deep/v1/chat/completions"
    assert "1 trace, 1 span" in done.stderr  # of this run


def test_without_one_it_is_the_makers() -> None:
    env: dict[str, str] = {}
    assert lead_through(env, HERE, "r1", joined=True, token=None) == []
    assert env["OPENAI_BASE_URL"] == "http://127.0.0.1:4320/proxy/openai@r1/v1"
    assert env["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:4320/proxy/anthropic@r1"


def test_what_a_joined_collector_does_not_know_stays() -> None:
    env = {"OPENAI_BASE_URL": "http://gpu:9/v1"}
    [said] = lead_through(env, HERE, "r1", joined=True, token=None)
    assert env["OPENAI_BASE_URL"] == "http://gpu:9/v1"
    assert said.startswith("OPENAI_BASE_URL is set")
