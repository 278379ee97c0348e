"""LiteLLM's callbacks, of the library and of its proxy."""

from __future__ import annotations

from collector.conventions.counting import from_details
from collector.conventions.found import Convention, Found
from collector.conventions.identity import identity
from collector.conventions.names import OPERATIONS
from collector.conventions.values import pythonic, text
from collector.model import SpanPart

_USER = ("user_api_key_end_user_id", "user_api_key_user_id")
_NOBODY = "default_user_id"
"""Who asks with the proxy's own key."""


def _prepare(found: Found, part: SpanPart) -> None:
    usage = pythonic(found.meta.pop("usage_object", None))
    if isinstance(usage, dict) and found.counts:
        for name, count in from_details(usage).items():
            found.counts.setdefault(name, count)
    if (failed := text(found.slots.get("litellm.exception"))) is not None:
        found.texts.setdefault("status_message", failed)
    _asked(found)
    if found.texts.get("user_id") == _NOBODY:
        del found.texts["user_id"]
    for key in _USER:
        user = text(found.meta.get(key))
        if user is not None and user != _NOBODY:
            found.texts.setdefault("user_id", user)
    for key in [key for key, value in found.meta.items() if value in ("[]", "{}", "None")]:
        del found.meta[key]
    _called(found)
    vectors = found.lists.get("litellm.vectors")
    if vectors:
        found.slots.setdefault("vectors", [one.get("") for one in vectors.values()])


def _asked(found: Found) -> None:
    """A request to the proxy names its session, user and tags in `metadata`, as for LiteLLM's Langfuse callback."""
    sent = pythonic(found.meta.get("requester_metadata"))
    if not isinstance(sent, dict):
        return
    for field, key in (("user_id", "trace_user_id"), ("trace_name", "trace_name")):
        if (said := text(sent.get(key))) is not None:
            found.texts.setdefault(field, said)
    identity(found, sent)


def _called(found: Found) -> None:
    """The kind of "aembedding"; and the proxy's own name of a model, which it gives as the answering one."""
    slots, texts = found.slots, found.texts
    kind = OPERATIONS.get(texts.get("operation", "").removeprefix("a"))
    if kind is not None:
        slots.setdefault("kind", kind)
    provider, _, deployed = (text(slots.get("litellm.model")) or "").partition("/")
    if deployed:
        texts.setdefault("provider", provider)
        group = text(slots.get("litellm.group"))
        if group is not None and group != deployed and texts.get("model") == group:
            texts["request_model"], texts["model"] = group, deployed


def of_langfuse(found: Found, name: str) -> None:
    """What its callback "langfuse" sends: a generation, whatever was called, with the rest in the metadata."""
    slots, texts = found.slots, found.texts
    kind = OPERATIONS.get(name.removeprefix("litellm-").removeprefix("a"))
    if kind is not None and name.startswith("litellm-"):
        slots["kind"] = kind
    provider, _, model = texts.get("model", "").partition("/")
    if model:
        texts["model"] = model
        texts.setdefault("provider", provider)
    if (answer := text(found.meta.get("response_id"))) is not None:
        texts.setdefault("response_id", answer)
    usage = found.meta.get("usage_object")
    for field, count in from_details(usage if isinstance(usage, dict) else {}).items():
        found.counts.setdefault(field, count)
    if not found.params.get("stream"):
        slots.pop("ttft_ns", None)  # the time of the whole answer


_RAW = tuple(
    f"llm.{name}."
    for name in "None openai anthropic azure azure_ai bedrock cohere deepseek fireworks_ai gemini groq hosted_vllm"
    " huggingface mistral ollama openrouter perplexity together_ai vertex_ai xai".split()
)
"""How the keys of `raw_gen_ai_request` begin: the provider's own request and answer."""

LITELLM = Convention(
    "litellm",
    own=("hidden_params", "litellm.", *_RAW),
    slots={
        "cost": "gen_ai.cost.total_cost",
        "cost_in": "gen_ai.cost.input_cost",
        "cost_out": "gen_ai.cost.output_cost",
        "user_id": "llm.user",
        "project": "metadata.user_api_key_project_alias",
        "litellm.group": "litellm.model_group",
        "litellm.model": "litellm.provider.model",
        "litellm.exception": "exception",
    },
    meta=("metadata.",),
    heard=" ".join(_RAW) + " gen_ai.cost. hidden_params error.code error.stack_trace error.llm_provider"
    " gen_ai.framework llm.is_streaming litellm.call_id litellm.provider. litellm.preprocessing."
    " litellm.trace_id call_type llm.request.temperature llm.request.max_tokens llm.response.cost",
    scopes=("litellm",),
    prepare=_prepare,
)
