"""Statements whose plan is narrowed are not compiled: before PostgreSQL 18 each would look dear.

A DELETE of one row took half a second so, on a server that has `jit` on, as Debian's has.
"""

import pytest
from django.db import connection, transaction

from lifecycle.db.connection import own_transaction, scalar
from lifecycle.insight.there import BY_KEY
from purge.batch.subjects import in_order_of_index, without_loops

NARROWED = """
SELECT count(*), count(*) FILTER (WHERE NOT 'jit=off' = ANY (proconfig)) FROM pg_proc
WHERE (pronamespace = 'lifecycle'::regnamespace OR proname LIKE 'pgtrigger\\_lc\\_%')
AND proconfig::text LIKE '%enable\\_%'
"""


@pytest.mark.django_db
def test_functions_that_narrow_their_plan_are_not_compiled() -> None:
    with connection.cursor() as cursor:
        cursor.execute(NARROWED)
        narrowed, compiled = cursor.fetchone()
    assert narrowed > 10
    assert compiled == 0
    assert BY_KEY["jit"] == "off"


@pytest.mark.django_db(transaction=True)
def test_transactions_of_the_worker_are_not_compiled() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET jit = on")
    try:
        with own_transaction("default"):
            assert scalar("default", "SHOW jit") == "off"
        for narrow in (without_loops, in_order_of_index):
            with transaction.atomic(), narrow("default"):
                assert scalar("default", "SHOW jit") == "off"
        assert scalar("default", "SHOW jit") == "on"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET jit")
