"""The settings that are tables: own patterns, sampling rules, what holds in one environment only.

`redact_patterns` names regular expressions, `[[sampling]]` lists rules of which the first that fits a trace decides,
`[environments.production]` overrides a few settings for spans of that environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collector.model import SpanPart

Readers: TypeAlias = Mapping[str, Callable[[Any], Any]]

_UPSTREAM = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
RULE_KEYS = ("name", "user", "session", "tag", "metadata", "rate")
PER_ENVIRONMENT = (
    "redact", "redact_patterns", "capture_content", "hash_user_ids", "sample_rate", "sampling",
)  # fmt: skip
ENVIRONMENT_KEYS = ("deployment.environment.name", "deployment.environment", "langfuse.environment")


@dataclass(frozen=True, slots=True)
class SamplingRule:
    """Traces that fit all that is given here are kept at `rate`, from 0 (none) to 1 (all).

    `name` is the trace's, `user`, `session` and `tag` may be any of its spans'; `*` and `?` as in file names.
    """

    rate: float
    name: str | None = None
    user: str | None = None
    session: str | None = None
    tag: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        said = [f"{key} {value}" for key in RULE_KEYS[:4] if (value := getattr(self, key)) is not None]
        return ", ".join([*said, *(f"metadata {key} {value}" for key, value in self.metadata.items())])


def web_address(value: object) -> str:
    """An http:// or https:// address."""
    text = str(value).strip()
    if not text.startswith(("http://", "https://")) or not urlsplit(text).hostname:
        raise ValueError("give it an address such as https://otel.example.com")
    return text


def headers(value: object) -> dict[str, str]:
    """A table of names and values, or "name=value,name=value" as OTEL_EXPORTER_OTLP_HEADERS has it (URL-encoded)."""
    wanted = 'give it a table, or "name=value,name=value"'
    if isinstance(value, str):
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        if not all(equals and name.strip() for name, equals, _ in pairs):
            raise ValueError(wanted)
        return {unquote(name).strip(): unquote(text).strip() for name, _, text in pairs}
    return {name: str(text) for name, text in _table(value, wanted).items()}


def patterns(value: object) -> dict[str, str]:
    """A table of names and regular expressions, each of them tried."""
    table = _table(value, "give it a table of names and regular expressions")
    for name, pattern in table.items():
        if not isinstance(pattern, str):
            raise ValueError(f"{name} needs a regular expression in quotes, not {pattern!r}")
        from collector.own_patterns import own_pattern

        own_pattern(name, pattern)
    return table


def views(value: object) -> dict[str, str]:
    """A table of names and filters. What they say is read when they are asked for."""
    wanted = 'give it a table of names and filters, like {slow = "latency:>5s"}'
    table = _table(value, wanted)
    for name, said in table.items():
        if not isinstance(said, str) or not said.strip() or not name.strip():
            raise ValueError(f"{name!r}: {wanted}")
        if any(char.isspace() or char in ',"()' for char in name):
            raise ValueError(f"{name!r}: the name of a view has no spaces, commas, quotes or parentheses")
    return table


def mask(value: object) -> Callable[[str], str]:
    """A function from text to text. Only code can give one."""
    if not callable(value):
        raise ValueError("needs a function from text to text; only configure(mask=…) can give one")
    return value


def rate(value: object) -> float:
    """A share from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("give it a number from 0 to 1")
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError("must lie between 0 and 1")
    return number


def sampling(value: object) -> tuple[SamplingRule, ...]:
    """A list of tables; JSON of one from a variable."""
    value = _decoded(value)
    if isinstance(value, Mapping) or not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError('give it a list of rules, like [[sampling]] name = "health*" rate = 0.01')
    return tuple(one if isinstance(one, SamplingRule) else _rule(one) for one in value)


def _rule(said: object) -> SamplingRule:
    table = _table(said, "a sampling rule is a table")
    for key in table:
        if key not in RULE_KEYS:
            raise ValueError(f"a sampling rule has no {key!r}; it may have {', '.join(RULE_KEYS)}")
    if "rate" not in table:
        raise ValueError(f"the sampling rule {table} needs a rate")
    if len(table) == 1:
        raise ValueError("a sampling rule for everything is the setting sample_rate")
    texts = {key: _glob(key, table[key]) for key in RULE_KEYS[:4] if key in table}
    meta = {key: _glob(key, one) for key, one in _table(table.get("metadata", {}), "metadata needs a table").items()}
    return SamplingRule(rate(table["rate"]), **texts, metadata=meta)


def _glob(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or value == "":
        raise ValueError(f"{key} of a sampling rule needs a text to compare with, not {value!r}")
    return str(value)


def environments(value: object, readers: Readers) -> dict[str, dict[str, Any]]:
    """A table an environment, of settings that hold there. `readers` read the settings themselves."""
    out: dict[str, dict[str, Any]] = {}
    for name, said in _table(value, "give it a table an environment").items():
        table = {key.replace("-", "_"): one for key, one in _table(said, f"{name} needs a table of settings").items()}
        for key in table:
            if key not in PER_ENVIRONMENT:
                raise ValueError(f"{name}: {key!r} cannot differ by environment; {', '.join(PER_ENVIRONMENT)} can")
        out[name] = {}
        for key, one in table.items():
            try:
                out[name][key] = readers[key](one)
            except (ValueError, TypeError) as e:
                raise ValueError(f"{name}.{key} = {one!r}: {e}") from e
    return out


def environment_of(part: SpanPart) -> str | None:
    """The environment that a part names: in its reading, its attributes or its resource."""
    if part.reading.environment:
        return part.reading.environment
    for said in (part.attributes, part.resource.attributes if part.resource is not None else {}):
        for key in ENVIRONMENT_KEYS:
            if (name := said.get(key)) and isinstance(name, str):
                return name
    return None


def upstreams(value: object) -> dict[str, str]:
    """A table of names and addresses; `name=url,…` or JSON of one from a variable."""
    if isinstance(value, str) and not value.lstrip().startswith("{"):
        value = {pair.partition("=")[0].strip(): pair.partition("=")[2].strip() for pair in value.split(",")}
    table = _table(value, 'give it a table of names and addresses, like {gateway = "https://llm.example.com"}')
    for name, url in table.items():
        if not name or not set(name) <= _UPSTREAM:
            raise ValueError(f"{name!r} is no name for an upstream: small letters, digits, '-', '_' and '.'")
        table[name] = _address(name, url)
    return table


def _address(name: str, url: object) -> str:
    from urllib.parse import urlsplit

    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise ValueError(f"{name} needs an address that begins with http:// or https://, not {url!r}")
    found = urlsplit(url)
    if not found.hostname or found.username is not None or found.query or found.fragment:
        raise ValueError(f"{name} needs an address of host and path alone, without a key or a query")
    _ = found.port  # ValueError where it is none
    return url.rstrip("/")


def _table(value: object, otherwise: str) -> dict[str, Any]:
    value = _decoded(value)
    if not isinstance(value, Mapping):
        raise ValueError(otherwise)
    return {str(key): one for key, one in value.items()}


def _decoded(value: object) -> object:
    if not isinstance(value, str):
        return value
    import json

    try:
        return json.loads(value)
    except ValueError:
        return value
