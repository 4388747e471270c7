"""A table of the same name in another schema, chosen by the search path: a schema for each tenant.

Its rows have the keys of other rows. Whoever writes, asks or works under whichever path: nothing of
it is written into the ledger under a name that means another row, no row ends, and it is told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from lifecycle import expire_now, hold, restore
from lifecycle.backfill import progress as backfill
from lifecycle.capture.triggers import registered, triggers_on
from lifecycle.db.tables import away
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.holds import hold_rows
from lifecycle.ledger.row_actions import expire_rows
from lifecycle.models import AgendaEntry, Event, PolicyState
from lifecycle.policy.registry import get_policy
from purge.batch.brakes import PolicyStanding, standing
from purge.runner import run_due, run_policy
from tests.hostile.roles import run
from tests.zoo.models import (
    Badge,
    Draft,
    Legacy,
    Member,
    Picture,
    Reading,
    Token,
    Upload,
    Visit,
)

pytestmark = pytest.mark.django_db(transaction=True)

#: a model for each form of capture that has triggers of its own, and Signals()
TABLES = ("zoo_token", "zoo_legacy", "zoo_upload", "zoo_badge")


@contextmanager
def tenant(schema: str = "t1") -> Iterator[None]:
    """Within a request of a tenant."""
    run(f"SET search_path = {schema}, public")
    try:
        yield
    finally:
        run("SET search_path = public")


@pytest.fixture
def t1() -> Iterator[None]:
    """A schema with the tables of a tenant, as migrations make them under its search path."""
    run("CREATE SCHEMA t1")
    try:
        with tenant(), transaction.atomic():
            for table in TABLES:
                run(f"CREATE TABLE t1.{table} (LIKE public.{table} INCLUDING ALL)")
                for trigger in triggers_on(table):
                    run_made(table, trigger)
        yield
    finally:
        run("DROP SCHEMA t1 CASCADE")


def run_made(table: str, trigger: Any) -> None:
    """As a migration makes a trigger on a table that it has just made."""
    model = next(m for m, each in registered() if each is trigger and m._meta.db_table == table)
    with connection.cursor() as cursor:
        cursor.execute(str(trigger.compile(model).sql))


def at(hours: float) -> Any:
    return timezone.now() + timedelta(hours=hours)


def ledger() -> list[int]:
    return list(Event.objects.order_by("id").values_list("id", flat=True))


def save() -> None:
    Token(expires_at=at(-1)).save()
    Legacy(expires_at=at(-1)).save()
    Badge(secret="k", until=at(-1)).save()


def save_many() -> None:
    Token.objects.bulk_create([Token(expires_at=at(-1)) for _ in range(3)])


def change() -> None:
    Token.objects.update(expires_at=at(-3))
    for row in Legacy.objects.all():
        row.expires_at = at(-2)
        row.save()


def delete() -> None:
    Token.objects.all().delete()
    for row in Legacy.objects.all():
        row.delete()


def copy() -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY zoo_token (label, active, expires_at) FROM STDIN") as lines,
    ):
        lines.write_row(("", True, at(-1)))


def truncate() -> None:
    run("TRUNCATE t1.zoo_token, t1.zoo_upload")


def files() -> None:
    Upload.objects.create(file="one")
    Upload.objects.update(file="two")
    Upload.objects.all().delete()


WRITES = (save, save_many, copy, change, files, delete, truncate)


def test_nothing_that_a_tenant_writes_is_taken_for_another_row(t1: None) -> None:
    own = Token.objects.create(expires_at=at(-1))
    hold(own)
    before = ledger()
    with tenant():
        save()
        for write in WRITES:
            write()
            assert ledger() == before, write.__name__
    Token.objects.update(expires_at=at(-2))
    assert len(ledger()) == len(before) + 1  # the ledger's own table is seen as ever


def test_each_row_is_asked_for_in_its_own_table(t1: None) -> None:
    """Row 1 of the ledger's table is due, of the tenant's not; row 2 the other way round."""
    for table, ends in (("public", (-1, 1)), ("t1", (1, -1))):
        for key, hours in enumerate(ends, 1):
            run(
                f"INSERT INTO {table}.zoo_token (id, label, active, expires_at)"
                f" VALUES ({key}, '', true, now() + interval '{hours} hours')"
            )
    listed = set(AgendaEntry.objects.values_list("event_id", flat=True))
    before = ledger()
    with tenant():
        assert standing(get_policy("tokens")) is PolicyStanding.ELSEWHERE
        run_due()
        assert backfill.step(get_policy("tokens"), hurried=True) is None
        with pytest.raises(LifecycleError, match="another table"):
            backfill.ask(get_policy("tokens"))
    assert ledger() == before
    assert set(AgendaEntry.objects.values_list("event_id", flat=True)) == listed
    run_due()
    assert keys("public") == [2]
    assert keys("t1") == [1, 2]


BESIDE = {"zoo_picture": "drafts", "zoo_visit": "members"}


@pytest.mark.parametrize("table", BESIDE)
def test_so_is_what_keeps_a_row_and_what_goes_along(table: str) -> None:
    """The tenant has a table only of that name; a row would go whose keeper nobody has seen."""
    policy = get_policy(BESIDE[table])
    run("CREATE SCHEMA t1")
    try:
        run(f"CREATE TABLE t1.{table} (LIKE public.{table} INCLUDING ALL)")
        Picture.objects.create(draft=Draft.objects.create(status="draft", created_at=at(-99)))
        Visit.objects.create(member=Member.objects.create(status="draft", expires_at=at(-99)))
        before = ledger()
        with tenant():
            assert standing(policy) is PolicyStanding.ELSEWHERE
            run_policy(policy)
        assert ledger() == before
        assert standing(policy) is PolicyStanding.ACTS
    finally:
        run("DROP SCHEMA t1 CASCADE")
    run("CREATE SCHEMA t1")
    try:
        run(f"ALTER TABLE public.{table} SET SCHEMA t1")
        with tenant():
            assert standing(policy) is PolicyStanding.ACTS, "it is the only one of its name"
    finally:
        run(f"ALTER TABLE t1.{table} SET SCHEMA public; DROP SCHEMA t1")


def keys(schema: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {schema}.zoo_token ORDER BY 1")
        return [key for (key,) in cursor.fetchall()]


SAYS: dict[str, Callable[[Token], Any]] = {
    "hold": hold,
    "restore": restore,
    "expire_now": lambda row: expire_now(row, policy="tokens"),
    "hold_rows": lambda row: hold_rows(Token.objects.filter(pk=row.pk)),
    "expire_rows": lambda row: expire_rows(Token.objects.filter(pk=row.pk), policy="tokens"),
}


def test_nobody_says_of_a_tenants_row_what_would_be_said_of_another(t1: None) -> None:
    Token.objects.create(pk=7, expires_at=at(1))
    before = ledger()
    with tenant():
        row = Token.objects.create(pk=7, expires_at=at(1))
        for name, say in SAYS.items():
            with pytest.raises(LifecycleError, match="search path"):
                say(row)
            assert ledger() == before, name


def fails(*arguments: str) -> str:
    out = StringIO()
    with pytest.raises((SystemExit, CommandError)) as ended:
        call_command(*arguments, stdout=out)
    return out.getvalue() + str(ended.value)


@pytest.mark.parametrize("path", ["public", "t1"])
def test_it_is_told(t1: None, path: str) -> None:
    with tenant(path):
        status = fails("lifecycle", "status", "tokens")
        assert "t1.zoo_token" in status
        assert "functions" not in status, "advice that leads nowhere"
        assert "t1.zoo_token" in fails("lifecycle", "verify")
        found = run_checks(tags=["database"], databases=["default"])
    assert not [m for m in found if m.id == "lifecycle.W130"]
    named = [m.msg for m in found if m.id == "lifecycle.W117"]
    seen = set(TABLES) - ({"zoo_legacy"} if path == "public" else set())  # which has no triggers
    assert {text.split()[0] for text in named} == {f"t1.{table}" for table in seen}


def test_a_tenants_migrate_changes_nothing_of_the_ledgers(
    t1: None, capsys: pytest.CaptureFixture[str]
) -> None:
    before = ledger(), list(PolicyState.objects.order_by("name").values())
    with tenant():
        assert "t1" in away("default")
        call_command("migrate", verbosity=0)
        assert "Nothing is recorded in schema t1" in capsys.readouterr().err
        assert "Nothing is recorded" in fails("lifecycle", "install")
    assert (ledger(), list(PolicyState.objects.order_by("name").values())) == before


def test_a_partition_may_be_in_another_schema() -> None:
    """It is the table's own, whatever the search path."""
    run("CREATE SCHEMA t1; ALTER TABLE zoo_reading_high SET SCHEMA t1")
    try:
        run(
            "INSERT INTO t1.zoo_reading_high (id, region, expires_at)"
            " VALUES (1000, 'north', now() - interval '1 hour')"
        )
        assert Event.objects.filter(kind="expiry_scheduled", model="zoo.reading").count() == 1
        found = run_checks(tags=["database"], databases=["default"])
        assert not [m for m in found if m.id == "lifecycle.W117"]
        run_due()
        assert not Reading.objects.exists()
    finally:
        run("ALTER TABLE t1.zoo_reading_high SET SCHEMA public; DROP SCHEMA t1 CASCADE")
