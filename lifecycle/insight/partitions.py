"""Why partitions do not go, in words."""

from datetime import datetime
from typing import Any

from lifecycle.compiler.partitions import is_partitioned
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, fetch, statement
from lifecycle.models import AgendaEntry
from lifecycle.phrases import phrase
from lifecycle.policy.partitions import why_unfit
from lifecycle.policy.policy import Policy

#: why no partition of a table goes, by the word of `lifecycle.partitions_v1`
OF_TABLE = {
    "missing": phrase("the table is not there"),
    "not_partitioned": phrase("the table is not partitioned"),
    "other_key": phrase(
        "the table is not partitioned by RANGE of the one column that `expires` names"
    ),
    "other_type": phrase("the table is partitioned by a column that is neither a date nor a time"),
    "no_partitions": phrase("the table has no partition"),
}
#: why one does not, nor what is in it
OF_PARTITION = {
    "default": phrase("it is the default partition: what is in it never ends"),
    "subpartitioned": phrase(
        "it is partitioned itself, or the table is a partition of another one"
    ),
    "foreign": phrase("it is a foreign table"),
    "detaching": phrase(
        "DETACH CONCURRENTLY was interrupted: finish it, DETACH PARTITION ... FINALIZE"
    ),
    "other_bounds": phrase("its bounds are none of a range"),
    "referenced": phrase("a foreign key refers to the table"),
    "delete_trigger": phrase("a trigger or a rule of the site fires when its rows are deleted"),
    "not_owner": phrase("the owner of the ledger's functions may not drop it"),
}
#: why one that was looked at stays
OF_ROWS = {
    "held": phrase("a row of it is held"),
    "kept": phrase("`keep_while` keeps a row of it"),
    "left_out": phrase("a row of it is left out by `when`, or not past its end"),
    "unfit": phrase("its policy cannot be of partitions: `manage.py check` says why (E056)"),
    "late": phrase(
        "to look at all of its rows took longer than its purge hours, or the hour of the cap, last"
    ),
    "timeout": phrase(
        "the server has stopped the look at its rows, as by a short `statement_timeout`"
    ),
    "locked": phrase("another session has its table, or a row of it, locked"),
}


def in_words(code: str) -> str:
    """What a word of the ledger means, of why a partition stays; the word where it is another."""
    return (OF_TABLE | OF_PARTITION | OF_ROWS).get(code, code)


def problems(policy: Policy, using: str) -> list[str]:
    """Why rows of the policy's table, or of some of its partitions, do not end."""
    if not is_partitioned(policy):
        return []
    why = why_unfit(policy)
    return ([phrase("no partition goes: %(why)s", why=why)] if why else []) + of_table(
        policy, using
    )


def of_table(policy: Policy, using: str) -> list[str]:
    """The same as far as the database's catalogue says."""
    rows = fetch(using, statement(__file__, "problems"), {"policy": policy.name})
    return [_said(*row) for row in rows]


def _said(name: str, code: str, more: int) -> str:
    if code in OF_TABLE:
        return phrase("no partition goes: %(why)s", why=in_words(code))
    if not more:
        return phrase("%(name)s stays: %(why)s", name=name, why=in_words(code))
    return phrase(
        "%(name)s and %(more)s more stays: %(why)s", name=name, more=more, why=in_words(code)
    )


def entries_of(policy: Policy, key: str, using: str) -> list[AgendaEntry]:
    """The agenda entries of the partition in which a row is."""
    until, *_ = _place(policy, key, using)
    listed = AgendaEntry.objects.using(using).filter(policy=policy.name, window_at=until)
    return list(listed.select_related("event").order_by("due_at")) if until else []


def waits(entry: AgendaEntry) -> str:
    """Why the partition of an entry stayed when it was last tried; '' where it was not."""
    detail = entry.event.detail
    code = "kept" if entry.event.kind == "kept" else detail.get("error") or detail.get("relisted")
    return in_words(str(code)) if code else ""


def why_not(policy: Policy, key: str, using: str) -> str:
    """Why a row's partition is not on the agenda."""
    until, problem, over, _ = _place(policy, key, using)
    if problem:
        return in_words(problem)
    if until is None:
        return phrase("it has no upper bound, and never goes")
    if over:
        return phrase("it is put on the agenda within a minute")
    return phrase("it is not over yet")


def due_of(policy: Policy, key: str, using: str) -> datetime | None:
    """When the last row that a row's partition can have is past its end; None: it never goes."""
    _, problem, _, due = _place(policy, key, using)
    return None if problem else due


def _place(
    policy: Policy, key: str, using: str
) -> tuple[datetime | None, str, bool, datetime | None]:
    code = compiled(policy)
    typed = Placed(code.key.typed("%(key)s"))
    parts: dict[str, Any] = {"table": code.tables[0], "pk": code.key.column, "typed": typed}
    params = {"policy": policy.name, "key": key}
    rows = fetch(using, statement(__file__, "of_row", **parts), params)
    return rows[0] if rows else (None, "", False, None)
