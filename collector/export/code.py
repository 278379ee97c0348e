"""A call as a program that repeats it: curl, Python, pytest. Keys stay in environment variables.

Whatever was recorded is data here: it stands in a here-document that the shell does not read, or in Python's own
literals. Nothing of it is ever a word of the program.
"""

from __future__ import annotations

import re
from typing import Any

from collector.export.calls import Call
from collector.export.plainly import json_text, line

WIDTH = 100
NAMED = frozenset({"model", "messages", "system", "tools", "max_tokens", "input", "prompt"})


def curl(call: Call) -> str:
    """A command for a POSIX shell."""
    provider = call.provider
    address = f'"${{{provider.base_variable}:-{provider.base}}}{call.path}"'
    headers = ["Content-Type: application/json"]
    if provider.api == "anthropic":
        headers += [f"x-api-key: ${provider.key_variable}", "anthropic-version: 2023-06-01"]
    elif provider.key_variable:
        headers.append(f"Authorization: Bearer ${provider.key_variable}")
    words = [f"curl -sS {address}", *(f'  -H "{header}"' for header in headers), "  --data-binary @- <<'JSON'"]
    doubts = "".join(f"# {line(doubt)}\n" for doubt in call.doubts)
    return doubts + " \\\n".join(words) + "\n" + json_text(call.body) + "\nJSON\n"


def python(call: Call, about: str) -> str:
    """A program for the provider's own client. `about` says in a line which call it repeats."""
    client = "from anthropic import Anthropic" if call.provider.api == "anthropic" else "from openai import OpenAI"
    imports = ["import os", ""] if "os.environ" in "".join(_client(call)) else []
    return "\n".join(
        [
            *_head(call, f"Repeats {line(about)}."), *imports, client, "", *_client(call), "",
            *_request(call), "", f"answer = client.{_method(call)}(**REQUEST, extra_body=PARAMETERS)",
            f"print({_shown(call)})", "",
        ]
    )  # fmt: skip


def pytest(call: Call, about: str) -> str:
    """A test of the same call: it calls the tools that were called then, or answers in the same form."""
    library = "anthropic" if call.provider.api == "anthropic" else "openai"
    made = "Anthropic" if call.provider.api == "anthropic" else "OpenAI"
    key = call.provider.key_variable
    needs = [f'@pytest.mark.skipif("{key}" not in os.environ, reason="{key} is not set")'] if key else []
    return "\n".join(
        [
            *_head(call, f"Asks again what {line(about)} asked."), "import json", "import os", "", "import pytest",
            f"from {library} import {made}", "", *_request(call), *_recorded(call), "",
            "", *needs, f"def test_{_identifier(about)}():", *(f"    {one}" if one else "" for one in _client(call)),
            f"    answer = client.{_method(call)}(**REQUEST, extra_body=PARAMETERS)",
            *(f"    {one}" for one in _checks(call)), "",
        ]
    )  # fmt: skip


def _head(call: Call, title: str) -> list[str]:
    needs = "anthropic" if call.provider.api == "anthropic" else "openai"
    key = f", and {call.provider.key_variable} set" if call.provider.key_variable else ""
    return [f"# {title}", f"# Needs: pip install {needs}{key}.", *(f"# {line(doubt)}" for doubt in call.doubts), ""]


def _client(call: Call) -> list[str]:
    provider = call.provider
    if provider.api == "anthropic":
        return ["client = Anthropic()  # reads ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL"]
    if provider.key_variable == "OPENAI_API_KEY":
        return ["client = OpenAI()  # reads OPENAI_API_KEY and OPENAI_BASE_URL"]
    key = f'os.environ["{provider.key_variable}"]' if provider.key_variable else '"none-needed"'
    return [f'client = OpenAI(base_url=os.environ.get("{provider.base_variable}", "{provider.base}"), api_key={key})']


def _method(call: Call) -> str:
    if call.provider.api == "anthropic":
        return "messages.create"
    methods = {"/embeddings": "embeddings.create", "/completions": "completions.create"}
    return methods.get(call.path, "chat.completions.create")


def _shown(call: Call) -> str:
    if call.provider.api == "anthropic":
        return "answer.to_json()"
    if call.path == "/embeddings":
        return "[len(one.embedding) for one in answer.data]"
    if call.path == "/completions":
        return "answer.choices[0].text"
    return "answer.choices[0].message.content or answer.choices[0].message.tool_calls"


def _request(call: Call) -> list[str]:
    """What every version of a client takes by name, and the parameters: those come and go with its versions
    (anthropic 2 knows no temperature), so they travel in the body as they are."""
    named = {name: value for name, value in call.body.items() if name in NAMED}
    rest = {name: value for name, value in call.body.items() if name not in NAMED}
    return [f"REQUEST: dict = {literal(named)}", f"PARAMETERS: dict = {literal(rest)}"]


def _recorded(call: Call) -> list[str]:
    if call.answer is None:
        return []
    if call.answer.tools:
        return [f"CALLED = {literal([list(one) for one in call.answer.tools])}"]
    return [f"ANSWER = {literal(call.answer.text)}"]


def _checks(call: Call) -> list[str]:
    anthropic = call.provider.api == "anthropic"
    if call.path == "/embeddings":
        return ["assert answer.data"]
    if call.answer is not None and call.answer.tools:
        found = (
            '[[block.name, block.input] for block in answer.content if block.type == "tool_use"]' if anthropic
            else "[[one.function.name, json.loads(one.function.arguments)] "
            "for one in answer.choices[0].message.tool_calls or []]"
        )  # fmt: skip
        return [f"called = {found}", "assert [name for name, _ in called] == [name for name, _ in CALLED]"]
    text = (
        '"".join(block.text for block in answer.content if block.type == "text")' if anthropic
        else "answer.choices[0].text" if call.path == "/completions" else "answer.choices[0].message.content"
    )  # fmt: skip
    said = [f"text = {text}", "assert text"]
    if call.answer is not None and call.answer.text.lstrip()[:1] in ("{", "["):
        return [*said, "assert type(json.loads(text)) is type(json.loads(ANSWER))"]
    return [*said, "# ANSWER is what it said then: say here what has to hold of both"]


def _identifier(about: str) -> str:
    return re.sub(r"\W+", "_", about, flags=re.ASCII).strip("_").lower()[:50] or "the_call"


def literal(value: Any, indent: int = 0) -> str:
    """A value (as from JSON) as Python writes it, every character that cannot be seen escaped."""
    flat = repr(value)
    if len(flat) + indent <= WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    margin = " " * (indent + 4)
    if isinstance(value, dict):
        lines = [f"{margin}{key!r}: {literal(item, indent + 4)},\n" for key, item in value.items()]
        return "{\n" + "".join(lines) + " " * indent + "}"
    lines = [f"{margin}{literal(item, indent + 4)},\n" for item in value]
    return "[\n" + "".join(lines) + " " * indent + "]"
