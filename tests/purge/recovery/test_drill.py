"""A drill says what a recovery would do, and does nothing to the live site or its stores."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.models.signals import post_delete

from lifecycle.embedded.location import binaries
from lifecycle.embedded.location import place as place_of
from lifecycle.models import Event
from purge.proof.work import publish_now
from tests.lifecycle.management.test_commands import fails, manage
from tests.purge.proof.support import USING
from tests.purge.recovery.restores import administer, here, run, url
from tests.purge.recovery.test_from_proof import FUTURE, PAST, rows, whole
from tests.purge.recovery.test_report import said
from tests.support import run_until_idle, session
from tests.zoo.models import Coupon, Person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not settings.EMBEDDED_DATABASE, reason="needs the embedded server's tools"),
]


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = binaries(place_of(settings.EMBEDDED_DATABASE))
    monkeypatch.setenv("PATH", str(tools), prepend=":")


def site_and_dump(folder: Path, *how: str) -> Path:
    Coupon.objects.bulk_create(Coupon(code=f"c{n}", expires_at=FUTURE) for n in range(5))
    Person.objects.create(name="p")
    publish_now(USING)
    run("pg_dump", *how, "-f", str(folder / "dump"), url(here()))
    Coupon.objects.filter(code__in=["c0", "c1"]).update(expires_at=PAST)
    run_until_idle()
    Person.objects.all().delete()
    publish_now(USING)
    return folder / "dump"


def databases() -> set[str]:
    """This test's own; others may run on the same server."""
    with session() as other:
        names = {name for (name,) in other.execute("SELECT datname FROM pg_database")}
    return {name for name in names if name.startswith(here())}


def stored(folder: Path) -> dict[str, bytes]:
    return {str(each): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("how", [["-Fc"], ["-Fp"]], ids=["custom", "plain"])
def test_a_drill(tmp_path: Path, how: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    dump = site_and_dump(tmp_path, *how)
    live, store, there = here(), stored(tmp_path / "store"), databases()
    events, heard = Event.objects.count(), list[Any]()
    post_delete.connect(lambda sender, **said: heard.append(sender), weak=False)
    try:
        text = said(manage("lifecycle", "drill", str(dump)))
    finally:
        post_delete.receivers.pop()
        post_delete.sender_receivers_cache.clear()
    for line in ("State: drill: all is put back", "3 would end again", "0 are unsure"):
        assert line in text
    assert {each._meta.app_label for each in heard} <= {"purge"}  # our own run, which it forgets
    assert here() == live == connection.settings_dict["NAME"]
    assert (databases(), stored(tmp_path / "store")) == (there, store)
    assert (Event.objects.count(), rows(Coupon)) == (events, {"c2", "c3", "c4"})
    whole()


@pytest.mark.slow
def test_what_a_killed_drill_has_left_is_dropped_and_nothing_else(tmp_path: Path) -> None:
    dump, scratch = site_and_dump(tmp_path, "-Fc"), f"{here()}_drill"
    administer(f'CREATE DATABASE "{scratch}"')
    try:
        assert "which no drill has made" in fails("lifecycle", "drill", str(dump))
        assert scratch in databases()
        administer(f"COMMENT ON DATABASE \"{scratch}\" IS 'made by manage.py lifecycle drill'")
        manage("lifecycle", "drill", str(dump))
        assert scratch not in databases()
    finally:
        administer(f'DROP DATABASE IF EXISTS "{scratch}"')


def test_what_cannot_be_restored(tmp_path: Path) -> None:
    publish_now(USING)
    there = databases()
    (tmp_path / "dump").write_text("SELECT 1/0;\n")
    assert "cannot be restored" in fails("lifecycle", "drill", str(tmp_path / "dump"))
    assert "There is no dump" in fails("lifecycle", "drill", str(tmp_path / "none"))
    said_no = fails("lifecycle", "drill", str(tmp_path / "dump"), "--scratch", here())
    assert "is a database of this site" in said_no
    assert databases() == there
    assert connections["default"].settings_dict["NAME"] in there


@pytest.mark.slow
def test_a_dump_that_misses_nothing(tmp_path: Path) -> None:
    publish_now(USING)
    run("pg_dump", "-Fc", "-f", str(tmp_path / "dump"), url(here()))
    assert "the dump has all that is published" in manage(
        "lifecycle", "drill", str(tmp_path / "dump")
    )
