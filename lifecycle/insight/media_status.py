"""How the files stand that no row names any more: as a policy does, in names instead of rows."""

from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS

from lifecycle.conf import conf
from lifecycle.db.connection import fetch, statement
from lifecycle.db.tables import table_of
from lifecycle.hooks import last_runs
from lifecycle.insight.problems import behind
from lifecycle.insight.standstill import failing, stopped
from lifecycle.insight.status import Status
from lifecycle.install.triggers import unrecorded
from lifecycle.models import PolicyState
from lifecycle.phrases import counted, phrase
from lifecycle.policy.media_fields import watched

FILES = "(media)"  # in place of a policy's name
State = PolicyState.State


def media_status(using: str = DEFAULT_DB_ALIAS, max_lag: float | None = None) -> list[Status]:
    """One line about the files of a database; none where no file waits and nothing is wrong.

    `scheduled`: in their grace; `due`: may go; `blocked`: of both, those that could not be deleted.
    """
    ((waiting, due, blocked, next_due, lag, paused, now),) = fetch(
        using, statement(__file__, "media_status")
    )
    state = State.PAUSED if paused else State.ENABLED
    found = Status(FILES, "", state, scheduled=waiting, due=due, blocked=blocked, database=using)
    found.next_due, found.lag = next_due, lag
    found.last_run, found.last_error = last_runs(using).get("", (None, ""))
    most = conf.MAX_LAG if max_lag is None else max_lag
    found.problems = _problems(found, most, now) + _gaps(using)
    return [found] if waiting or due or found.problems else []


def _problems(found: Status, max_lag: float, now: datetime) -> list[str]:
    problems = []
    if found.blocked:
        problems.append(
            counted(
                "%(count)s files cannot be deleted: their `blocked` events say why",
                "%(count)s files cannot be deleted: their `blocked` events say why",
                found.blocked,
            )
        )
    if found.acts and (found.lag or 0) > max_lag:
        problems.append(behind(int(found.lag or 0), False))
    if found.acts and found.lag:
        since = now - timedelta(seconds=found.lag)
        problems += failing(found.last_error, found.last_run, since)
    if not found.acts and found.lag:
        problems += stopped(
            found.state, False, timedelta(seconds=found.lag), "--all", found.database
        )
    return problems


def _gaps(using: str) -> list[str]:
    tables = {table_of(each.model) for each in watched()} & unrecorded(using)
    return [
        phrase(
            "files of %(table)s are not recorded: run `manage.py lifecycle install`", table=table
        )
        for table in sorted(tables)
    ]
