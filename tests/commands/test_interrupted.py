"""Ctrl-C in the middle of each command: one line, exit code 130, and nothing half done."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle.models import Event
from purge.runner import run_due
from tests.commands.forking import Forking
from tests.commands.terminal import COMMANDS
from tests.purge.archive.making import PREFIX, made
from tests.purge.worker.consumer import address
from tests.races.gates import closed_gate
from tests.support import kinds, session, wait_until, waits_for
from tests.zoo.models import Client, Coupon, Draft, Token

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = (
    "lifecycle_event, lifecycle_policy, lifecycle_agenda, lifecycle_exception, lifecycle_lock,"
    " purge_plan, purge_request"
)
#: they ask no table of the ledger, here where nothing is published: nothing can hold them up
WAIT_FOR_NOTHING = {
    "lifecycle scaffold", "lifecycle grants", "lifecycle proof", "lifecycle drill",
    "lifecycle restore-report", "lifecycle roles", "lifecycle export", "lifecycle adopt",
    "lifecycle metrics",  # asks, and gives up by itself
}  # fmt: skip
#: as they have to be typed to come to the database
TYPED = COMMANDS | {
    "lifecycle enable": "lifecycle enable drafts --yes",
    "lifecycle uninstall": "lifecycle uninstall --yes --drop-ledger",
    "archive verify": "archive verify --all",
    "archive lost": "archive lost no_such_archive --reason R --yes",
    "archive erase": "archive erase audit-logs --where id=1 --reference R --yes",
}
del TYPED["archive load"]  # reads the archive first: below

SETTINGS = """
from tests.settings import *
LIFECYCLE_ARCHIVE_DIR = {!r}
"""


@pytest.fixture
def manage(tmp_path: Path) -> Iterator[Forking]:
    (tmp_path / "archives" / PREFIX).mkdir(parents=True)
    (tmp_path / "own_settings.py").write_text(SETTINGS.format(str(tmp_path / "archives")))
    environment = {"DJANGO_SETTINGS_MODULE": "own_settings", "PYTHONPATH": str(tmp_path)}
    forking = Forking(tmp_path, DATABASE_URL=address(), **environment)
    yield forking
    forking.close()


def interrupted(manage: Forking, command: str, keeper: Any) -> str:
    """What it says when Ctrl-C comes while it waits for what `keeper` has locked."""
    child = manage.begin(f"{command} --skip-checks")
    wait_until(lambda: waits_for(keeper.info.backend_pid) or has_ended(child), command)
    assert not has_ended(child), (command, manage.ended())
    os.kill(child, signal.SIGINT)
    code, said = manage.ended()
    assert (code, "Traceback" in said) == (130, False), (command, said)
    return said


def has_ended(child: int) -> bool:
    return not Path(f"/proc/{child}").exists()


def everything() -> list[Any]:
    """What the engine knows, the rows, and the triggers."""
    tables = (*TABLES.split(", ")[:4], "lifecycle_backfill", "zoo_draft", "zoo_client", "zoo_token")
    found: list[Any] = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT to_jsonb(one) FROM {table} AS one ORDER BY one::text")
            found.append(cursor.fetchall())
        cursor.execute("SELECT tgname, tgenabled FROM pg_trigger ORDER BY oid")
        return [*found, cursor.fetchall()]


def old_draft() -> None:
    Draft.objects.create(pk=1, created_at=timezone.now() - timedelta(days=2))


@pytest.mark.slow
def test_every_command_that_waits(manage: Forking) -> None:
    old_draft()
    Client.objects.create(pk=1, email="jo@example.com")
    before = everything()
    for name in TYPED.keys() - WAIT_FOR_NOTHING:
        with session() as keeper:
            keeper.execute(f"LOCK TABLE {TABLES} IN ACCESS EXCLUSIVE MODE")
            said = interrupted(manage, TYPED[name], keeper)
            keeper.rollback()
        assert "Interrupted." in said or "read. The worker goes on" in said, (name, said)
        assert everything() == before, name


@contextmanager
def returned() -> Iterator[None]:
    """A backup has brought back what was purged."""
    Token.objects.create(pk=7, label="gone", expires_at=timezone.now() - timedelta(days=9))
    rows = list(Token.objects.values())
    run_due()
    with session() as other:
        other.execute("SET session_replication_role = replica")
        for row in rows:
            other.execute(
                "INSERT INTO zoo_token VALUES (%(id)s, %(label)s, %(active)s, %(expires_at)s)", row
            )
        other.commit()
    yield


@contextmanager
def one_due() -> Iterator[None]:
    old_draft()
    yield


@contextmanager
def to_be_erased() -> Iterator[None]:
    Client.objects.create(pk=1, email="jo@example.com")
    yield


@contextmanager
def unlisted() -> Iterator[None]:
    with session() as other:
        other.execute("SET session_replication_role = replica")
        other.execute("INSERT INTO zoo_draft VALUES (9, '', 'draft', now() - interval '9 days')")
        other.commit()
    yield


#: a command, what is there, the event in whose writing it is stopped
MIDDLES: dict[str, tuple[Callable[[], AbstractContextManager[None]], str]] = {
    "purge": (one_due, "tombstoned"),
    "purge --dry-run": (one_due, "tombstoned"),
    "purge --replay --yes": (returned, "purged"),
    "lifecycle backfill --policy drafts": (unlisted, "expiry_scheduled"),
    "lifecycle erase zoo.Client:1 --reference R --yes": (to_be_erased, "updated"),
}


@pytest.mark.slow
def test_in_the_middle_of_a_transaction(manage: Forking) -> None:
    for command, (made_so, kind) in MIDDLES.items():
        with made_so():
            before, last = everything()[:-1], Event.objects.order_by("-id").first()
            with closed_gate(kind) as keeper:
                interrupted(manage, command, keeper)
            now = everything()[:-1]
            told = set(kinds(pk__gt=last.pk if last else 0)) - {"settled"}
            assert kind not in told, command
            assert now[5:] == before[5:], command  # no row of the site's has changed
            manage.begin(f"{command} --skip-checks")
            assert manage.ended()[0] == 0, command
            assert (kind in kinds(pk__gt=last.pk if last else 0)) == ("--dry-run" not in command)
        Draft.objects.all().delete()


@pytest.mark.slow
def test_in_the_middle_of_a_load(manage: Forking, tmp_path: Path) -> None:
    Coupon.objects.create(code="a", expires_at=timezone.now() + timedelta(days=9))
    manifest = made(tmp_path / "archives", Coupon, ["jsonl"], policy="coupons")
    Coupon.objects.all().delete()
    command = f"archive load {manifest.name} --prefix {PREFIX}"
    with closed_gate("loaded") as keeper:
        assert "Interrupted." in interrupted(manage, command, keeper)
    assert not Coupon.objects.exists()
    assert "loaded" not in kinds()
    manage.begin(command)
    assert manage.ended()[0] == 0
    assert Coupon.objects.get().code == "a"
