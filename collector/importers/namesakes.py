"""Datasets of a file that the store has already, under another id.

A name is given once, and the store keeps the id that it has. What the file says of its own id (examples, experiments)
belongs to that dataset then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from collector.library import Dataset, Example, Experiment, Item
from collector.store import open_reader
from collector.store.library import Library


def stored_id(path: Path, name: str) -> str | None:
    """The id of a dataset of this name in the file, which is there by now."""
    with open_reader(path) as reader:
        found = Library(reader).dataset(name=name)
    return None if found is None else found.dataset_id


class Namesakes:
    """For one import: `look` answers a name with the id that the store has for it."""

    def __init__(self, look: Callable[[str], str | None]) -> None:
        self._look = look
        self._ids: dict[str, str] = {}
        self.names: dict[str, str] = {}
        """Names of datasets that had another id, and the id that they keep."""

    def settled(self, library: Sequence[Item]) -> tuple[Item, ...]:
        """The same items, each with the dataset that it belongs to in the store."""
        for item in library:
            if isinstance(item, Dataset) and item.dataset_id not in self._ids:
                there = self._look(item.name) or item.dataset_id
                self._ids[item.dataset_id] = there
                if there != item.dataset_id:
                    self.names[item.name] = there
        return tuple(self._moved(item) for item in library)

    def _moved(self, item: Item) -> Item:
        if isinstance(item, Dataset | Example | Experiment) and item.dataset_id is not None:
            there = self._ids.get(item.dataset_id, item.dataset_id)
            return item if there == item.dataset_id else replace(item, dataset_id=there)
        return item
