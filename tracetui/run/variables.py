"""The environment of the command: every variable that points common instrumentation at the collector. Pure.

What the user has set and what only shapes the telemetry (samplers, delays, the gRPC protocol) stays. What sends it
elsewhere is turned round for this run, and said: that is what the user asked for. Sources:
opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables and …/protocol/exporter; traceloop-sdk
(TRACELOOP_BASE_URL takes OTLP at {base}/v1/traces); arize-phoenix-otel (an endpoint without a path means gRPC on
PHOENIX_GRPC_PORT); docs/clients/langfuse.md. Langfuse's SDKs fetch prompts and datasets from where they send: who has
set them up keeps that, and is told; so is who has set up LangSmith's (docs/clients/langsmith.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from collector.ids import RUN_ATTRIBUTE
from collector.receiver.status import Status

DELAY_MS = "200"
"""How long exporters may gather spans (usually 5 s): a run should be seen while it runs."""
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
ELSEWHERE = (ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
             "TRACELOOP_BASE_URL", "PHOENIX_COLLECTOR_ENDPOINT", "TRACETUI_URL")  # fmt: skip
FOR_ELSEWHERE = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
                 "TRACELOOP_HEADERS", "PHOENIX_CLIENT_HEADERS")  # fmt: skip
SWITCHED_OFF = {
    "OTEL_SDK_DISABLED": ("true", "no OpenTelemetry SDK records anything"),
    "TRACETUI_DISABLED": ("1 true yes on", "the SDK of tracetui records nothing"),
    "OTEL_TRACES_SAMPLER": ("always_off parentbased_always_off", "OpenTelemetry's spans are sampled out"),
}
LANGFUSE_HOSTS = ("LANGFUSE_BASE_URL", "LANGFUSE_HOST", "LANGFUSE_BASEURL")
LANGFUSE_KEYS = ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY")
LANGSMITH_ON = ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING")
LANGSMITH_SET = ("LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY")
LOGFIRE = ("LOGFIRE_TOKEN", "LOGFIRE_BASE_URL", "LOGFIRE_SEND_TO_LOGFIRE", "LOGFIRE_CREDENTIALS_DIR")
EXPERIMENTAL = "gen_ai_latest_experimental"


@dataclass(slots=True)
class Prepared:
    """The environment, and sentences for the user about what was found in theirs."""

    env: dict[str, str]
    talk: list[str] = field(default_factory=list)


def prepare(
    env: Mapping[str, str], status: Status, *, db: Path, run: str, token: str | None = None, url: str | None = None
) -> Prepared:
    """`url` is the collector that the SDK would send to by its settings (None: it writes the file itself)."""
    out = Prepared(dict(env))
    _turn_round(out, status)
    _point_here(out, status, db, run, url)
    if token:
        _hand_over(out.env, token, sends=url is not None)
    _langfuse(out, status, token)
    _langsmith(out, status, token)
    _logfire(out.env, status, token)
    _past_proxies(out.env)
    for name, (values, effect) in SWITCHED_OFF.items():
        if env.get(name, "").strip().lower() in values.split():
            out.talk.append(f"{name}={env[name].strip()} is set: {effect}")
    return out


def _turn_round(out: Prepared, status: Status) -> None:
    """Whatever names another place goes, with the keys for it."""
    env = out.env
    for name in ELSEWHERE:
        said = env.pop(name, "").strip()
        if said and not _same_place(said, status):
            out.talk.append(f"{name} points to {_place(said)}; for this run it points here")
    if env.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"):  # these go where they went, with what they need there
        kept = env.get("OTEL_EXPORTER_OTLP_METRICS_HEADERS") or env.get("OTEL_EXPORTER_OTLP_HEADERS")
        if kept:
            env["OTEL_EXPORTER_OTLP_METRICS_HEADERS"] = kept
    for name in FOR_ELSEWHERE:
        env.pop(name, None)
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER"):
        chosen = [one.strip() for one in env.get(name, "").split(",") if one.strip()]
        if chosen and not any(one.startswith("otlp") for one in chosen):
            out.talk.append(f"{name} is {env[name]}; for this run otlp is added")
        if not any(one.startswith("otlp") for one in chosen):
            env[name] = ",".join([*(one for one in chosen if one != "none"), "otlp"])


def _point_here(out: Prepared, status: Status, db: Path, run: str, url: str | None) -> None:
    env = out.env
    env["TRACETUI_DB"], env["TRACETUI_RUN"] = str(db), run
    if url is not None:
        env["TRACETUI_URL"] = status.url
    env[ENDPOINT] = env["TRACELOOP_BASE_URL"] = env["PHOENIX_COLLECTOR_ENDPOINT"] = status.url
    env["PHOENIX_GRPC_PORT"] = str(status.grpc_port)
    env["OTEL_RESOURCE_ATTRIBUTES"] = with_run(env.get("OTEL_RESOURCE_ATTRIBUTES", ""), run)
    content = "SPAN_ONLY" if EXPERIMENTAL in env.get("OTEL_SEMCONV_STABILITY_OPT_IN", "") else "true"
    for name, value in {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_BSP_SCHEDULE_DELAY": DELAY_MS,
        "OTEL_BLRP_SCHEDULE_DELAY": DELAY_MS,
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": content,
    }.items():
        if not env.get(name, "").strip():
            env[name] = value


def with_run(attributes: str, run: str) -> str:
    """OTEL_RESOURCE_ATTRIBUTES (`key=value,…`, values percent-encoded) with the run's name in place of another's."""
    others = [pair.strip() for pair in attributes.split(",") if pair.strip()]
    kept = [pair for pair in others if pair.partition("=")[0].strip() != RUN_ATTRIBUTE]
    return ",".join([*kept, f"{RUN_ATTRIBUTE}={quote(run)}"])


def _hand_over(env: dict[str, str], token: str, *, sends: bool) -> None:
    """The collector wants a token: give it to all who will send."""
    bearer = f"authorization={quote(f'Bearer {token}')}"
    for name in ("OTEL_EXPORTER_OTLP_HEADERS", "TRACELOOP_HEADERS", "PHOENIX_CLIENT_HEADERS"):
        env[name] = bearer
    if sends:
        env["TRACETUI_TOKEN"] = token


def _langfuse(out: Prepared, status: Status, token: str | None) -> None:
    """Without a host or a key, Langfuse's SDKs do nothing: then they may as well send here."""
    env = out.env
    set_up = [name for name in (*LANGFUSE_HOSTS, *LANGFUSE_KEYS) if env.get(name, "").strip()]
    if not set_up:
        env |= dict.fromkeys(LANGFUSE_HOSTS, status.url)
        env |= {LANGFUSE_KEYS[0]: "pk-lf-tracetui", LANGFUSE_KEYS[1]: token or "sk-lf-tracetui"}
        return
    host = env.get(set_up[0], "").strip() if set_up[0] in LANGFUSE_HOSTS else ""
    if not host or not _same_place(host, status):
        where = f"points to {_place(host)}" if host else "is set"
        out.talk.append(
            f"{set_up[0]} {where}: Langfuse's SDK stays there, where its prompts are; "
            f"set {LANGFUSE_HOSTS[0]} to {status.url} to have it here"
        )


def _langsmith(out: Prepared, status: Status, token: str | None) -> None:
    """Who has switched LangSmith's tracing on and named no place for it, has it here; nobody has it switched on."""
    env = out.env
    if not any(env.get(name, "").strip().lower() == "true" for name in LANGSMITH_ON):
        return
    set_up = [name for name in LANGSMITH_SET if env.get(name, "").strip()]
    if not set_up:
        env |= {LANGSMITH_SET[0]: status.url, LANGSMITH_SET[2]: token or "tracetui"}
        return
    host = env.get(set_up[0], "").strip() if "ENDPOINT" in set_up[0] else ""
    if not host or not _same_place(host, status):
        where = f"points to {_place(host)}" if host else "is set"
        out.talk.append(
            f"{set_up[0]} {where}: LangSmith's SDK stays there, where its prompts and datasets are; "
            f"set {LANGSMITH_SET[0]} to {status.url} to have it here"
        )


def _logfire(env: dict[str, str], status: Status, token: str | None) -> None:
    """Only its own way tells what has begun. Who sends to Logfire still does, and over OTLP here what is finished."""
    if not any(env.get(name, "").strip() for name in LOGFIRE):
        env |= {"LOGFIRE_BASE_URL": status.url, "LOGFIRE_TOKEN": token or "tracetui"}


def _past_proxies(env: dict[str, str]) -> None:
    """A proxy cannot reach our loopback: exporters must not ask it."""
    if not any(env.get(name) or env.get(name.lower()) for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")):
        return
    said = env.get("no_proxy") or env.get("NO_PROXY") or ""
    hosts = [host.strip() for host in said.split(",") if host.strip()]
    if "*" not in hosts:
        hosts += [host for host in ("127.0.0.1", "localhost") if host not in hosts]
    env["no_proxy"] = env["NO_PROXY"] = ",".join(hosts)


def _same_place(url: str, status: Status) -> bool:
    try:
        found = urlsplit(url)
        local = found.hostname in ("127.0.0.1", "localhost", "::1", status.host)
        return local and found.port in (status.http_port, status.grpc_port)
    except ValueError:
        return False


def _place(url: str) -> str:
    """Scheme, host and port, without what may be secret."""
    try:
        found = urlsplit(url)
        port = f":{found.port}" if found.port else ""
    except ValueError:
        return "another place"
    return f"{found.scheme}://{found.hostname}{port}" if found.hostname else "another place"
