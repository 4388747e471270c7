"""What runs after each `migrate`, beside a site that goes on writing."""

import pytest
from django.db import connection

from lifecycle.compiler.policy_sql import compiled
from lifecycle.install.after_migrate import sync
from lifecycle.models import PolicyState
from lifecycle.policy.registry import get_policy
from tests.support import session


@pytest.mark.django_db(transaction=True)
def test_nothing_waits_for_open_transactions_where_all_is_in_place() -> None:
    """Whoever waited would hold up every writer that comes later."""
    with session() as host:
        host.execute("INSERT INTO zoo_token (label, active, expires_at) VALUES ('', true, now())")
        host.execute("INSERT INTO zoo_reading (region) VALUES ('north')")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
            try:
                sync("default")
            finally:
                cursor.execute("RESET lock_timeout")
        host.rollback()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", ["due_sql", "state_sql"])
def test_sql_that_another_version_compiled_is_stored_anew(part: str) -> None:
    PolicyState.objects.filter(name="tokens").update(**{part: "SELECT"})
    sync("default")
    stored = PolicyState.objects.get(name="tokens")
    assert getattr(stored, part) == getattr(compiled(get_policy("tokens")), part)
    assert stored.state == "enabled"
