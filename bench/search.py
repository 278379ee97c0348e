"""How long does a search of a million messages take, newest first; and the lists and totals beside it?

The file is made by the real ingest, in this process: LLM calls of ten new messages each, of English-like prose in
which every message has a word of its own; every fiftieth is Chinese. Each query runs on a connection of its own, so
that nothing but the system's page cache is warm; those that ask for words take others each time. "Cold" is the
first query after the file was dropped from the page cache. Hits are checked: the right spans, newest first.
Budget: 50 ms.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson

from bench.generate import MODEL, MS, Texts
from bench.report import Clock, figure, head, load, quiet, say
from collector.ingest import Ingest
from collector.model import Batch, SpanPart
from collector.settings import Settings
from collector.store import open_reader
from collector.store.filters import Filter, parse
from collector.store.reader import Reader
from collector.store.search import match_expression

MESSAGES_A_CALL = 10
CALLS_A_BATCH = 200
CALLS_A_SESSION = 20
CHINESE_EVERY = 50
PAGE = 100
NOWHERE = "a word of no message"
BUDGET = "50 ms"
HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 2000)]
HAN_WEIGHTS = list(accumulate(1 / rank for rank in range(1, len(HAN) + 1)))

NEWEST = """
    select distinct s.span_id from search f cross join mentions m on m.text_id = f.rowid
      cross join spans s on s.id = m.span_id
    where f.search match :asked order by s.start_ns desc limit :limit"""


class Speaker:
    """Makes messages, and remembers a few of them to ask for."""

    def __init__(self, chars: int, seed: int = 7) -> None:
        self.texts = Texts(seed)
        self.random = random.Random(seed)
        self.chars = chars
        self.count = 0
        self.own_words: list[tuple[str, str]] = []
        """Some messages' own words, and the span ids that brought them."""
        self.chinese: list[str] = []

    def message(self, span_id: str) -> str:
        self.count += 1
        if self.count % CHINESE_EVERY == 0:
            text = "".join(self.random.choices(HAN, cum_weights=HAN_WEIGHTS, k=self.chars // 3))
            if len(self.chinese) < 1000:
                self.chinese.append(text)
            return text
        text = self.texts.make(self.random.uniform(0.2, 1.8) * self.chars)
        if self.random.random() < 0.001 or len(self.own_words) < 10:
            self.own_words.append((text.split()[0], span_id))
        return text


def calls(messages: int, speaker: Speaker, now_ns: int) -> Iterator[SpanPart]:
    """LLM calls, oldest first, each a trace of its own; every one asks with nine messages and is told a tenth."""
    rng = random.Random(11)
    for n in range(messages // MESSAGES_A_CALL):
        start_ns = now_ns - (messages // MESSAGES_A_CALL - n) * 1000 * MS
        span_id = rng.randbytes(8).hex()
        said = [speaker.message(span_id) for _ in range(MESSAGES_A_CALL)]
        asked = [
            {"role": ("user", "assistant")[at % 2], "parts": [{"type": "text", "content": text}]}
            for at, text in enumerate(said[:-1])
        ]
        answer = [{"role": "assistant", "parts": [{"type": "text", "content": said[-1]}], "finish_reason": "stop"}]
        yield SpanPart(
            trace_id=rng.randbytes(16).hex(), span_id=span_id, name="chat", start_ns=start_ns,
            end_ns=start_ns + 800 * MS, otel_kind=3,
            attributes={
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": MODEL,
                "gen_ai.conversation.id": f"session-{n // CALLS_A_SESSION}",
                "gen_ai.usage.input_tokens": 1500, "gen_ai.usage.output_tokens": 120,
                "gen_ai.input.messages": orjson.dumps(asked).decode(),
                "gen_ai.output.messages": orjson.dumps(answer).decode(),
            },
        )  # fmt: skip


def build(db: Path, messages: int, speaker: Speaker) -> None:
    """Write and index them all."""
    began, batch = time.perf_counter(), list[SpanPart]()
    with Ingest(db, Settings(db=db)) as ingest:
        for part in calls(messages, speaker, time.time_ns()):
            batch.append(part)
            if len(batch) == CALLS_A_BATCH:
                ingest.write(Batch("bench", tuple(batch)))
                while ingest.chores():
                    pass
                batch.clear()
        ingest.write(Batch("bench", tuple(batch)))
    took = time.perf_counter() - began
    size = db.stat().st_size / 1e6
    say(f"  made {messages:,} messages, {size:,.0f} MB, indexed, in {took:.0f} s ({messages / took:,.0f}/s); {load()}")


Ask = Callable[[Reader], Any]


def asked_of(db: Path, clock: Clock, ask: Ask) -> Any:
    """What one query on a fresh connection finds."""
    with open_reader(db) as reader, clock:
        return ask(reader)


def searching(text: str, where: Filter | None = None) -> Ask:
    return lambda reader: reader.search(text, where, limit=PAGE)


def forget(db: Path) -> bool:
    """Drop the file from the page cache. False where the system has no such call."""
    if not hasattr(os, "posix_fadvise"):
        return False
    with db.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


def queries(speaker: Speaker, rounds: int) -> dict[str, list[str]]:
    """What people may ask for, by what it costs the index: `rounds` of each."""
    rng = random.Random(3)
    words = speaker.texts.prose.split()
    common = [word for word, _ in Counter(word for word in words if word.isalpha()).most_common()]
    seldom = [word for word in dict.fromkeys(words) if not word.isalpha()]
    spots = [rng.randrange(len(words) - 4) for _ in range(rounds)]
    han = [rng.choice(speaker.chinese) for _ in range(rounds)] if speaker.chinese else []
    return {
        "a word of one message": [rng.choice(speaker.own_words)[0] for _ in range(rounds)],
        "a word of one message in some thousands": [rng.choice(seldom) for _ in range(rounds)],
        "a word of every other message": [rng.choice(common[:3]) for _ in range(rounds)],
        "two common words": [" ".join(rng.sample(common[:20], 2)) for _ in range(rounds)],
        "a common word and one of one message": [
            f"{common[0]} {rng.choice(speaker.own_words)[0]}" for _ in range(rounds)
        ],
        "a phrase of three words": [f'"{" ".join(words[at : at + 3])}"' for at in spots],
        "a phrase of two common words": [f'"{common[0]} {rng.choice(common[1:10])}"' for _ in range(rounds)],
        "the beginning of some words": [word[:4] + "*" for word in rng.sample(common, rounds // 10)],
        "the beginning of the commonest words": [common[0][:4] + "*"],
        "two Chinese characters": [text[:2] for text in han],
        "six Chinese characters": [text[5:11] for text in han],
        NOWHERE: [f"nowhere{n}" for n in range(rounds)],
    }


def search(db: Path, speaker: Speaker, rounds: int) -> None:
    everything = queries(speaker, rounds)
    for name, texts in everything.items():
        if texts:
            ask_all(db, texts, dict(speaker.own_words), none=name == NOWHERE).tell(name, BUDGET)
            if missing := passed_over(db, texts[0]):
                figure(f"{name}: of the newest {PAGE} spans, passed over", str(missing), "0")
    kept, clock = parse("kind:llm", time.time_ns()), Clock()
    for text in everything["a word of every other message"]:
        asked_of(db, clock, searching(text, kept))
    clock.tell("a word of every other message, kind:llm", BUDGET)
    for name in ("a word of one message", "a word of every other message", "a phrase of three words"):
        clock = Clock()
        for text in everything[name][:10]:
            if forget(db):
                asked_of(db, clock, searching(text))
        if clock.ms:
            clock.tell(f"cold, {name}")


def ask_all(db: Path, texts: Sequence[str], whose: dict[str, str], *, none: bool) -> Clock:
    """The time of each. What is found is the right span where there is but one, and else newest first."""
    clock, count = Clock(), 0
    for text in texts:
        hits = asked_of(db, clock, searching(text))
        count += len(hits)
        starts = [hit.start_ns for hit in hits]
        assert starts == sorted(starts, reverse=True)
        if text in whose:
            assert [hit.span_id for hit in hits] == [whose[text]]
    assert (count == 0) == none
    return clock


def passed_over(db: Path, text: str) -> int:
    """How many of the newest spans with this word or phrase a search of a page leaves out."""
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as file:
        newest = {row[0] for row in file.execute(NEWEST, {"asked": match_expression(text), "limit": PAGE})}
    return len(newest - {hit.span_id for hit in asked_of(db, Clock(), searching(text))})


def lists(db: Path, messages: int, rounds: int) -> None:
    """What the screen asks for beside it."""
    spans = messages // MESSAGES_A_CALL
    asks: dict[str, Ask] = {
        "first page of traces": lambda reader: reader.traces(limit=PAGE),
        "first page of sessions": lambda reader: reader.sessions(limit=PAGE),
        "first page of spans": lambda reader: reader.spans(limit=PAGE),
        "totals": lambda reader: reader.totals(),
    }
    for name, ask in asks.items():
        clock = Clock()
        for _ in range(rounds):
            found = asked_of(db, clock, ask)
        assert name != "totals" or found.spans == spans
        clock.tell(f"{name} of {spans:,} calls")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench search")
    parser.add_argument("--messages", type=int, default=20_000, help="[20000]; the budget is for 1000000")
    parser.add_argument("--chars", type=int, default=500, help="of a message, on average [500]")
    parser.add_argument("--rounds", type=int, default=50, help="of each query [50]")
    parser.add_argument(
        "--db", type=Path, help="make the file here (2 KB a message) and keep it; take it if it is there"
    )
    asked = parser.parse_args(argv)
    head(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        db, speaker = asked.db or Path(folder) / "traces.db", Speaker(asked.chars)
        if db.exists():
            deque(calls(asked.messages, speaker, 0), maxlen=0)  # what was said then: the same seed says it again
        else:
            build(db, asked.messages, speaker)
        figure("messages", f"{asked.messages:,} of {asked.chars} characters, file {db.stat().st_size / 1e6:,.0f} MB")
        quiet()
        search(db, speaker, asked.rounds)
        lists(db, asked.messages, asked.rounds)
    say(f"  {load()}")


if __name__ == "__main__":
    main()
