"""`adopt --write`: valid Python after what is there, or nothing at all."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import models
from django.test.utils import isolate_apps

from lifecycle.adoption.guess import guess
from lifecycle.adoption.imports import hoisted
from lifecycle.adoption.proposals import Proposal
from lifecycle.adoption.scaffolded import policies_in
from lifecycle.adoption.tables import Table
from lifecycle.adoption.write import write
from lifecycle.exceptions import LifecycleError
from lifecycle.scaffolds import names, scaffold
from tests.zoo.models import Reading

NOTHING = Table(0, 0, 0, None, True, frozenset())


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty app in the place of the tests' own."""
    with patch.object(apps.get_app_config("zoo"), "path", str(tmp_path)):
        yield tmp_path


def found() -> list[Proposal]:
    guessed = guess(Reading)
    assert guessed.policy is not None
    return [
        Proposal(LogEntry, NOTHING, "django.contrib.admin", "scaffold", "admin-log"),
        Proposal(LogEntry, NOTHING, "auditlog", "scaffold", "auditlog"),
        Proposal(Reading, NOTHING, "", "guess", guessed.policy.name, guessed.reason, guessed.text),
        Proposal(Reading, NOTHING, "", "nothing", reason="no field"),
    ]


def ruff(*arguments: Any) -> None:
    command = [sys.executable, "-m", "ruff", *map(str, arguments), "--config", "line-length=100"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def formatted(folder: Path) -> None:
    ruff("check", "--isolated", "--select", "E,F,I", "--ignore", "F401", folder)
    ruff("format", "--isolated", "--check", folder)


def test_new_files(folder: Path) -> None:
    written = write(found(), "zoo")
    assert next(iter(written.values())) == ["admin-log", "auditlog"]
    text = (folder / "policies.py").read_text()
    assert "# A guess: " in text
    assert "observe_first=True" in text
    assert "class OldAdminLogEntry" in (folder / "models.py").read_text()
    formatted(folder)


def test_again_writes_nothing(folder: Path) -> None:
    write(found(), "zoo")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert not any(write(found(), "zoo").values())
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_what_is_there_stays(folder: Path) -> None:
    own = "# mine\r\nfrom lifecycle import Policy  # noqa\n\nanswer = 'ä'"
    (folder / "policies.py").write_bytes(own.encode())
    (folder / "policies.py").chmod(0o640)
    write(found(), "zoo")
    assert (folder / "policies.py").read_bytes().startswith(own.encode())
    assert (folder / "policies.py").stat().st_mode & 0o777 == 0o640
    compile((folder / "policies.py").read_text(), "policies", "exec")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("policies.py", "def broken(:\n", "cannot be read as Python"),
        ("models.py", "class OldAdminLogEntry: pass\n", "two classes OldAdminLogEntry"),
        ("policies/__init__.py", "", "is a package"),
    ],
)
def test_refused_before_anything_is_written(folder: Path, name: str, text: str, why: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(LifecycleError, match=why):
        write(found(), "zoo")
    assert [each for each in folder.rglob("*") if each.is_file()] == [path]
    assert path.read_text() == text


def test_names_of_the_file_mean_what_they_meant(folder: Path) -> None:
    (folder / "models.py").write_text("class LogEntry:\n    pass\n\n\nOWN = LogEntry\n")
    own = "import datetime\n\nfrom .models import OldAdminLogEntry\nfrom shop import register\n"
    (folder / "policies.py").write_text(own)
    proposals = found()
    proposals[1] = Proposal(LogEntry, NOTHING, "post_office", "scaffold", "post-office")
    write(proposals, "zoo")
    text = (folder / "models.py").read_text()
    assert "from django.contrib.admin.models import LogEntry as DjangoLogEntry\n" in text
    assert "class OldAdminLogEntry(DjangoLogEntry):" in text
    text = (folder / "policies.py").read_text()
    assert "from lifecycle import register as Lifecycleregister\n" in text
    assert "\nLifecycleregister(\n" in text
    assert "\nregister(" not in text
    assert "from datetime import datetime as Datetimedatetime\n" in text
    assert "Value(Datetimedatetime(2000, 1, 1, tzinfo=UTC)" in text
    assert "import OldAdminLogEntry as" not in text


def test_an_alias_that_is_taken_gets_another_name(folder: Path) -> None:
    (folder / "policies.py").write_text("devices = 1\n")
    write([Proposal(LogEntry, NOTHING, "django_otp", "scaffold", "otp")], "zoo")
    text = (folder / "policies.py").read_text()
    assert "from . import models as devices_\n" in text
    assert "getattr(devices_," in text


def test_a_name_that_cannot_be_told_apart_is_refused(folder: Path) -> None:
    own = "class EmailDevice:\n    pass\n"
    (folder / "models.py").write_text(own)
    with pytest.raises(LifecycleError, match="would mean something else by EmailDevice"):
        write([Proposal(LogEntry, NOTHING, "django_otp", "scaffold", "otp")], "zoo")
    assert (folder / "models.py").read_text() == own


@pytest.mark.slow
def test_what_was_adopted_before_is_in_nobodys_way(folder: Path) -> None:
    for name in names():
        write([Proposal(LogEntry, NOTHING, name, "scaffold", name)], "zoo")
    ruff("check", "--isolated", "--select", "F821", folder)
    assert (folder / "policies.py").read_text().count("# adopted: ") == len(names())


def test_classes_inside_of_others_may_have_one_name(folder: Path) -> None:
    own = "class Order:\n    class Status:\n        pass\n\n\n"
    (folder / "models.py").write_text(own + own.replace("Order", "Refund"))
    write(found(), "zoo")
    assert "class OldAdminLogEntry" in (folder / "models.py").read_text()


def test_what_cannot_be_written_as_it_is_is_left_out(folder: Path) -> None:
    swapped = found()[0]
    swapped.by_hand = "auth.User is swapped"
    assert not any(write([swapped], "zoo").values())
    assert not [*folder.iterdir()]


def test_a_link_stays_one(folder: Path) -> None:
    (folder / "real.py").write_text("# mine\n")
    (folder / "policies.py").symlink_to(folder / "real.py")
    write(found(), "zoo")
    assert (folder / "policies.py").is_symlink()
    assert (folder / "real.py").read_text().startswith("# mine\n")


@pytest.mark.parametrize("label", ["admin", "lifecycle", "zooo", "", "../zoo"])
def test_only_into_an_app_of_the_site(folder: Path, label: str) -> None:
    with pytest.raises(LifecycleError, match="no app of the site's own"):
        write(found(), label)
    assert not [*folder.iterdir()]


def test_all_scaffolds_together(tmp_path: Path) -> None:
    for part, gap in (("models", "\n\n\n"), ("policies", "\n\n")):
        pieces = {f"# {name}": getattr(scaffold(name), part) for name in names()}
        text = hoisted({name: piece for name, piece in pieces.items() if piece}, gap)
        (tmp_path / f"{part}.py").write_text(text)
    formatted(tmp_path)
    ruff("check", "--isolated", "--select", "F811,F821", tmp_path)


@isolate_apps("tests.zoo")
def test_records_of_models_with_long_names_have_policies_of_their_own() -> None:
    made = []
    for name in ("SubscriptionInvoiceReminderLetter", "SubscriptionInvoiceReminderLetterLine"):
        values = {"__module__": "tests.zoo.models", "id": models.IntegerField(primary_key=True)}
        original = type(name, (models.Model,), values)
        values = {"__module__": "tests.zoo.models", "id": models.IntegerField()}
        values |= {"history_id": models.AutoField(primary_key=True), "instance_type": original}
        values |= {"history_date": models.DateTimeField()}
        made.append(type(f"Historical{name}", (models.Model,), values))
    with patch.object(apps, "get_models", return_value=made):
        found = policies_in(scaffold("simple-history"))
    assert len({each.name for each in found}) == 2
