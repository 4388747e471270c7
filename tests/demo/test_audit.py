"""`archive_audit_logs`: the mission's lines, by the engine."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from demo.factories import AuditLogFactory
from demo.models import AuditLog
from lifecycle import hold
from lifecycle.models import Event
from tests.clock import pass_time
from tests.demo.golden import assert_golden, manage
from tests.s3.swift import Server

pytestmark = pytest.mark.django_db(transaction=True)
NOW = {"purge_now": True, "yes": True, "actor": "jo"}
NAMES = re.compile(r"audit_logs_\d{8}_to_\d{8}_\d{8}_\d{6}\.")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    return tmp_path


def logs() -> list[AuditLog]:
    """Four that are old, two that are not."""
    now = timezone.now()
    ages = (100.5, 40.5, 31.5, 30.5, 29.5, 0)
    return [AuditLogFactory.create(created_at=now - timedelta(days=age)) for age in ages]


def assert_told(name: str, printed: str, folder: Path) -> None:
    printed = NAMES.sub("audit_logs_FROM_to_TO_MADE.", printed)
    assert_golden(name, printed.replace(str(folder), "FOLDER"))


def test_to_a_folder(folder: Path) -> None:
    rows = logs()
    assert_told("audit_folder", manage("archive_audit_logs", **NOW), folder)
    assert list(AuditLog.objects.order_by("pk")) == rows[4:]
    names = sorted(path.name for path in (folder / "audit-archives").iterdir())
    assert len([name for name in names if NAMES.match(name)]) == 3, names
    (path,) = [p for p in (folder / "audit-archives").iterdir() if p.suffix == ".json"
               and "manifest" not in p.name]  # fmt: skip
    assert [row["id"] for row in json.loads(path.read_text())] == [row.pk for row in rows[:4]]
    told = Event.objects.get(kind="purged", policy="audit-logs")
    assert (told.actor, told.count) == ("jo", 4)


def test_to_a_bucket(s3_server: Server, settings: Any, folder: Path) -> None:
    store = s3_server.bucket().name
    settings.AWS_STORAGE_BUCKET_NAME = store
    settings.AWS_S3_ENDPOINT_URL = s3_server.endpoint
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = s3_server.key, s3_server.secret
    settings.CLOUDFLARE_ACCOUNT_ID = "abc"
    rows = logs()
    printed = manage("archive_audit_logs", **NOW).replace(store, "BUCKET")
    assert_told("audit_bucket", printed, folder)
    assert list(AuditLog.objects.order_by("pk")) == rows[4:]


def test_none(folder: Path) -> None:
    AuditLogFactory.create()
    assert_told("audit_none", manage("archive_audit_logs", **NOW), folder)


def test_dry_run(folder: Path, request: pytest.FixtureRequest) -> None:
    rows = logs()
    request.getfixturevalue("nothing_changes")
    assert_told("audit_dry_run", manage("archive_audit_logs", dry_run=True, **NOW), folder)
    assert list(AuditLog.objects.order_by("pk")) == rows
    assert not any(folder.iterdir())


def test_other_ages() -> None:
    rows = logs()
    manage("archive_audit_logs", days=60, **NOW)
    assert list(AuditLog.objects.order_by("pk")) == rows[1:]
    manage("archive_audit_logs", days=20, **NOW)
    assert list(AuditLog.objects.order_by("pk")) == rows[5:]


def test_a_held_one_stays() -> None:
    rows = logs()
    hold(rows[1])
    manage("archive_audit_logs", **NOW)
    assert list(AuditLog.objects.order_by("pk")) == [rows[1], *rows[4:]]


def test_with_its_grace_they_go_with_their_month(folder: Path) -> None:
    rows = logs()
    assert_told("audit_tombstoned", manage("archive_audit_logs", actor="jo"), folder)
    assert list(AuditLog.objects.order_by("pk")) == rows
    assert set(AuditLog.objects.tombstoned()) == set(rows[:4])
    rows[5].delete()
    pass_time(days=35)  # the month of the youngest has ended for more than a month, on any day
    new = AuditLogFactory.create()
    assert "Archived 5 audit logs" in manage("archive_audit_logs", actor="jo")
    assert list(AuditLog.objects.order_by("pk")) == [new]


def test_nowhere_to_put_them(settings: Any) -> None:
    rows = logs()
    settings.LIFECYCLE_ARCHIVE_DIR = ""
    with pytest.raises(CommandError, match="There is nowhere to put archives"):
        manage("archive_audit_logs", **NOW)
    assert AuditLog.objects.count() == len(rows)
