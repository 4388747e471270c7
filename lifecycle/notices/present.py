"""When a row ends now: what a notice is given for, and what a link is compared with."""

from datetime import datetime
from typing import Any

from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, Raw, fetch, statement
from lifecycle.policy.policy import Policy


def present_end(
    policy: Policy, key: str, stored: str, using: str
) -> tuple[datetime | None, datetime]:
    """The end of a row, None where it has none or has just gone; and the database's clock.

    `stored` is the key as the ledger writes it. A hold and `keep_while` are not asked: they keep a
    row and move no end.
    """
    code = compiled(policy)
    parts: dict[str, Any] = {"state_sql": Raw(code.state_sql)}
    parts["key"] = Placed(code.key.typed("%(key)s"))
    params = {"policy": policy.name, "key": key, "stored": stored, "resolution": policy.resolution}
    ends, now = fetch(using, statement(__file__, "present_end", **parts), params)[0]
    return ends, now
