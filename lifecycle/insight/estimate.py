"""How many rows a policy ends until a moment, by PostgreSQL's statistics, in milliseconds.

Only where a row ends a fixed time after a column: then the condition is one on the column, of which
the statistics have a histogram. Of another expression the planner has a guess, which nobody may
take for a number.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from lifecycle.db.rows import every_row
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy


def estimated(policy: Policy, until: datetime, using: str) -> int | None:
    """About how many rows end until then; None where that cannot be said."""
    aged = age_of(policy.expires)
    if aged is None or not isinstance(policy.grace, timedelta):
        return None
    column, age = aged
    rows = every_row(policy.model, using).filter(policy.when)
    return planned(rows.filter(**{f"{column}__lte": until - age - policy.grace}))


def planned(rows: Any) -> int:
    """How many rows the planner takes a queryset for. A guess where it has no statistics."""
    (plan,) = json.loads(rows.explain(format="json"))
    return int(plan["Plan"]["Plan Rows"])
