"""A replica that falls behind slows passes down; a role that is not told of it is named."""

import pytest
from django.db import connection

from lifecycle.checks.roles import short_sighted
from lifecycle.policy.registry import get_policy
from purge.passes import pressure
from tests.places.servers import Replica
from tests.support import wait_until
from tests.zoo.models import Token

pytestmark = [
    pytest.mark.usefixtures("stale"),
    pytest.mark.django_db(transaction=True, databases=["default", "replica"]),
]


def measures() -> pressure.Measures:
    return pressure.measure(get_policy("tokens"), "default", None)[0]


@pytest.mark.slow
def test_a_replica_that_does_not_replay(stale: Replica) -> None:
    stale.catch_up()
    Token.objects.bulk_create(Token() for _ in range(1000))
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        Token.objects.create()
        cursor.execute("RESET synchronous_commit")
    assert wait_until(lambda: measures().get("retained_wal", 0)) > 10_000
    assert wait_until(lambda: measures().get("replica_lag", 0)) > 0


def test_a_role_that_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecycle.checks.roles.is_test_database", lambda connection: False)
    assert not list(short_sighted("default"))
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE nobodys_worker; SET ROLE nobodys_worker")
        try:
            (message,) = short_sighted("default")
            assert message.id == "lifecycle.W131"
            assert "TO nobodys_worker;" in str(message.hint).replace('"', "")
            cursor.execute("RESET ROLE; GRANT pg_read_all_stats TO nobodys_worker")
            cursor.execute("SET ROLE nobodys_worker")
            assert not list(short_sighted("default"))
        finally:
            cursor.execute("RESET ROLE; DROP ROLE nobodys_worker")
