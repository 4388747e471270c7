"""Which rows want a mail before they end, by everything that is committed now.

A row is found by the agenda, which lists each that has an end; what it was told of is a row
exception, made of the events `noticed`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lifecycle.compiler.keys import label_of, subjects_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, Raw, fetch, own_transaction, scalar, statement
from lifecycle.ledger.caps import cap_of
from lifecycle.policy.databases import is_at
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies
from purge.batch.brakes import why_stopped
from purge.notices.record import write

MOST = 1_000  # mails that are written down at a time, and no more than wait


@dataclass(frozen=True)
class Wanted:
    """The next mail about a row.

    ends    the end that it has now; `until`, when it ends by the mails that went before
    number  which mail, from 1, `of` how many
    own     how many seconds before the end it goes
    """

    ends: datetime
    number: int
    of: int
    own: float
    until: datetime

    def may_end(self, now: datetime) -> datetime:
        """When the row may end if this mail goes now: after the whole time that it is for."""
        return max(self.ends, self.until, now + timedelta(seconds=self.own))


def warning_policies(using: str) -> list[Policy]:
    """The policies of a database that give notices and may end rows now."""
    return [each for each in _with_notice(using) if not why_stopped(each, using, any_hour=True)]


def forget_others(using: str) -> None:
    """Take mails away of policies that give no notices any more."""
    names = [each.name for each in _with_notice(using)]
    fetch(using, statement(__file__, "forget"), {"policies": names})


def _with_notice(using: str) -> list[Policy]:
    return [each for each in all_policies() if each.notice and is_at(each.model, using)]


def note(policy: Policy, using: str) -> int:
    """Write down the mails for which it is time, and which count no more; returns how many of the
    former. One worker at a time: two would each warn as many as may be warned."""
    notice: Any = policy.notice
    with own_transaction(using):
        if not scalar(using, statement(__file__, "lock"), {"name": f"notices {policy.name}"}):
            return 0
        now = clock(using)
        _take_back(policy, using)
        parts = {"typed": Placed(compiled(policy).key.typed("listed.key"))}
        rows = Placed(statement(__file__, "listed", **parts))
        params = _params(policy, now) | {"before": now + notice.longest, "most": MOST}
        params["room"] = room(policy, using)
        return len(fetch(using, _sql(policy, "note", rows), params))


def room(policy: Policy, using: str) -> int:
    """Of how many more rows somebody may be warned now: in 24 hours of no more than the policy may
    end in them."""
    begun = scalar(using, statement(__file__, "begun"), {"policy": policy.name})
    return max(0, cap_of(policy, using) - int(begun))


def wanted(policy: Policy, key: str, using: str, now: datetime) -> Wanted | None:
    """The next mail about a row that is there, whether it is time for it or not; None: it wants
    none."""
    rows = Placed(f"state.key = {compiled(policy).key.typed('%(key)s')}")
    found = fetch(using, _sql(policy, "one", rows), _params(policy, now) | {"key": key})
    return Wanted(*found[0]) if found else None


def clock(using: str) -> datetime:
    """The database's."""
    found: datetime = scalar(using, statement(__file__, "clock"))
    return found


def _take_back(policy: Policy, using: str) -> None:
    """What was said of ends that were moved since, as by a sign-in, is over: that is an event."""
    code = compiled(policy)
    rows = Placed(statement(__file__, "told_rows", typed=Placed(code.key.typed("listed.key"))))
    text = statement(__file__, "over", **_parts(policy), rows=rows)
    params = {"policy": policy.name, "resolution": policy.resolution, "most": 10_000}
    ((count, keys),) = fetch(using, text, params)
    if count:
        subjects = Placed(subjects_of(code.key, f"%(keys)s::text[]::{code.key.kind}[]"))
        write(policy, using, subjects, {"keys": keys, "count": count}, {"over": True})


def _sql(policy: Policy, name: str, rows: Placed) -> str:
    inner = Placed(statement(__file__, "wanted", **_parts(policy), rows=rows))
    return statement(__file__, name, wanted=inner)


def _parts(policy: Policy) -> dict[str, Any]:
    code = compiled(policy)
    return {
        "state_sql": Raw(code.state_sql), "kind": Placed(code.key.kind),
        "stored_key": Placed(code.key.stored("state.key")),
    }  # fmt: skip


def _params(policy: Policy, now: datetime) -> dict[str, Any]:
    own = {"policy": policy.name, "model": label_of(policy)}
    return own | {"resolution": policy.resolution, "now": now}
