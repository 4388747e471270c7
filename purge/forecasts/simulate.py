"""All policies, run over the days to come and those gone by, without touching a row.

Each table is read once, in a transaction that can write nothing: when each row ends by its own
columns, its row exceptions and its grace. A table that takes too long is estimated by the planner's
statistics where a policy ends rows at an age, and said to be so.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, DataError, OperationalError, transaction
from django.db.models import F
from django.utils.timezone import get_default_timezone_name

from lifecycle.compiler.keys import label_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import (
    Placed,
    Raw,
    fetch,
    limited,
    statement,
    was_stopped,
)
from lifecycle.exceptions import LifecycleError
from lifecycle.insight.estimate import estimated
from lifecycle.models import PolicyState
from lifecycle.phrases import phrase
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from purge.models import Forecast
from purge.passes.override import can_vary, varied

READ_ONLY = "SET TRANSACTION READ ONLY"  # each table is read by one statement, of one moment
PATIENCE = 5.0  # seconds for reading one table
FAILS = phrase("the policy's expression fails on a row")


@dataclass
class Simulated:
    """One policy, in rows.

    days      that end, by day: 0 is the day of the simulation, -1 the one before. Without the
              past, what is overdue counts for day 0
    held, kept, restored
              that would end, and a hold, `keep_while` or a restore keeps them
    estimate  the rows that end until then, by the planner's statistics: the table was not read
    unread    why nobody can tell
    state     the policy's: only one that is `enabled` ends rows
    """

    policy: str
    state: str = ""
    days: dict[int, int] = field(default_factory=dict)
    held: int = 0
    kept: int = 0
    restored: int = 0
    estimate: int | None = None
    unread: str = ""

    @property
    def rows(self) -> int:
        """All that end until then."""
        return sum(self.days.values()) if self.estimate is None else self.estimate

    @property
    def data(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


def simulate(
    policies: Iterable[Policy], until: datetime, past: bool = False,
    using: str = DEFAULT_DB_ALIAS, patience: float = PATIENCE,
) -> list[Simulated]:  # fmt: skip
    """What each policy ends until a moment, by day; with `past` also on which day gone by.

    For a policy that is not enabled: as if it were, from now on. Rows that are written later are
    not in it. Rows that end with their window may end a window later.
    """
    states = dict(PolicyState.objects.using(using).values_list("name", "state"))
    found = []
    for policy in policies:
        if not policy.on_request:
            one = Simulated(policy.name, states.get(policy.name, phrase("not installed")))
            _simulate(policy, one, until, past, using, patience)
            found.append(one)
    return found


def changed(policy: Policy, age: timedelta | None, grace: timedelta | None) -> Policy:
    """The policy with another age or grace; `LifecycleError` where it ends rows at no age."""
    other = policy if age is None else _aged(policy, age)
    return other if grace is None else replace(other, grace=grace)


def _aged(policy: Policy, age: timedelta) -> Policy:
    aged = age_of(policy.expires)
    if aged and aged[1]:
        return replace(policy, expires=F(aged[0]) + age)
    if can_vary(policy.expires):
        return varied(policy, age, None)
    raise LifecycleError(
        phrase("%(policy)s ends no row at an age: a column plus a timedelta.", policy=policy.name)
    )


def beside(
    policy: Policy, other: Policy, until: datetime, using: str = DEFAULT_DB_ALIAS,
    patience: float = PATIENCE / 2,
) -> tuple[Simulated, Simulated]:  # fmt: skip
    """A policy as it is and with a change: both counted or, where one takes too long, estimated."""
    (now,), (then,) = (
        simulate([each], until, using=using, patience=patience) for each in (policy, other)
    )
    for one, each in ((now, policy), (then, other)):
        if (now.estimate is None) != (then.estimate is None) and one.estimate is None:
            one.estimate = estimated(each, until, using)
    return now, then


def store(
    found: list[Simulated], until: datetime, actor: str, using: str, once: UUID | None = None
) -> Forecast:
    """Keep a simulation, to be compared with what happens; with `once` a second one is an
    `IntegrityError`."""
    now, last = fetch(using, statement(__file__, "moment"))[0]
    told = {one.policy: one.data for one in found}
    return Forecast.objects.using(using).create(
        made_at=now, until=until, actor=actor[:200], event=last, policies=told, once=once
    )


def _simulate(
    policy: Policy, one: Simulated, until: datetime, past: bool, using: str, patience: float
) -> None:
    try:
        with transaction.atomic(using=using, durable=True):
            fetch(using, READ_ONLY)
            with limited(using, patience):
                _read(policy, one, until, past, using)
    except OperationalError as error:
        if not was_stopped(error):
            raise
        one.estimate = estimated(policy, until, using)
        one.unread = (
            "" if one.estimate is not None else phrase("its table is too large to be read here")
        )
    except DataError:
        one.unread = FAILS


def _read(policy: Policy, one: Simulated, until: datetime, past: bool, using: str) -> None:
    code = compiled(policy)
    parts = {"state_sql": Raw(code.state_sql), "key_text": Placed(code.key.text("state.key"))}
    params: dict[str, Any] = {"policy": policy.name, "model": label_of(policy), "until": until}
    params |= {"zone": get_default_timezone_name(), "hides": policy.disposition.hides}
    params |= {"past": past, "enabled": one.state == PolicyState.State.ENABLED}
    for what, day, count in fetch(using, statement(__file__, "read", **parts), params):
        if what == "ends":
            one.days[day] = count
        else:
            setattr(one, what, getattr(one, what) + count)
