"""Session, user, tags, model and provider out of metadata, where applications put them for want of a better place."""

from __future__ import annotations

from collections.abc import Mapping

from collector.conventions.found import Found
from collector.conventions.values import text
from collector.model import Value

_SESSION = ("session_id", "sessionId", "session.id", "thread_id", "threadId", "conversation_id", "conversationId",
            "chat_id", "chatId")  # fmt: skip
_USER = ("user_id", "userId", "user.id")


def identity(found: Found, given: Mapping[str, Value]) -> None:
    """Take from metadata what nothing else said: whose span it is, and LangChain's `ls_*` names of a call."""
    texts = found.texts
    for field, keys in (("session_id", _SESSION), ("user_id", _USER)):
        if field not in texts:
            for key in keys:
                said = text(given[key]) if key in given else None
                if said is not None:
                    texts[field] = said
                    break
    if "tags" in given and "tags" not in found.slots:
        found.slots["tags"] = given["tags"]
    if "ls_provider" in given or "ls_model_name" in given:
        _langchain(found, given)


def _langchain(found: Found, given: Mapping[str, Value]) -> None:
    """https://docs.langchain.com/langsmith/log-llm-trace: metadata of a model's run."""
    for field, key in (("provider", "ls_provider"), ("request_model", "ls_model_name")):
        said = text(given.get(key))
        if said is not None:
            found.texts.setdefault(field, said)
    for key in ("ls_temperature", "ls_max_tokens", "ls_stop"):
        if given.get(key) is not None:
            found.params.setdefault(key[3:], given[key])
