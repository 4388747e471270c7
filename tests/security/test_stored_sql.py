"""SQL that is stored in the database is compared with the code's, and never run."""

import pytest
from django.core.management import call_command
from django.db import connection

from lifecycle.models import Backfill, Event, PolicyState
from lifecycle.policy.registry import get_policy
from purge.batch.brakes import PolicyStanding, standing, why_stopped
from purge.runner import run_due
from tests.zoo.factories import ExpiredTokenFactory
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

PLANTED = (
    "SELECT id AS key, true AS matches, now() AS due, planted() AS keep, interval '0' AS grace"
)


@pytest.fixture
def planted() -> None:
    """A function that says in a table that it was called, and stored SQL that calls it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE called ()")
        cursor.execute(
            "CREATE FUNCTION planted() RETURNS boolean LANGUAGE sql AS"
            " $$ INSERT INTO called DEFAULT VALUES; SELECT false $$"
        )
    stored = PolicyState.objects.filter(name="tokens")
    stored.update(state_sql=f"{PLANTED} FROM zoo_token", due_sql=f"{PLANTED} FROM zoo_token")
    yield
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION planted; DROP TABLE called")


def calls() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM called")
        return cursor.fetchone()[0]


def test_the_policy_stops_with_a_reason(planted: None) -> None:
    row = ExpiredTokenFactory()
    before = Event.objects.count()
    run_due()
    assert standing(get_policy("tokens")) is PolicyStanding.ALTERED
    assert "other SQL in the database" in why_stopped(get_policy("tokens"))
    assert Token.objects.get() == row
    assert Event.objects.count() == before
    assert calls() == 0


@pytest.mark.slow
def test_migrate_stores_the_codes_own_again(planted: None) -> None:
    ExpiredTokenFactory()
    call_command("migrate", verbosity=0)
    assert run_due()["tokens"].purged == 1
    assert calls() == 0


def test_neither_people_nor_a_backfill_run_it(planted: None) -> None:
    row = ExpiredTokenFactory()
    call_command("lifecycle", "why", f"zoo.Token:{row.pk}")
    call_command("lifecycle", "backfill", "--policy", "tokens")
    assert Backfill.objects.get(policy="tokens").finished_at
    assert calls() == 0
