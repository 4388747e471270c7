"""Another distribution has put its files over those of this one: a check says whose they are."""

import hashlib
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest

from lifecycle.checks.files import NAME, check_files

OWN = {"lifecycle/__init__.py": "own", "purge/__init__.py": "own", "purge/models.py": "own"}


def install(site: Path, name: str, files: dict[str, str]) -> None:
    """As pip does: the files, and a record of their hashes."""
    record = []
    for path, text in files.items():
        (site / path).parent.mkdir(exist_ok=True)
        (site / path).write_text(text)
        made = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record.append(f"{path},sha256={made},{len(text)}")
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text("\n".join(record))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    return tmp_path


def found() -> list[Any]:
    return check_files()


def test_a_checkout_has_no_record(site: Path) -> None:
    assert found() == []


def test_our_own_files_are_ours(site: Path) -> None:
    install(site, NAME, OWN)
    install(site, "something-else", {"else_/__init__.py": "other"})
    assert found() == []


def test_files_of_another_are_told_with_its_name(site: Path) -> None:
    install(site, NAME, OWN)
    install(site, "django-purge", {"purge/__init__.py": "other", "purge/views.py": "other"})
    (message,) = found()
    assert message.id == "lifecycle.E048"
    assert message.msg.startswith("purge/__init__.py are not as django-tombstone has installed")
    assert "They are also of django-purge." in message.msg
    assert "pip install --force-reinstall --no-deps django-tombstone" in message.hint


def test_a_file_that_is_missing_is_told(site: Path) -> None:
    install(site, NAME, OWN)
    (site / "purge/models.py").unlink()
    (message,) = found()
    assert message.msg.startswith("purge/models.py are not")
