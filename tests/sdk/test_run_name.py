"""What a program records under `tracetui run` carries the run's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.sdk.parts import Clock, Maker
from collector.settings import resolve


def test_the_name_of_the_run_is_on_the_resource_of_all_spans(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRACETUI_RUN", "20261121-074148-3fa9c2")
    found = resolve(cwd=tmp_path, service="shop")
    assert found.warnings == ()
    resource = Maker(found.settings, Clock(), "").resource
    assert resource.attributes == {"service.name": "shop", "tracetui.run.id": "20261121-074148-3fa9c2"}
