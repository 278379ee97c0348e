"""Client libraries, wired to the SDK as they are imported. Nothing that somebody else traces is traced again."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

CLIENTS = {
    "openai": ("wrap_openai", ("OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI")),
    "anthropic": (
        "wrap_anthropic",
        ("Anthropic", "AsyncAnthropic", "AnthropicBedrock", "AsyncAnthropicBedrock", "AnthropicVertex",
         "AsyncAnthropicVertex"),
    ),
}  # fmt: skip
METHODS = {
    "openai": ("resources.chat.completions.Completions.create", "OpenAI.request", "AsyncOpenAI.request"),
    "anthropic": ("resources.messages.Messages.create", "Anthropic.request", "AsyncAnthropic.request"),
}
"""What others patch: their presence there is how we know of them."""
INSTRUMENTORS = {
    "openai": (
        ("opentelemetry.instrumentation.openai_v2", "OpenAIInstrumentor"),
        ("opentelemetry.instrumentation.openai", "OpenAIInstrumentor"),
        ("openinference.instrumentation.openai", "OpenAIInstrumentor"),
        ("langfuse.openai", ""),
    ),
    "anthropic": (
        ("opentelemetry.instrumentation.anthropic", "AnthropicInstrumentor"),
        ("openinference.instrumentation.anthropic", "AnthropicInstrumentor"),
    ),
    "langchain_core": (
        ("opentelemetry.instrumentation.langchain", "LangchainInstrumentor"),
        ("openinference.instrumentation.langchain", "LangChainInstrumentor"),
    ),
}
"""Modules that trace a library once they are used: (module, the class that knows whether it is on)."""

Say = Callable[[str], object]


def wire(name: str, module: ModuleType, say: Say) -> None:
    """Called when a library has been imported, before the program gets it."""
    if name == "langchain_core":
        wire_langchain(say)
        return
    _, classes = CLIENTS[name]
    found = [cls for cls in (getattr(module, one, None) for one in classes) if isinstance(cls, type)]
    for cls in found:
        _listen(name, module, cls, found, say)


def _listen(name: str, module: ModuleType, cls: type, all_of_them: list[type], say: Say) -> None:
    """Wrap every client of a class once it is made."""
    made: Callable[..., None] = vars(cls).get("__init__", cls.__init__)  # type: ignore[misc]

    @functools.wraps(made)
    def make(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        if next((one for one in type(self).__mro__ if one in all_of_them), None) is cls:  # the outermost of them
            _wrap(name, module, self, say)

    make.traced_by_tracetui = True  # type: ignore[attr-defined]
    cls.__init__ = make  # type: ignore[misc]


def _wrap(name: str, module: ModuleType, client: object, say: Say) -> None:
    try:
        if traced_by(name, module) is not None:
            return
        import collector

        wrap: Callable[[Any], object] | None = getattr(collector, CLIENTS[name][0], None)
        if wrap is None:
            say(f"{name} is not traced: this version has no {CLIENTS[name][0]}")
        else:
            wrap(client)
    except Exception as problem:  # noqa: BLE001 - the program is not ours
        say(f"{name} is not traced: {problem!r}")


def traced_by(name: str, module: ModuleType | None = None) -> str | None:
    """Who traces this library already, or None: an instrumentor that is on, or a patch on what it would patch."""
    for place, known_by in INSTRUMENTORS[name]:
        loaded = sys.modules.get(place)
        if loaded is None:
            continue
        kind = getattr(loaded, known_by, None) if known_by else None
        instance = getattr(kind, "_instance", None)  # OpenTelemetry's instrumentors are singletons
        if not known_by or getattr(instance, "_is_instrumented_by_opentelemetry", False):
            return place
    for path in METHODS.get(name, ()):
        target: Any = module
        for step in path.split("."):
            target = getattr(target, step, None)
        wrapper = getattr(target, "_self_wrapper", None)  # as wrapt leaves it
        if wrapper is not None:
            return str(getattr(wrapper, "__module__", "somebody"))
    return None


def wire_langchain(say: Say) -> None:
    """A handler that LangChain adds to every run, in every context, unless one of its kind is there."""
    try:
        handler_class = import_module("collector.langchain").CallbackHandler
    except ImportError:
        say("langchain itself is not traced: this version has no handler for it; the calls of its models are")
        return
    hooks: Any = import_module("langchain_core.tracers.context")
    hooks.register_configure_hook(_Handler(handler_class()), inheritable=True, handle_class=handler_class)


class _Handler:
    """Looks like a ContextVar, of which LangChain asks nothing but `get`. None while somebody else traces it."""

    def __init__(self, handler: object) -> None:
        self._handler = handler

    def get(self) -> object:
        return None if traced_by("langchain_core") is not None else self._handler
