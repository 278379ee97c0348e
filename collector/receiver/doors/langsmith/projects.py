"""Projects (the API's "sessions"): those that somebody made, as experiments are, and those that traces name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from collector.protocols.times import iso
from collector.receiver.doors.langsmith.views import DEFAULT_PROJECT, TENANT, Run, project_uuid
from collector.store import runs
from collector.store.library import ExperimentRow, Library
from collector.store.reader import Reader

COMPARED = "comparative"


def compares(made: ExperimentRow) -> list[str]:
    """The experiments that this one compares; [] for one that has runs of its own."""
    given = made.extra.get(COMPARED) if isinstance(made.extra, dict) else None
    return [str(one) for one in given] if isinstance(given, list) else []


class Projects:
    """Names to ids and back, and the projects themselves; by one reader."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._library = Library(reader)
        self._ids: dict[str, str] = {}

    @cached_property
    def named(self) -> dict[str, runs.Project]:
        """What traces name, by name, the one with the newest trace first."""
        found = {one.name or DEFAULT_PROJECT: one for one in reversed(runs.projects(self._reader))}
        return dict(reversed(found.items()))

    def id(self, name: str) -> str:
        """The id of a project: that with which it was made, else one made of its name."""
        if name not in self._ids:
            made = self._library.experiments(name=name, limit=1)
            self._ids[name] = made[0].experiment_id if made else project_uuid(name)
        return self._ids[name]

    def name(self, project_id: str) -> str | None:
        """The name of a project; None where there is none of this id."""
        made = self._library.experiment(project_id)
        if made is not None:
            return made.name
        return next((name for name in self.named if project_uuid(name) == project_id), None)

    def one(self, project_id: str) -> Run | None:
        made = self._library.experiment(project_id)
        if made is not None:
            return self._told(made.name, made)
        name = self.name(project_id)
        return None if name is None else self._told(name, None)

    def list(
        self, *, name: str | None = None, part: str | None = None, dataset_id: str | None = None,
        ids: list[str] | None = None, reference_free: bool | None = None, metadata: Mapping[str, Any] | None = None,
        limit: int = 100, offset: int = 0,
    ) -> list[Run]:  # fmt: skip
        """Those asked for, the newest first."""
        if name is not None:
            made = self._library.experiments(name=name, limit=1)
            found = [self._told(name, made[0])] if made else [self._told(name, None)] if name in self.named else []
        else:
            every = self._library.experiments(dataset_id=dataset_id, limit=runs.MOST_PROJECTS)[::-1]
            made = [one for one in every if not compares(one)]
            found = [self._told(one.name, one) for one in made]
            names = {one.name for one in made}
            if dataset_id is None:
                found += [self._told(one, None) for one in self.named if one not in names]
        if part is not None:
            found = [one for one in found if part.lower() in one["name"].lower()]
        if ids is not None:
            found = [one for one in found if one["id"] in ids]
        if dataset_id is not None:
            found = [one for one in found if one["reference_dataset_id"] == dataset_id]
        if reference_free is not None:
            found = [one for one in found if (one["reference_dataset_id"] is None) == reference_free]
        if metadata:
            found = [one for one in found if metadata.items() <= one["extra"]["metadata"].items()]
        return found[offset : offset + limit]

    def _told(self, name: str, made: ExperimentRow | None) -> Run:
        traced = self.named.get(name)
        out: dict[str, Any] = {
            "id": made.experiment_id if made else project_uuid(name),
            "name": name,
            "tenant_id": TENANT,
            "description": made.description if made else None,
            "reference_dataset_id": made.dataset_id if made else None,
            "start_time": iso(made.created_ns if made else traced.first_ns if traced else 0),
            "end_time": iso(made.ended_ns) if made and made.ended_ns else None,
            "extra": {**((made.extra or {}) if made else {}), "metadata": (made.metadata or {}) if made else {}},
            "run_count": traced.traces if traced else 0,
            "last_run_start_time": iso(traced.last_ns) if traced else None,
        }
        if traced is not None:
            known = [n for n in (traced.input_tokens, traced.output_tokens) if n is not None]
            out |= {
                "prompt_tokens": traced.input_tokens,
                "completion_tokens": traced.output_tokens,
                "total_tokens": sum(known) if known else None,
                "total_cost": None if traced.cost_nanousd is None else traced.cost_nanousd / 1e9,
                "error_rate": traced.failed / traced.traces if traced.traces else None,
            }
        return out
