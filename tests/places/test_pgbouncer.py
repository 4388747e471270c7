"""A site and its worker behind pgbouncer in transaction mode."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DataError, connections, transaction
from django.utils import timezone

from lifecycle import context, hold, release, restore
from lifecycle.ledger import policy_states as states
from lifecycle.models import Event
from purge.passes.options import PassOptions
from purge.runner import run_due
from tests.infra.servers import until
from tests.purge.worker.consumer import Consumer, address, endings
from tests.support import let_pass
from tests.zoo.models import Draft, Line, Order, Spark, Token

Start = Callable[..., Consumer]

pytestmark = [
    pytest.mark.usefixtures("pooled"),
    pytest.mark.django_db(transaction=True, databases=["default", "pooled"]),
]
AGO = timedelta(days=3)


def changed(using: str) -> dict[str, str]:
    """What the next client of the session finds changed in it.

    PostgreSQL sets the isolation anew with each transaction, and only its source stays.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE source = 'session'"
            " AND name <> 'transaction_isolation'"
            " UNION ALL SELECT name, current_setting(name, true)"
            " FROM unnest(ARRAY['lifecycle.actor', 'lifecycle.cause', 'lifecycle.ending']) AS name"
            " WHERE coalesce(current_setting(name, true), '') <> ''"
        )
        return dict(cursor.fetchall())


def test_nothing_is_left_in_the_session(pooled: str) -> None:
    before = changed(pooled)
    live_through(pooled)
    connections[pooled].close()
    assert changed(pooled) == before


def live_through(using: str) -> None:
    """Everything that sets something, by a client that goes away afterwards."""
    rows, past = Token.objects.using(using), timezone.now() - AGO
    with context(actor="jo", cause="test", using=using):
        rows.bulk_create(Token(expires_at=past) for _ in range(3))
    first = rows.first()
    with context(actor="jo", using=using):
        number = hold(first)
        restore(first)
        release(number, using=using)
    states.pause("tokens", "jo", using)
    states.resume("tokens", "jo", using=using)
    Draft.objects.using(using).create(created_at=past)
    order = Order.objects.using(using).create(expires_at=past)
    Line.objects.using(using).create(order=order)
    call_command("purge", "--dry-run", database=using, verbosity=0)
    run_due(PassOptions(using=using))
    with pytest.raises(DataError), context(actor="jo", using=using):
        rows.create(expires_at=past, label="x" * 51)
    call_command("lifecycle", "backfill", "--policy", "tokens", "--database", using)
    call_command("lifecycle", "rebuild", database=using)


def test_a_row_lives_its_life(pooled: str) -> None:
    drafts, now = Draft.objects.using(pooled), timezone.now()
    with context(actor="jo", using=pooled):
        drafts.bulk_create(Draft(created_at=now - AGO) for _ in range(20))
    run_due(PassOptions(using=pooled))
    assert drafts.tombstoned().count() == 20
    restore(drafts.first())
    let_pass(timedelta(hours=2))
    run_due(PassOptions(using=pooled))
    assert drafts.count() == 1
    assert Event.objects.filter(kind="expiry_scheduled", actor="jo").exists()
    assert sum(Event.objects.filter(kind="purged").values_list("count", flat=True)) == 19


def test_many_rows_by_an_iterator(pooled: str) -> None:
    rows = Token.objects.using(pooled)
    rows.bulk_create(Token(expires_at=timezone.now() - AGO) for _ in range(300))
    assert sum(1 for _ in rows.tombstoned().iterator(chunk_size=50)) == 300
    with transaction.atomic(using=pooled):
        assert sum(1 for _ in rows.tombstoned().iterator(chunk_size=50)) == 300


def test_a_session_setting_would_be_seen(pooled: str) -> None:
    """The test above can fail."""
    with connections[pooled].cursor() as cursor:
        cursor.execute("SELECT set_config('lifecycle.actor', 'jo', false)")
    connections[pooled].close()
    try:
        assert changed(pooled)["lifecycle.actor"] == "jo"
    finally:
        with connections[pooled].cursor() as cursor:
            cursor.execute("RESET lifecycle.actor")


def test_migrations_go_through_it(pooled: str) -> None:
    call_command("migrate", database=pooled, verbosity=0)


def through(using: str, name: str) -> dict[str, str]:
    """What makes a consumer a client of the pooler."""
    entry = connections.settings[using]
    url = address(application_name=name, host=entry["HOST"], port=entry["PORT"])
    return {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.places.site"}


def heard(using: str) -> list[str]:
    """The channels that a session of the pool listens to."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_listening_channels()")
        return [channel for (channel,) in cursor.fetchall()]


def burn(using: str, count: int = 60) -> None:
    """Rows of both kinds that end within seconds, written through the pool; waits for that."""
    due = timezone.now() + timedelta(seconds=1)
    rows = Spark.objects.using(using)
    made = rows.bulk_create(Spark(flash=i % 2 == 0, expires_at=due) for i in range(count))
    until(lambda: not rows.exists(), 30)
    assert endings() == {str(row.pk): 1 for row in made}


@pytest.mark.slow
def test_a_worker_purges_through_it(pooled: str, consumer: Start) -> None:
    direct = address(application_name="direct")
    working = consumer("direct", **through(pooled, "pooled"), LIFECYCLE_DIRECT_URL=direct)
    burn(pooled)
    assert working.sessions("query LIKE 'listen%%'") == 2
    assert working.end() == 0
    assert heard(pooled) == []
    assert changed(pooled).keys() <= {"application_name"}


@pytest.mark.slow
def test_without_a_direct_way_a_worker_looks_each_second(pooled: str, tmp_path: Path) -> None:
    working = Consumer("poor", tmp_path, **through(pooled, "poor"))
    try:
        burn(pooled)
        # Asked while it runs: a session that the kill finds inside a statement leaves the pool.
        until(lambda: heard(pooled) == ["huey.q.tombstone"], 30)
    finally:
        working.kill()
    with connections[pooled].cursor() as cursor:
        cursor.execute("UNLISTEN *")
