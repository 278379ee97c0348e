"""What becomes of one text: the rules, the user's own patterns and mask, and the memory of what was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from collector.memo import Memo
from collector.own_patterns import OwnPattern
from collector.redact import json_text
from collector.redact.personal import EMAIL, PII_RULES
from collector.redact.placeholder import placeholder
from collector.redact.rules import PASSWORDS, URL_PASSWORD, redact_cards
from collector.redact.scan import CARD_DIGITS, candidates, may_hold_card, may_hold_password

MODES = ("default", "pii", "off")
SHORTEST = CARD_DIGITS  # shorter is only a URL with a password, and an e-mail; both hold an @
LONG = 256  # shorter texts are looked at again rather than remembered
MEMO_BYTES = 16_000_000
MASK_FAILED = "[MASK:failed]"
"""What is stored instead of a text at which the user's own function raised."""


class TextRedactor:
    """Takes secrets out of a text.

    Mode "default": API keys, tokens, private keys, passwords in URLs, card numbers. "pii" adds e-mail, phone
    and national ids. Results are remembered by text, so that a history that is sent again costs a look-up.
    Redacting twice is redacting once.

    `patterns` are the user's own: they hold in every mode and for ids and names too. `mask` is the user's own
    function, given every text that is no id, model, name or time, after all rules; one that raises or returns
    no text costs the text (MASK_FAILED) and counts in `failures`, by exception.
    """

    def __init__(
        self, key: bytes, mode: str, patterns: Iterable[OwnPattern], mask: Callable[[str], str] | None
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"redaction mode must be one of {', '.join(MODES)}, not {mode!r}")
        self.mode = mode
        self._key = key
        self._ours = mode != "off"
        self._patterns = tuple(patterns)
        self._mask = mask
        self._off = not (self._ours or self._patterns or mask)
        self._shortest = 1 if self._patterns or mask else SHORTEST
        self.failures: dict[str, int] = {}
        self._pii = mode == "pii"
        self._memo: Memo[str] = Memo(MEMO_BYTES)

    def text(self, text: str) -> str:
        """A text without its secrets; a text that is JSON stays JSON, of the same form but for what was replaced."""
        if self._off or (len(text) < self._shortest and "@" not in text):
            return text
        if len(text) < LONG:
            return self._clean(text)
        found = self._memo.get(text)
        if found is None:
            result = self._clean(text)
            changed = "" if result is text else result  # "": nothing had to change, and no second text is kept alive
            self._memo.put(text, changed, len(changed))
            return result
        return found or text

    def name(self, text: str) -> str:
        """A name or id: only what cannot be anything but a secret is replaced."""
        if self._off or (len(text) < self._shortest and "@" not in text):
            return text
        return self.rules(text, exempt=True)

    def _clean(self, text: str) -> str:
        changed = self.rules(text)
        if (
            text
            and json_text.looks_like_json(text)
            and (changed is not text or self._mask is not None or json_text.may_hide(text))
            and (found := self._within_json(text)) is not None
        ):
            return found
        return changed if self._mask is None else self._masked(changed)

    def _masked(self, text: str) -> str:
        """What the user's own function makes of a text that has passed our rules."""
        assert self._mask is not None
        try:
            result = self._mask(text)
            if not isinstance(result, str):
                raise TypeError(f"mask returned {type(result).__name__}")
        except Exception as e:  # noqa: BLE001  # foreign code: whatever it raises, the text must not get through
            name = type(e).__name__
            self.failures[name] = self.failures.get(name, 0) + 1
            return MASK_FAILED
        return text if result == text else result

    def rules(self, text: str, *, exempt: bool = False) -> str:
        """The patterns on one text as it stands, without looking into JSON. The same object if none applied."""
        result = self._by_ours(text, exempt) if self._ours else text
        for pattern in self._patterns:
            result = pattern.apply(result, self._mark)
        return text if result == text else result

    def _by_ours(self, text: str, exempt: bool) -> str:
        data = text.encode("utf-8", "replace")
        result = text
        if "@" in text:
            if "://" in text or ":\\/\\/" in text:
                result = URL_PASSWORD.apply(result, self._mark)
            if self._pii:
                result = EMAIL.apply(result, self._mark)
        for rule in candidates(data):
            result = rule.apply(result, self._mark)
        if may_hold_password(text):
            for rule in PASSWORDS:
                result = rule.apply(result, self._mark)
        if not exempt and may_hold_card(data):
            result = redact_cards(result, self._mark)
        if self._pii and not exempt:
            for rule in PII_RULES:
                result = rule.apply(result, self._mark)
        return result

    def _mark(self, kind: str, secret: str) -> str:
        return placeholder(self._key, kind, secret)

    def _within_json(self, text: str) -> str | None:
        """The JSON in it with its leaves redacted; None for what is none."""
        raise NotImplementedError
