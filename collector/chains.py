"""Model calls by the conversation they carry on. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from collector.seen import Said, Seen, Upto, in_common, text_of

FIRST_MESSAGES = 3
MOST_ALIKE = 100
"""A message that more conversations were given last, as instructions are, does not tell which of them a call goes on
from: thousands of calls side by side would each be compared with all others."""
_SUMMARY = re.compile(
    r"(?:This session is being continued from a previous|Another language model started to solve this problem"
    r"|Here is a summary of the conversation|<(?:state_snapshot|conversation_summary)>)",
    re.IGNORECASE,
)
"""How a summary begins that stands for a compacted context: Claude Code's, Codex's, LangChain's, Gemini CLI's."""


def is_summary(said: Said) -> bool:
    """Whether a message stands for others that were compacted."""
    return said.message.role != "assistant" and _SUMMARY.match(text_of(said.message).lstrip()) is not None


class _Chains:
    """The chains so far, and which of them a message was last given to."""

    def __init__(self) -> None:
        self.found: list[list[Seen]] = []
        self._ends: dict[str, set[int]] = {}  # the chains, by number, whose last call was given a message

    def add(self, call: Seen) -> None:
        number, known = self._goes_on(call)
        if not known:
            number = self._nearest(call)
            if number == len(self.found):
                self.found.append([])
            for said in self.found[number][-1].input if self.found[number] else ():
                self._ends[said.key].discard(number)
        for said in call.input[known:]:
            self._ends.setdefault(said.key, set()).add(number)
        self.found[number].append(call)

    def _goes_on(self, call: Seen) -> tuple[int, int]:
        """The chain whose last call was given the beginning of this one's list and nothing else, and how long that is;
        (-1, 0) where that is not plain to see. So that a history of thousands is not gone through with every call."""
        best, known = -1, 0
        if isinstance(call.input, Upto) and call.input:
            if len(self._ends.get(call.input[0].key, ())) > MOST_ALIKE:
                return -1, 0
            for number in self._ends.get(call.input[0].key, ()):
                last = self.found[number][-1]
                shared = call.input.in_common(last.input)
                if known < shared == len(last.input) and _follows(last, call):
                    best, known = number, shared
            if 0 < known < len(call.input) and self._ends.get(call.input[known].key):
                return -1, 0  # another one may share more
        return best, known

    def _nearest(self, call: Seen) -> int:
        """The chain whose last call shares the longest beginning, or else the most messages; a new number for none. A
        call that begins with a summary goes on from what was compacted: from the longest history there is."""
        alike = (self._ends.get(name, ()) for name in {one.key for one in call.input})
        shares = Counter(number for some in alike if len(some) <= MOST_ALIKE for number in some)
        best, most = len(self.found), (0, 0)
        for number in sorted(shares, reverse=True):
            last = self.found[number][-1]
            if _follows(last, call):
                shared = (in_common(last.input, call.input), shares[number])
                if shared > most:
                    best, most = number, shared
        if best == len(self.found) and any(is_summary(said) for said in call.input[:FIRST_MESSAGES]):
            system = [said.key for said in call.system]
            before = [
                ([said.key for said in chain[-1].system] == system, len(chain[-1].input), number)
                for number, chain in enumerate(self.found)
                if _follows(chain[-1], call)
            ]
            best = max(before)[2] if before else best
        return best


def _follows(last: Seen, call: Seen) -> bool:
    """Whether it began after the other ended: of calls side by side neither goes on from the other."""
    return last.end_ns is None or last.end_ns <= call.start_ns


def chains(calls: Sequence[Seen]) -> list[list[Seen]]:
    """Calls by the conversation they carry on, each in order of time; chains by their first call.

    A call belongs to the chain whose last call shares the longest beginning with it, or else the most messages.
    Nothing shared begins a chain, unless what is said first is a summary.
    """
    found = _Chains()
    for call in sorted(calls, key=lambda one: (one.start_ns, one.span_id)):
        found.add(call)
    return found.found
