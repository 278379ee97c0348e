"""What is kept of the host's values, and that none of its code runs for it."""

from __future__ import annotations

import datetime
import decimal
import enum
import gc
import pathlib
import time
import uuid
import weakref
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field

import numpy
import pydantic
import pytest

from collector.sdk.capture import MAX_NODES, capture


def kept(value):
    return capture(value)[0]


@dataclass
class Query:
    text: str
    limits: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Slotted:
    text: str
    rest: object = None


class Model(pydantic.BaseModel):
    name: str
    inner: Query | None = None


class Color(enum.Enum):
    RED = "red"


class Mode(enum.StrEnum):
    FAST = "fast"


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (True, True),
        (None, None),
        ((1, [2, {"a": (3,)}]), [1, [2, {"a": [3]}]]),
        ({3}, [3]),
        (frozenset({3}), [3]),
        ({1: "one", None: 2}, {"1": "one", "None": 2}),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (Point(1, 2), [1, 2]),
        (Mode.FAST, "fast"),
        (b"\x00\xff", {"type": "bytes", "size": 2}),
        (bytearray(3), {"type": "bytearray", "size": 3}),
        (memoryview(b"four"), {"type": "memoryview", "size": 4}),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (decimal.Decimal("1.20"), "1.20"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (numpy.float64(0.5), 0.5),
        (numpy.zeros((2, 3), "float32"), {"type": "numpy.ndarray", "shape": [2, 3], "dtype": "float32"}),
        (numpy.int64(7), {"type": "numpy.int64", "shape": [], "value": 7, "dtype": "int64"}),
        (ValueError("no", 3), {"type": "ValueError", "args": ["no", 3]}),
        (len, "<function builtins.len>"),
        (dict, "<class builtins.dict>"),
    ],
)
def test_known_values_keep_their_form(value, expected):
    assert kept(value) == expected


@pytest.mark.parametrize(
    "value", ["a text" * 1_000, 2**70, 0.1 + 0.2, True, None], ids=lambda value: type(value).__name__
)
def test_what_cannot_change_is_kept_as_it_is(value):
    assert capture(value)[0] is value
    assert capture([{"k": value}])[0][0]["k"] is value


def test_no_more_than_ten_thousand_nodes_of_a_structure_are_copied():
    assert MAX_NODES == 10_000

    def nodes(value):
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return 1 + sum(map(nodes, inside))

    for wide in (
        [[n] for n in range(20_000)],
        {str(n): {"n": [n]} for n in range(20_000)},
        [{n} for n in range(20_000)],
    ):
        assert nodes(capture(wide)[0]) <= MAX_NODES + 10  # and what says that there was more


def test_records_keep_their_fields_and_their_type():
    record = kept(Model(name="m", inner=Query("why?", [1, 2])))
    assert record["type"].endswith(".Model")
    assert record["fields"]["name"] == "m"
    assert record["fields"]["inner"]["fields"] == {"text": "why?", "limits": [1, 2]}
    assert kept(Slotted("a", Slotted("b")))["fields"]["rest"]["fields"] == {"text": "b", "rest": None}


def test_of_any_other_object_the_plain_public_fields_are_kept():
    class Client:
        def __init__(self):
            self.host, self._secret, self.pool, self.retries = "example.org", "x", object(), 3

    assert kept(Client())["fields"] == {"host": "example.org", "retries": 3}


class Hostile:
    """Every way of looking at it runs its own code, which fails the test."""

    def _never(self, *args, **kwargs):
        ran.append(self)
        raise RuntimeError("the host's code ran")

    __repr__ = __str__ = __len__ = __iter__ = __hash__ = __eq__ = __bool__ = __format__ = __dir__ = _never
    __getattr__ = __reduce__ = __sizeof__ = keys = items = model_dump = dict = _never


class HostileDict(dict):
    keys = items = values = __iter__ = __len__ = __getitem__ = copy = __repr__ = Hostile._never


class HostileList(list):
    __iter__ = __len__ = __getitem__ = copy = __repr__ = Hostile._never


class HostileText(str):
    __str__ = __repr__ = __len__ = __hash__ = Hostile._never


class HostileNumber(int):
    __int__ = __repr__ = __index__ = __bool__ = Hostile._never


ran: list[object] = []


@pytest.mark.parametrize(
    "value",
    [Hostile(), HostileDict(a=1), HostileList([1]), HostileText("t"), HostileNumber(3), [Hostile()], {"k": Hostile()}],
    ids=["object", "dict", "list", "str", "int", "within a list", "within a dict"],
)
def test_no_code_of_the_hosts_runs(value):
    ran.clear()
    copied, _ = capture(value)
    assert not ran
    assert type(copied) in (dict, list, str, int)


def test_a_repr_that_blocks_holds_nobody_up():
    class Slow:
        def __repr__(self):
            time.sleep(60)
            return "late"

    began = time.monotonic()
    capture([Slow(), {"a": Slow()}])
    assert time.monotonic() - began < 5


def test_what_contains_itself_ends():
    loop: list[object] = []
    loop.append(loop)
    own: dict[str, object] = {}
    own["own"] = own
    assert capture([loop, own])[1] < 100_000


def test_a_huge_structure_is_cut_and_says_so():
    copied, _ = capture({"rows": [[n] for n in range(100_000)]})
    assert len(copied["rows"]) <= MAX_NODES
    assert copied["rows"][-1].endswith("more")


def test_nothing_refers_to_the_hosts_objects():
    class Thing:
        pass

    thing = Thing()
    thing.name = "held"
    holder = {"thing": thing, "list": [thing]}
    copied, _ = capture(holder)
    gone = weakref.ref(thing)
    del thing, holder
    gc.collect()
    assert gone() is None
    assert copied["list"][0]["fields"] == {"name": "held"}
