"""Whether a row has an exception, as a part of statements that read the rows of a table."""

from lifecycle.db.connection import Placed, statement

#: restored or expired by hand under a policy
OF_POLICY = "lc_one.policy = %(policy)s AND lc_one.kind IN ('restored', 'expired_by_hand')"
IN_FORCE = "lifecycle.in_force_v1(lc_one.until, (SELECT lifecycle.now_v1()))"
HELD = f"lc_one.kind = 'hold' AND lc_one.model = %(model)s AND {IN_FORCE}"
RESTORED = f"lc_one.kind = 'restored' AND lc_one.policy = %(policy)s AND {IN_FORCE}"
BY_HAND = (
    "lc_one.kind = 'expired_by_hand' AND lc_one.policy = %(policy)s"
    " AND lc_one.since <= (SELECT lifecycle.now_v1())"
)
#: warned of its end by all its mails, the time of which is over
TOLD = (
    "lc_one.kind = 'noticed' AND lc_one.policy = %(policy)s"
    " AND lc_one.until <= (SELECT lifecycle.now_v1())"
)


def excepted(key: str, which: str) -> Placed:
    """SQL: whether one of the exceptions `lc_one` of a condition has the key, SQL of a text."""
    parts = {"key": Placed(key), "which": Placed(which)}
    return Placed(statement(__file__, "excepted", **parts))
