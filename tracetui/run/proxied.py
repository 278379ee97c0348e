"""`--proxy`: the variables that lead LLM clients through our proxy, and the upstreams behind it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from collector.receiver.status import Status

VARIABLES = {
    "OPENAI_BASE_URL": ("openai", "/v1"),
    "OPENAI_API_BASE": ("openai", "/v1"),
    "ANTHROPIC_BASE_URL": ("anthropic", ""),
}
"""Name of the built-in upstream, and what its clients expect behind it."""


def own_upstreams(env: Mapping[str, str]) -> dict[str, str]:
    """A base URL that the user had is the upstream of this run, under a name of its own."""
    said = {name: env.get(name, "").strip().rstrip("/") for name in VARIABLES}
    return {_named(name): url for name, url in said.items() if url.startswith(("http://", "https://"))}


def lead_through(env: dict[str, str], status: Status, run: str, *, joined: bool, token: str | None) -> list[str]:
    """Set the variables; sentences about what stays as it was."""
    if token:
        return ["--proxy cannot hand the token to LLM clients; docs/clients/proxy.md says how a program sends it"]
    own, talk = own_upstreams(env), []
    for name, (builtin, rest) in VARIABLES.items():
        if _named(name) not in own:
            env[name] = f"{status.url}/proxy/{builtin}@{run}{rest}"
        elif joined:
            talk.append(f"{name} is set, and the collector that was joined does not know it; it stays as it is")
        else:
            env[name] = f"{status.url}/proxy/{_named(name)}@{run}"
    return talk


def _named(variable: str) -> str:
    return variable.lower().replace("_", "-")
