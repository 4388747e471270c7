"""A site with a published log, and backups of its database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from purge.proof import gate, place
from tests.purge.proof.support import in_folder
from tests.purge.recovery.restores import Backups, backups


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(gate, "_known", {})
    monkeypatch.setattr(place, "_heard", {})
    monkeypatch.setattr(place, "SILENT", 0.0)  # nobody else is at work
    monkeypatch.setattr(gate, "TRUSTED", 0.0)  # asked each time
    monkeypatch.setattr(gate, "SOON", 0.0)
    with in_folder(tmp_path / "store"):
        yield


@pytest.fixture
def site(tmp_path: Path, transactional_db: None) -> Iterator[Backups]:
    with backups(tmp_path) as made:
        yield made
