"""No trigger sees a table's rows go: the worker leaves them, whatever took the trigger away."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.db import connection
from django.utils import timezone

from lifecycle.insight.status import statuses
from lifecycle.install.triggers import install
from lifecycle.testing import run_until
from purge.exceptions import Unrecorded
from purge.runner import run_due
from tests.support import events_of
from tests.zoo.models import Member, Ticket, Visit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plants(11)]
PAST = timezone.now() - timedelta(days=2)


def run(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


@contextmanager
def disabled(table: str) -> Iterator[None]:
    run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        run(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@contextmanager
def swapped(table: str) -> Iterator[None]:
    """As tools do it that rewrite a table: a copy without the triggers has its name."""
    run(f"CREATE TABLE lc_copy (LIKE {table} INCLUDING ALL)")
    run(f"INSERT INTO lc_copy SELECT * FROM {table}")
    run(f"ALTER TABLE {table} RENAME TO lc_old; ALTER TABLE lc_copy RENAME TO {table}")
    try:
        yield
    finally:
        run(f"DROP TABLE {table}; ALTER TABLE lc_old RENAME TO {table}")
        install("default")


@contextmanager
def replica(table: str) -> Iterator[None]:
    """Every new session of the database writes as a subscription does."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    run(f"ALTER DATABASE {name} SET session_replication_role = 'replica'")
    connection.close()
    try:
        yield
    finally:
        run(f"ALTER DATABASE {name} RESET session_replication_role")
        connection.close()


WAYS = {"disabled": disabled, "swapped": swapped, "replica": replica}


def problems(policy: str) -> str:
    return " ".join(each for one in statuses() if one.policy == policy for each in one.problems)


@pytest.mark.parametrize("way", WAYS)
def test_a_row_whose_ending_nobody_would_record_stays(way: str) -> None:
    row = Ticket.objects.create(expires_at=PAST)
    with WAYS[way]("zoo_ticket"):
        with pytest.raises(Unrecorded, match="lifecycle install"):
            run_due()
        assert Ticket.objects.filter(pk=row.pk).exists()
        assert "Unrecorded" in problems("tickets")
    run_due()
    assert not Ticket.objects.exists()
    assert events_of(row)[-1] == "purged"


@pytest.mark.slow
def test_nor_does_what_goes_along() -> None:
    """A child with a policy of its own has an event of its own, or its parent stays."""
    member = Member.objects.create(expires_at=PAST)
    Visit.objects.create(member=member)
    run_due()
    with disabled("zoo_visit"):
        with pytest.raises(CommandError, match="stopped members"):
            run_until(timezone.now() + timedelta(hours=2))
        assert Visit.objects.filter(member=member).exists()
    run_until(timezone.now() + timedelta(hours=2))
    assert not Visit.objects.exists()


def test_a_table_that_does_not_lose_rows_may_be_without() -> None:
    row = Member.objects.create(expires_at=PAST)
    run_due()
    with disabled("zoo_visit"):
        run_until(timezone.now() + timedelta(hours=2))
    assert not Member.objects.filter(pk=row.pk).exists()
