"""Which attributes hold ids, models, names and numbers, and which hold a secret by their name alone.

In an exempt attribute only what cannot be anything else is redacted (key formats, tokens, URL passwords); card
numbers and personal data are not looked for: a 16-digit id is no card.
"""

from __future__ import annotations

EXEMPT = frozenset(
    """
    id ids name model provider system operation type kind role version release environment level currency
    gen_ai.system gen_ai.provider.name gen_ai.operation.name gen_ai.request.model gen_ai.response.model
    gen_ai.response.id gen_ai.conversation.id gen_ai.agent.id gen_ai.agent.name gen_ai.tool.name gen_ai.tool.type
    gen_ai.tool.call.id gen_ai.output.type gen_ai.data_source.id gen_ai.response.finish_reasons
    gen_ai.openai.request.service_tier gen_ai.openai.response.service_tier gen_ai.openai.response.system_fingerprint
    llm.model_name llm.provider llm.system llm.request.type llm.response.model embedding.model_name
    reranker.model_name openinference.span.kind traceloop.span.kind traceloop.entity.name traceloop.entity.version
    traceloop.workflow.name tool.name tool_call.function.name tool_call.id prompt.id session.id user.id
    langfuse.observation.type langfuse.observation.level langfuse.observation.model.name langfuse.release
    langfuse.environment langfuse.trace.name service.name service.version service.namespace service.instance.id
    host.name host.id host.arch os.type os.version process.pid process.runtime.name process.runtime.version
    telemetry.sdk.name telemetry.sdk.version telemetry.sdk.language telemetry.distro.name telemetry.distro.version
    deployment.environment deployment.environment.name cloud.region cloud.provider cloud.account.id
    k8s.pod.name k8s.pod.uid container.id thread.id thread.name code.filepath code.function code.lineno code.namespace
    server.address server.port http.request.method http.response.status_code rpc.method rpc.service
    exception.type error.type event.name event.timestamp trace_id span_id parent_span_id session_id user_id
    call_id tool_call_id response_id request_id thread_id conversation_id run_id message_id created created_at
    start_time end_time timestamp completion_start_time system_fingerprint service_tier object mime_type file_id
    """.split()
)

EXEMPT_ENDINGS = (
    ".id", ".ids", "_id", "_ids", "Id", ".uuid", "_uuid", ".name", "_name", ".model", "_model", ".version", "_version",
    ".type", ".kind", ".role", "_at", ".timestamp", "_time", "_tokens", "_ms", "_ns", "_seconds", ".count", "_count",
    ".hash", ".sha", ".sha256", ".fingerprint",
)  # fmt: skip

SECRET_ENDINGS = (
    "authorization", "api_key", "api-key", "apikey", "access_token", "refresh_token", "auth_token", "auth-token",
    "client_secret", "secret_key", "secret_access_key", "private_key", "api_token", "bot_token", "session_token",
    "account_key", "accountkey", "accesskey", "secretaccesskey", "sessiontoken",
)  # fmt: skip
"""A dict key that ends so holds a secret, if its value is long enough to be one."""

PASSWORD_ENDINGS = ("password", "passwd", "passphrase")
"""A dict key that ends so holds a password, however short."""


def is_exempt(key: str) -> bool:
    """True for a key whose value is an id, a model, a name, a number or a time."""
    return key in EXEMPT or key.endswith(EXEMPT_ENDINGS)


def is_secret(key: str) -> bool:
    """True for a key that announces a secret, whatever the secret looks like."""
    return key.lower().endswith(SECRET_ENDINGS)


def is_password(key: str) -> bool:
    """True for a key that announces a password."""
    return key.lower().endswith(PASSWORD_ENDINGS)
