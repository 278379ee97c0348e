"""Every setting of the collector, and where its value came from.

Order: argument, `TRACETUI_*` variable, `tracetui.toml` of the nearest parent (or `[tool.tracetui]` in the
pyproject beside it), the user's config file, default. Read once at the edge (`configure()`, the command
line) into one frozen `Settings`; nobody else looks at the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from collector import setting_tables, setting_values
from collector.errors import SettingsError
from collector.limits import limits
from collector.setting_tables import SamplingRule
from collector.setting_values import PREFIX, did_you_mean

PROJECT_MARKS = ("tracetui.toml", "pyproject.toml", ".git")
REDACT_MODES, CONTENT_MODES = ("default", "pii", "off"), ("full", "redacted", "metadata")


@dataclass(frozen=True, slots=True)
class Settings:
    """The values in force. Sizes are bytes, times are seconds.

    `url` names a collector to send to over HTTP; None writes `db` directly.
    `run` is set by `tracetui run` (TRACETUI_RUN), which finds by it what its command did.
    `dimensions` are the metadata keys that rollups carry.
    `prices` maps a model (`*` globs) to US dollars per million tokens: {"my-model": {"input": 0.5, "output": 1.5}},
    keys of `setting_values.PRICE_KEYS` ("request" is dollars per call). They win over the built-in table.
    `redact_patterns` are regular expressions to redact as well, by the name that their placeholders bear; `mask` is
    a function of the host's, called with every text after our rules. `capture_content` is "full", "redacted" (the
    form of contents, not their words) or "metadata" (no contents). `hash_user_ids` stores a keyed hash of user ids.
    `sample_rate` is the share of traces that the SDK writes, `sampling` are rules before it; traces with a failed
    span are always written. `environments` holds what differs by environment: see `within`.
    `allowed_hosts` and `allowed_origins` add to what the receiver accepts by itself.
    `forward` is the OTLP/HTTP endpoint that the receiver also sends to, with `forward_headers`; at most `forward_bytes`
    wait for it on disk.
    `upstreams` names addresses that the proxy may pass requests to, beside the built-in ones.
    `keys` maps commands of the explorer to keys: {"lists.filter": "ctrl+o"} (`tracetui.keymap` knows the names).
    `theme` is the explorer's, None the one that was chosen there last.
    `views` are saved filters by name: {"slow": "latency:>5s"}, asked for as `view:slow`.
    `signals` says from where on something looks wrong in a trace, see `limits.Limits`: {"loop_calls": 4}.
    `durable` makes a commit survive a power cut, for the price of an fsync each.
    """

    db: Path = Path("traces.db")
    url: str | None = None
    service: str | None = None
    environment: str | None = None
    release: str | None = None
    project: str | None = None
    run: str | None = None
    disabled: bool = False
    capture_input: bool = True
    capture_output: bool = True
    redact: str = "default"
    redact_patterns: Mapping[str, str] = field(default_factory=dict)
    mask: Callable[[str], str] | None = field(default=None, repr=False)
    capture_content: str = "full"
    hash_user_ids: bool = False
    sample_rate: float = 1.0
    sampling: tuple[SamplingRule, ...] = ()
    environments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dimensions: tuple[str, ...] = ("department", "application", "feature", "tier")
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    theme: str | None = None
    views: Mapping[str, str] = field(default_factory=dict)
    signals: Mapping[str, Any] = field(default_factory=dict)
    durable: bool = False
    host: str = "127.0.0.1"
    http_port: int = 4318
    grpc_port: int = 4317
    token: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    forward: str | None = None
    forward_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    forward_bytes: int = 256_000_000
    upstreams: Mapping[str, str] = field(default_factory=dict)
    max_part_bytes: int = 1_000_000
    max_body_bytes: int = 64_000_000
    max_spans: int = 100_000
    queue_bytes: int = 64_000_000
    tick_s: float = 0.05
    started_after_s: float = 0.1
    heartbeat_s: float = 2.0
    exit_wait_s: float = 2.0

    def within(self, environment: str | None) -> Settings:
        """The settings for spans of one environment (None: of this process's own)."""
        own = self.environments.get(environment or self.environment or "")
        return replace(self, **own) if own else self


SETTING_NAMES = tuple(f.name for f in fields(Settings))


@dataclass(frozen=True, slots=True)
class Resolved:
    """Settings and, for every name, where the value came from: "argument", "TRACETUI_DB",
    the path of a settings file, or "default". `warnings` are sentences to show once."""

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def resolve(
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    user_config: Path | None = None,
    strict: bool = True,
    **arguments: object,
) -> Resolved:
    """Put the settings together. An argument that is None counts as not given.

    SettingsError names the first value that makes no sense; with `strict=False` (the SDK, which must not
    break its host) such values are left out and become warnings.
    """
    here = Path.cwd() if cwd is None else cwd
    environ = os.environ if env is None else env
    found = _Found(strict)
    for name, value in arguments.items():
        if value is not None:
            found.take(name, value, "argument", here)
    found.environment(environ, here)
    for path in _settings_files(here, user_config):
        found.file(path)
    if "db" not in found.values:
        found.values["db"] = default_db(here, environ)
    settings = replace(Settings(), **found.values)
    origins = {name: found.origins.get(name, "default") for name in SETTING_NAMES}
    return Resolved(settings, origins, tuple(found.warnings))


def default_db(cwd: Path, env: Mapping[str, str]) -> Path:
    """The file used when nobody names one: $TRACETUI_DB, else traces.db in the nearest parent with
    tracetui.toml, pyproject.toml or .git, else in `cwd`. Always absolute."""
    named = unquote(env.get(PREFIX + "DB", ""))[0]
    if named:
        return cwd.absolute() / Path(named).expanduser()
    return (nearest_project(cwd) or cwd.absolute()) / "traces.db"


def nearest_project(cwd: Path) -> Path | None:
    """The nearest directory from `cwd` upwards that looks like a project, or None."""
    for folder in _upwards(cwd):
        if any((folder / mark).exists() for mark in PROJECT_MARKS):
            return folder
    return None


def unquote(text: str) -> tuple[str, bool]:
    """Strip white space and one pair of literal quotes (`docker --env-file` passes them on).

    Returns the text and whether there were quotes.
    """
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1], True
    return text, False


class _Found:
    """The values collected so far; the first place that names a setting wins."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.warnings: list[str] = []

    def problem(self, message: str) -> None:
        if self.strict:
            raise SettingsError(message)
        self.warnings.append(message)

    def take(self, name: str, value: object, origin: str, base: Path) -> None:
        if name in self.values:
            return
        reader = READERS.get(name)
        if reader is None:
            self.problem(f"{origin}: there is no setting {name!r}{did_you_mean(name, SETTING_NAMES)}")
            return
        try:
            self.values[name] = _based(reader(value), base)
        except (ValueError, TypeError) as e:
            self.problem(f"{origin}: {name} = {value!r}: {e}")
            return
        self.origins[name] = origin

    def environment(self, env: Mapping[str, str], cwd: Path) -> None:
        for variable in sorted(env):
            if not variable.startswith(PREFIX) or not env[variable].strip():
                continue
            name = variable[len(PREFIX) :].lower()
            if name not in READERS:  # may be meant for another version: no reason to stop
                self.warnings.append(f"{variable} is no setting{did_you_mean(name, SETTING_NAMES, env=True)}")
                continue
            value, quoted = unquote(env[variable])
            if quoted:
                self.warnings.append(f"{variable} has quotes in its value; they were taken off")
            if value:
                self.take(name, value, variable, cwd)

    def file(self, path: Path) -> None:
        try:
            table = _read_table(path)
        except (OSError, ValueError) as e:
            self.problem(f"{path} could not be read as settings: {e}")
            return
        for name, value in table.items():
            self.take(name, value, str(path), path.parent)


def _based(value: object, base: Path) -> object:
    return base.absolute() / value if isinstance(value, Path) else value


def _upwards(cwd: Path) -> Iterator[Path]:
    folder = cwd.absolute()
    yield folder
    yield from folder.parents


def _settings_files(cwd: Path, user_config: Path | None) -> Iterator[Path]:
    """The project's file, looked for no higher than the root of its git tree, then the user's."""
    for folder in _upwards(cwd):
        own = folder / "tracetui.toml"
        if own.is_file():
            yield own
            break
        if _is_pyproject_of_ours(folder / "pyproject.toml"):
            yield folder / "pyproject.toml"
            break
        if (folder / ".git").exists():
            break
    path = user_config if user_config is not None else user_config_file()
    if path.is_file():
        yield path


def writable_settings_file(cwd: Path, user_config: Path | None = None) -> Path:
    """Where the explorer writes what it is told to remember as a view: where views are now, else the project's file,
    else the user's, which need not exist."""
    known = list(_settings_files(cwd, user_config))
    for path in known:
        with suppress(OSError, ValueError):
            if "views" in _read_table(path):
                return path
    return known[0] if known else user_config or user_config_file()


def user_config_file() -> Path:
    """Where the user's own settings are looked for; it need not exist."""
    from platformdirs import user_config_dir

    return Path(user_config_dir("tracetui")) / "config.toml"


def _is_pyproject_of_ours(path: Path) -> bool:
    try:
        return "tool.tracetui" in path.read_text("utf-8") and bool(_read_table(path))
    except (OSError, ValueError):  # a pyproject that does not parse is not ours to complain about
        return False


def _read_table(path: Path) -> dict[str, Any]:
    import tomllib

    table = tomllib.loads(path.read_text("utf-8"))
    if path.name == "pyproject.toml":
        table = table.get("tool", {}).get("tracetui", {})
    return {str(name).replace("-", "_"): value for name, value in table.items()}


_PORT = setting_values.count(0, 65535)
_SIZE = setting_values.count(1_000, 10_000_000_000)

READERS: dict[str, Callable[[Any], Any]] = {
    "db": setting_values.path,
    "url": setting_values.url,
    "service": setting_values.text,
    "environment": setting_values.text,
    "release": setting_values.text,
    "project": setting_values.text,
    "run": setting_values.text,
    "disabled": setting_values.switch,
    "capture_input": setting_values.switch,
    "capture_output": setting_values.switch,
    "redact": setting_values.choice(REDACT_MODES),
    "redact_patterns": setting_tables.patterns,
    "mask": setting_tables.mask,
    "capture_content": setting_values.choice(CONTENT_MODES),
    "hash_user_ids": setting_values.switch,
    "sample_rate": setting_tables.rate,
    "sampling": setting_tables.sampling,
    "environments": lambda value: setting_tables.environments(value, READERS),
    "dimensions": setting_values.names,
    "prices": setting_values.prices,
    "keys": setting_values.keys,
    "theme": setting_values.text,
    "views": setting_tables.views,
    "signals": limits,
    "durable": setting_values.switch,
    "host": setting_values.text,
    "http_port": _PORT,
    "grpc_port": _PORT,
    "token": setting_values.text,
    "allowed_hosts": setting_values.names,
    "allowed_origins": setting_values.names,
    "forward": setting_tables.web_address,
    "forward_headers": setting_tables.headers,
    "forward_bytes": _SIZE,
    "upstreams": setting_tables.upstreams,
    "max_part_bytes": _SIZE,
    "max_body_bytes": _SIZE,
    "max_spans": setting_values.count(1, 10_000_000),
    "queue_bytes": _SIZE,
    "tick_s": setting_values.number(0.001, 60),
    "started_after_s": setting_values.number(0, 3600),
    "heartbeat_s": setting_values.number(0.1, 60),
    "exit_wait_s": setting_values.number(0, 600),
}
"""How each setting is read from whatever an argument, a variable or a file holds. Raises ValueError."""
