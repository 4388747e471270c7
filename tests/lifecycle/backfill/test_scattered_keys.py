"""Rows whose keys are scattered: sets of the agenda that reach over all of the table."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle.backfill import chunk as chunks
from lifecycle.backfill import progress as backfill
from lifecycle.db.connection import own_transaction
from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from tests.backfills import listed, past_triggers, read_again
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
FAR = 2**31 - 1
SCATTERED = """
INSERT INTO zoo_token (id, active, label, expires_at)
SELECT hash, true, '', now() + interval '5 days' FROM (
    SELECT DISTINCT abs(hashint8(n)::bigint) AS hash
    FROM generate_series(%s::bigint, %s::bigint) AS n) AS one
ON CONFLICT DO NOTHING
"""


def create(*keys: int) -> None:
    end = timezone.now() + 5 * DAY
    Token.objects.bulk_create(Token(pk=key, expires_at=end) for key in keys)


@pytest.mark.parametrize("keys", [(1, 3, 7), (1, FAR - 9, FAR), (1, 2, 3)], ids=str)
def test_a_row_between_the_keys_of_a_set_is_listed(keys: tuple[int, ...]) -> None:
    """Whatever the set: an array, one that is far spread, a range."""
    create(*keys)
    with past_triggers():
        create(5, FAR - 5)
    assert listed("tokens") == len(keys)
    assert read_again("tokens") == 2
    found = Event.objects.filter(kind="expiry_scheduled").latest("id")
    assert found.subjects == ["5", str(FAR - 5)]
    assert read_again("tokens") == 0


def test_keys_spread_over_all_numbers_are_read_in_time() -> None:
    """Each chunk may meet each set; statistics are those of an empty table, as after a COPY."""
    with connection.cursor() as cursor:
        for first in range(0, 20_000, 2_000):
            cursor.execute(SCATTERED, [first, first + 1_999])
        cursor.execute("SET statement_timeout = '10s'")
    try:
        assert read_again("tokens") == 0
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
    assert listed("tokens") == Token.objects.count() > 19_000


def test_what_is_listed_is_never_looked_for_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """No nested loop over the rows of a chunk, even where hashing and sorting look dear."""
    create(1, 3, 7)
    plans = []

    def explain(using: str, text: str, params: dict[str, object]) -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_hashjoin = off")
            cursor.execute("SET LOCAL enable_mergejoin = off")
            cursor.execute("EXPLAIN " + text, params)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
        return [(3, None, 0, None)]

    monkeypatch.setattr(chunks, "fetch", explain)
    lister = chunks.Lister(get_policy("tokens"), "default")
    for name in ("backfill", "backfill_failed"):
        with own_transaction("default"):
            lister._fetch(name, None, backfill.CHUNK, sqlstate="22000")
    for plan in plans:
        assert "Full Join" in plan, plan
