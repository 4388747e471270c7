"""Nothing that a session sets comes between a write and the ledger."""

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle.models import Event
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("table", ["lifecycle_event", "lifecycle_agenda", "lifecycle_exception"])
def test_temporary_table_swallows_nothing(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE {table} (LIKE public.{table} INCLUDING DEFAULTS)")
        Token.objects.create(expires_at=timezone.now())
        cursor.execute(f"SELECT count(*) FROM pg_temp.{table}")
        assert cursor.fetchone()[0] == 0
        cursor.execute(f"DROP TABLE pg_temp.{table}")
    assert Event.objects.filter(kind="expiry_scheduled").count() == 1


def test_functions_of_the_session_are_not_called() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA mine")
        cursor.execute(
            "CREATE FUNCTION mine.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
            " AS $$ SELECT timestamptz '1999-01-01' $$"
        )
        cursor.execute("SET LOCAL search_path = mine, public, pg_catalog")
        Token.objects.create(expires_at=timezone.now())
    assert Event.objects.get(kind="expiry_scheduled").recorded_at.year > 2000
