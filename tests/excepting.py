"""Many exceptions of other rows: what costs should not grow with."""

from django.db import connection

from lifecycle.compiler.keys import label_of
from lifecycle.policy.registry import get_policy


def except_others(policy: str, kind: str, count: int) -> None:
    """Exceptions of rows that are not there, as the ledger writes them; no event tells of them."""
    model = label_of(get_policy(policy))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO lifecycle_exception (event_id, kind, policy, model, key, since)"
            " SELECT -1, %s, %s, %s, (-i)::text, now() FROM generate_series(1, %s) AS i",
            [kind, "" if kind == "hold" else policy, model, count],
        )
        cursor.execute("VACUUM (ANALYZE) lifecycle_exception")
