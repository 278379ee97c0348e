"""What may be stored of a span: redaction, contents and user ids as the settings say, by its environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from collector.library import Item, Media
from collector.model import Batch, Process, Score, SpanPart
from collector.own_patterns import own_pattern
from collector.redact.content import Contents
from collector.redact.placeholder import user_key
from collector.redact.redactor import Redactor
from collector.redact.users import Users
from collector.setting_tables import environment_of
from collector.settings import Settings


class Policy:
    """Applied to everything before it reaches a disk or a network. Doing it twice is doing it once.

    `redactor` is a seam for tests: it then redacts in every environment. `key` gives the per-user key when it is
    first needed.
    """

    def __init__(
        self, settings: Settings, *, redactor: Redactor | None = None, key: Callable[[], bytes] = user_key
    ) -> None:
        self._settings = settings
        self._given = redactor
        self._key = key
        self._rules: dict[str, _Rules] = {}
        self._default = self._of(None)

    @cached_property
    def key(self) -> bytes:
        """The per-user key, read once."""
        return self._key()

    @property
    def failures(self) -> int:
        """How many texts were lost because the user's own `mask` failed at them."""
        redactors = {id(r): r for rules in self._rules.values() if (r := rules.redactor) is not None}
        return sum(sum(redactor.failures.values()) for redactor in redactors.values())

    def part(self, part: SpanPart) -> SpanPart:
        """The part as it may be stored; the very same object where nothing had to change."""
        if not self._settings.environments:
            return self._default.part(part)
        return self._of(environment_of(part)).part(part)

    def batch(self, batch: Batch) -> Batch:
        """A whole delivery; what was refused keeps its reasons, and samples as they may be stored."""
        parts = tuple([self.part(part) for part in batch.parts])
        self.forget()
        return replace(
            batch,
            parts=parts,
            scores=tuple([self.score(score) for score in batch.scores]),
            processes=tuple([self.process(process) for process in batch.processes]),
            refused=tuple([replace(one, sample=self.text(one.sample)) for one in batch.refused]),
            library=tuple([self.item(item) for item in batch.library]),
        )

    def forget(self) -> None:
        """A batch is over: what was remembered for its other parts may go."""
        for rules in self._rules.values():
            if rules.redactor is not None:
                rules.redactor.forget()

    def score(self, score: Score) -> Score:
        """A score, by the settings of this process's own environment: it names none."""
        rules = self._default
        score = rules.contents.score(score) if rules.contents is not None else score
        return rules.redactor.score(score) if rules.redactor is not None else score

    def process(self, process: Process) -> Process:
        """A process: its command line may name a key."""
        return process if self._default.redactor is None else self._default.redactor.process(process)

    def item(self, item: Item) -> Item:
        """A prompt, dataset, experiment or file. What somebody keeps on purpose keeps its content, except for files:
        they come with spans, so they go with the contents of spans."""
        rules = self._default
        if isinstance(item, Media) and rules.contents is not None:
            item = replace(item, data=None)
        return item if rules.redactor is None else rules.redactor.item(item)

    def text(self, text: str) -> str:
        """A quotation of what was sent: nothing of it where contents are not stored in full anywhere."""
        if self._default.contents is not None or any(
            own.get("capture_content", "full") != "full" for own in self._settings.environments.values()
        ):
            return ""
        return text if self._default.redactor is None else self._default.redactor.text(text)

    def _of(self, environment: str | None) -> _Rules:
        """One for every environment that has a table of its own, and one for all others."""
        settings = self._settings
        name = environment or settings.environment or ""
        name = name if name in settings.environments else ""
        rules = self._rules.get(name)
        if rules is None:
            rules = self._rules[name] = self._make(settings.within(name) if name else settings)
        return rules

    def _make(self, settings: Settings) -> _Rules:
        redactor = self._given
        if redactor is None and (settings.redact != "off" or settings.redact_patterns or settings.mask):
            patterns = [own_pattern(name, pattern) for name, pattern in settings.redact_patterns.items()]
            redactor = Redactor(self.key, settings.redact, patterns=patterns, mask=settings.mask)
        contents = None
        if settings.capture_content != "full":
            contents = Contents(self.key, metadata_only=settings.capture_content == "metadata")
        return _Rules(redactor, contents, Users(self.key) if settings.hash_user_ids else None)


class _Rules:
    """Those of one environment."""

    def __init__(self, redactor: Redactor | None, contents: Contents | None, users: Users | None) -> None:
        self.redactor = redactor
        self.contents = contents
        self.users = users

    def part(self, part: SpanPart) -> SpanPart:
        if self.users is not None:
            part = self.users.part(part)
        if self.contents is not None:
            part = self.contents.part(part)
        return part if self.redactor is None else self.redactor.part(part)
