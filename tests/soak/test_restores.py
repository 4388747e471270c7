"""Restores of a site of 5,000 rows by each tool; and a recovery that is killed until it is through.

`tests/purge/recovery` has the small ones.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile

import lifecycle
import purge
from lifecycle.models import Event
from purge import runner
from purge.proof import gate, place
from purge.proof.detect import State
from purge.proof.work import publish_now
from tests.infra.servers import ROOT, until
from tests.lifecycle.management.test_commands import manage
from tests.purge.archive.engine import archiving, manifests
from tests.purge.proof.support import KEY, SIGNER, USING, alarm, in_folder, state
from tests.purge.recovery.restores import backups
from tests.purge.recovery.test_from_proof import FUTURE, PAST, RECOVER, rows, whole
from tests.purge.worker.consumer import Consumer, address
from tests.soak.servers_of_backups import base_backup, point_in_time
from tests.support import ENDINGS, Background, run_until_idle
from tests.zoo.models import Coupon, Member, Person, Photo, Spark, Ticket, Token

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not settings.EMBEDDED_DATABASE, reason="needs the embedded server's tools"),
]
TABLES = (Token, Ticket, Coupon, Person, Photo)
BackUp = Callable[[], Callable[[], None]]


@contextmanager
def by_template(folder: Path) -> Iterator[BackUp]:
    with backups(folder) as made:
        yield made.template


@contextmanager
def by_dump(folder: Path) -> Iterator[BackUp]:
    with backups(folder) as made:
        yield made.dump


WAYS: dict[str, Callable[[Path], AbstractContextManager[BackUp]]] = {
    "template": by_template,
    "pg_dump": by_dump,
    "base backup": lambda folder: base_backup(),
    "point in time": lambda folder: point_in_time(),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(gate, "_known", {})
    monkeypatch.setattr(place, "_heard", {})
    monkeypatch.setattr(place, "SILENT", 0.0)
    monkeypatch.setattr(gate, "TRUSTED", 0.0)
    monkeypatch.setattr(gate, "SOON", 0.0)
    with in_folder(tmp_path / "store"):
        yield tmp_path


@pytest.fixture(autouse=True)
def media(folder: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = str(folder / "media")
    return folder / "media"


def fill() -> None:
    """5,000 rows."""
    Token.objects.bulk_create(Token(label=f"t{n}", expires_at=FUTURE) for n in range(1_900))
    Ticket.objects.bulk_create(Ticket(expires_at=FUTURE) for _ in range(1_000))
    Coupon.objects.bulk_create(Coupon(code=f"c{n}", expires_at=FUTURE) for n in range(1_000))
    Member.objects.bulk_create(
        Member(email=f"{n}@x", status="live", left_at=FUTURE) for n in range(1_000)
    )
    for number in range(50):
        person = Person.objects.create(name=str(number))
        Photo.objects.create(person=person, file=ContentFile(b"x", f"{number}.jpg"))
        lifecycle.hold(person, reason="checked")
        lifecycle.release(person)
    run_until_idle()
    publish_now(USING)


def go_on() -> None:
    """What is lost with the backup: endings of every kind, holds, restores, erasures."""
    tokens = list(Token.objects.order_by("pk"))
    for token in tokens[-20:]:
        lifecycle.hold(token, reason="case")
    Token.objects.filter(pk__lte=tokens[799].pk).update(expires_at=PAST)
    Ticket.objects.filter(pk__in=Ticket.objects.values("pk")[:300]).delete()
    Coupon.objects.filter(code__startswith="c1").update(expires_at=PAST)
    Member.objects.filter(email__startswith="1").update(left_at=PAST)
    late = Member.objects.bulk_create(Member(status="late") for _ in range(500))
    run_until_idle()
    Member.objects.filter(pk__in=[each.pk for each in late]).delete()
    for token in tokens[900:910]:
        lifecycle.expire_now(token, policy="tokens")
    for token in tokens[1_000:1_010]:
        Token.objects.filter(pk=token.pk).update(expires_at=PAST)
        lifecycle.restore(token)
    for person in Person.objects.order_by("pk")[:25]:
        purge.erase(person, reference=f"R{person.pk}", actor="dpo", grace=timedelta(0))
    run_until_idle()
    publish_now(USING)


def all_rows() -> list[Any]:
    return [*map(rows, TABLES), dict(Member.objects.values_list("pk", "email"))]


@pytest.mark.parametrize("way", WAYS)
def test_what_had_ended_is_gone_again(way: str, folder: Path, media: Path) -> None:
    with archiving("tokens"), WAYS[way](folder) as back_up:
        fill()
        restore = back_up()
        shutil.copytree(media, folder / "old media")
        go_on()
        was, archives = all_rows(), len(manifests(folder / "store"))
        assert archives
        files = {each.name for each in media.rglob("*.jpg")}
        restore()
        shutil.copytree(folder / "old media", media, dirs_exist_ok=True)
        seen = noticed(folder)
        assert seen < 5
        assert state() is State.RESTORED
        new = Member.objects.bulk_create(Member(status="new") for _ in range(500))
        started = time.monotonic()
        manage(*RECOVER)
        took = time.monotonic() - started
        was[-1] |= {member.pk: "" for member in new}
        assert all_rows() == was
        assert {each.name for each in media.rglob("*.jpg")} == files
        whole()
        last = max(rows(Event))
        manage(*RECOVER)
        run_until_idle()
        assert not Event.objects.filter(kind__in=ENDINGS, pk__gt=last).exists()
        assert all_rows() == was
        assert len(manifests(folder / "store")) == archives
        print(f"{way}: noticed in {seen:.1f} s, recovered in {took:.1f} s")


def test_to_a_moment_within_a_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batches are committed, of which nothing is sealed; of the third all is done but that."""
    with point_in_time() as back_up:
        Spark.objects.bulk_create(Spark(flash=True, expires_at=PAST) for _ in range(100))
        Spark.objects.create(flash=True, expires_at=FUTURE)
        publish_now(USING)
        reached, go = threading.Event(), threading.Event()
        own, calls = runner.settle, count(1)

        def settle(batch: Any) -> None:
            own(batch)
            if next(calls) == 3:
                reached.set()
                assert go.wait(120)

        monkeypatch.setattr(runner, "settle", settle)
        run = Background(run_until_idle)
        assert reached.wait(60)
        restore = back_up()
        go.set()
        run.result()
        assert Spark.objects.count() == 1
        publish_now(USING)
        restore()
        assert Spark.objects.count() == 61
        assert state() is State.RESTORED
        manage(*RECOVER)
        assert Spark.objects.get().expires_at == FUTURE
        whole()


def test_killed_until_it_is_through(folder: Path) -> None:
    """SIGKILL at one moment after the other of a process of its own."""
    with by_template(folder) as back_up:
        fill()
        restore = back_up()
        go_on()
        was = all_rows()
        restore()
        new = Member.objects.bulk_create(Member(status="new") for _ in range(500))
        was[-1] |= {member.pk: "" for member in new}
        kills = 0
        while state() is State.RESTORED:
            kills += not recovered(folder, after=2.0 + kills * 0.25)
            assert kills < 200
        manage(*RECOVER)
        assert all_rows() == was
        whole()
        print(f"{kills} kills")
        assert kills > 5


def site_of(folder: Path) -> dict[str, str]:
    """The environment of a process of the same site."""
    return {
        "DJANGO_SETTINGS_MODULE": "tests.soak.published", "PROOF_SIGNER": SIGNER.secret_text(),
        "PROOF_KEY": KEY, "PROOF_STORE": str(folder / "store"),
        "PROOF_MEDIA": str(folder / "media"),
    }  # fmt: skip


def noticed(folder: Path) -> float:
    """Seconds from the start of a worker until its alarm stands."""
    worker = Consumer("worker", folder, **site_of(folder)).wait_ready()
    started = time.monotonic()
    try:
        until(lambda: alarm().get("kind") == "restored", 20)
        return time.monotonic() - started
    finally:
        worker.end()


def recovered(folder: Path, after: float) -> bool:
    """Run a recovery in a process, killed after so many seconds; whether it came to its end."""
    environment = os.environ | site_of(folder) | {"DATABASE_URL": address()}
    command = [sys.executable, "-m", "tests.soak.recovering"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        return process.wait(after) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
