"""The times of a policy's notices as SQL."""

from typing import Any

from django.db.models import Case, Func, Q, TextField, When

from lifecycle.policy.notice import Leads
from lifecycle.policy.policy import Policy


def notice_of(policy: Policy) -> Any:
    """How many seconds before its end each mail about a row goes, the first one first; NULL: none.

    Only of a policy that has notices.
    """
    notice: Any = policy.notice
    if notice.by is None:
        return _seconds(notice.leads[None])
    cases = [
        When(_has(notice.by, value), then=_seconds(leads)) for value, leads in notice.leads.items()
    ]
    return Case(*cases, default=_seconds(notice.otherwise), output_field=TextField())


def _has(by: str, value: Any) -> Q:
    return Q(**{f"{by}__isnull": True}) if value is None else Q(**{by: value})


def _seconds(leads: Leads) -> Func:
    """An array of numbers that the declaration has: no value of a row comes into it."""
    numbers = ",".join(f"{each.total_seconds():.6f}" for each in leads)
    text = f"ARRAY[{numbers}]" if leads else "NULL"
    return Func(template=f"{text}::pg_catalog.float8[]", output_field=TextField())
