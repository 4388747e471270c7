"""What is wrong with a policy, in words: what does not end, is not recorded, or is late."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.version import to_install
from lifecycle.hints import database_option
from lifecycle.insight.causes import CAUSES
from lifecycle.install.functions import other_functions
from lifecycle.ledger.held_deleted import HeldDeleted, deleted_rows, without_a_row
from lifecycle.models import PolicyState
from lifecycle.phrases import counted, lasting, phrase
from lifecycle.policy.policy import Policy

State = PolicyState.State


def gaps_of(policy: Policy | None, tables: set[str]) -> list[str]:
    missed = sorted(tables.intersection(compiled(policy).tables)) if policy else []
    return [
        phrase(
            "writes to %(table)s are not recorded: run `manage.py lifecycle install`", table=table
        )
        for table in missed
    ]


def functions_of(using: str) -> list[str]:
    names = ", ".join(other_functions(using))
    text = phrase(
        "functions are missing or changed (%(names)s): run `manage.py lifecycle install`",
        names=names,
    )
    return [text] if names else []


def held_deleted_of(
    each: Any, gone: list[HeldDeleted], shown: Callable[[list[str]], list[str]]
) -> list[str]:
    """Of its table; a policy that is no longer declared may have let them go."""
    mine = [one for one in gone if one.model == each.table]
    each.held_deleted = sum(one.rows for one in mine)
    each.held -= without_a_row(mine)
    if not mine:
        return []
    (latest_name,) = shown([mine[0].name]) if mine[0].key else (mine[0].name,)
    said = phrase(
        "%(rows)s: the latest is %(name)s, hold %(hold)s, event %(event)s; see "
        "`manage.py lifecycle holds`",
        rows=deleted_rows(each.held_deleted),
        name=latest_name,
        hold=mine[0].hold,
        event=mine[0].event,
    )
    return [said]


def problems_of(each: Any, policy: Policy | None, max_lag: float) -> list[str]:
    if policy is None:
        gone = each.state == State.REMOVED
        return [] if gone else [phrase("not declared in this code: nothing of it ends")]
    if not each.state:
        command = to_install(each.database)
        return [phrase("not in the database: %(command)s", command=command)]
    found = []
    if each.fingerprint != fingerprint(policy):
        found.append(CAUSES["outdated"].problem(each.database))
    if each.state == State.HALTED:
        database = database_option(each.database)
        resume = f"`manage.py lifecycle resume {each.policy} --actor NAME{database}`"
        found.append(phrase("halted by a brake: look, then %(command)s", command=resume))
    found += _stuck(each)
    if each.acts and (each.lag or 0) > max_lag:
        found.append(behind(int(each.lag or 0), bool(each.slowed)))
    return found


def _stuck(each: Any) -> list[str]:
    """Rows that cannot end."""
    found = []
    if each.blocked:
        found.append(
            counted(
                "%(count)s rows cannot end: their `blocked` events say why",
                "%(count)s rows cannot end: their `blocked` events say why",
                each.blocked,
            )
        )
    if each.failed:
        found.append(
            counted(
                "%(count)s rows whose due time could not be computed",
                "%(count)s rows whose due time could not be computed",
                each.failed,
            )
        )
    return [phrase("at most %(rows)s", rows=rows) if each.at_most else rows for rows in found]


def behind(seconds: int, slowed: bool) -> str:
    """That something due has waited so long."""
    time = lasting(timedelta(seconds=seconds))
    if slowed:
        return phrase("%(time)s behind: it is slowed down", time=time)
    return phrase("%(time)s behind: does a worker run?", time=time)
