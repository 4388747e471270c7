"""Who is told, and of what: each trouble once, by one signal and one mail to the site's admins.

A trouble is a row of `purge_alert` from when it is seen until it is over. Halts write theirs in the
transaction that halts; the others are looked for once a minute, by what the ledger and the agenda
say then, so that a worker that was away misses none. However many workers there are, one of them
claims a row and tells; a mail that fails is sent again, later and later. Nothing here raises.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import transaction

from lifecycle import signals
from lifecycle.conf import conf
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.logs import Log
from lifecycle.policy import purge_hours as hours
from lifecycle.policy.registry import all_policies
from purge.alerts.mail import send_to_admins
from purge.alerts.texts import body, subject
from purge.back_off import back_off
from purge.batch.brakes import is_other_version
from purge.models import Alert

CLAIMED = timedelta(minutes=10)  # longer than any mail takes; then its sender was killed
SHORTEST, LONGEST = (
    timedelta(minutes=1),
    timedelta(hours=1),
)  # until a mail that failed is tried again
COLUMNS = ("kind", "policy", "model", "cause", "event", "count", "seen")

log = Log("purge")


def watch(using: str) -> None:
    """Look for troubles and tell of those that are new; logs what is over."""
    if is_other_version(using):
        return
    _never_raising(look, using)
    tell(using)


def tell(using: str) -> None:
    """Send what was not sent: the signals first, which no mail server holds up."""
    _never_raising(_tell, using)


def _never_raising(step: Callable[[str], None], using: str) -> None:
    try:
        step(using)
    except Exception:
        log("watch_failed", f"{using}: watch failed", database=using)


def look(using: str) -> None:
    """Open an alert for each trouble that is new, end those that are over; one looks at a time."""
    with transaction.atomic(using=using):
        since = fetch(using, statement(__file__, "look_begin"))
        if not since:
            return
        found = [*_troubles(using, since[0][0]), *_lagging(using)]
        fresh = [each for each in found if opened(using, **each)]
        over = fetch(using, statement(__file__, "alert_over"))
        Alert.objects.using(using).exclude(ended_at=None).exclude(told_at=None).delete()
    for each in fresh:
        told = {key: each[key] for key in ("policy", "model", "cause", "count", "event")}
        about = each["policy"] or each["model"]
        log(each["kind"], f"{about}: {each['kind']}: {each['said']}", **told, database=using)
    for kind, policy, cause in over:
        told = {"policy": policy, "database": using, "trouble": kind, "cause": cause}
        log("goes_on", f"{policy}: goes on: {kind} {cause}".rstrip(), **told)


def opened(using: str, **trouble: Any) -> bool:
    """Keep an alert of a trouble; whether there was none before."""
    text = statement(__file__, "alert_seen")
    return bool(scalar(using, text, {"said": "", "run": None, "seen": None} | trouble))


def _troubles(using: str, since: datetime) -> list[dict[str, Any]]:
    rows = fetch(using, statement(__file__, "troubles"), {"since": since})
    return [dict(zip(COLUMNS, row, strict=True)) | {"said": row[3]} for row in rows]


def _lagging(using: str) -> list[dict[str, Any]]:
    now = scalar(using, "SELECT lifecycle.now_v1()")
    policies = all_policies()
    # Outside its hours a policy only tombstones, which is done at any hour.
    tombstones = [p.disposition.hides and not hours.is_open(p, now) for p in policies]
    params = {
        "names": [p.name for p in policies],
        "tombstones": tombstones,
        "opened": [
            None if only else hours.opened_at(p, now)
            for p, only in zip(policies, tombstones, strict=True)
        ],
        "max_lag": conf.MAX_LAG,
    }
    rows = fetch(using, statement(__file__, "lagging"), params)
    return [
        dict(zip(COLUMNS, row, strict=True)) | {"said": f"due for {timedelta(seconds=int(lag))}"}
        for *row, lag in rows
    ]


def _tell(using: str) -> None:
    while alert := _claim(using, signalled_at=None):
        _signal(alert)
    while alert := _claim(using, told_at=None):
        if not _mail(alert, using):
            break


def _claim(using: str, **untold: None) -> Alert | None:
    """An alert that nobody else tells of now."""
    now = scalar(using, "SELECT lifecycle.now_v1()")
    with transaction.atomic(using=using):
        free = Alert.objects.using(using).select_for_update(skip_locked=True).filter(**untold)
        if "told_at" in untold:
            free = free.filter(again_at__lte=now)
        alert = free.order_by("pk").first()
        if alert is None:
            return None
        if "told_at" in untold:
            alert.tries, alert.again_at = alert.tries + 1, now + CLAIMED
        else:
            alert.signalled_at = now
        alert.save(using=using)
    return alert


def _signal(alert: Alert) -> None:
    declared = {policy.name: policy.model for policy in all_policies()}
    sender = declared.get(alert.policy)
    if sender is None and alert.model:
        app, name = alert.model.split(".")
        sender = apps.all_models[app].get(name)
    events = [] if alert.event is None else [alert.event]
    getattr(signals, alert.kind).send_robust(
        sender, policy=alert.policy, events=events, count=alert.count, cause=alert.cause
    )


def _mail(alert: Alert, using: str) -> bool:
    """Whether the mail was taken; if not, no other is tried for a while."""
    mine = Alert.objects.using(using).filter(pk=alert.pk)
    try:
        send_to_admins(subject(alert), body(alert, using))
    except Exception:
        told = {"policy": alert.policy, "database": using, "trouble": alert.kind}
        log("mail_failed", f"{alert.policy or alert.model}: mail failed", **told)
        wait = back_off(SHORTEST, LONGEST, alert.tries - 1)
        again = scalar(using, "SELECT lifecycle.now_v1()") + wait
        Alert.objects.using(using).filter(told_at=None).update(again_at=again)
        return False
    mine.update(told_at=scalar(using, "SELECT lifecycle.now_v1()"))
    return True
