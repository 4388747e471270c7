"""Notify people of each trouble once, by one signal and one mail to the site's admins.

A trouble is a row of `purge_alert` from when it is seen until it is over. Halts write theirs in the
transaction that halts; the others are searched for once a minute in the ledger and the agenda, so
that a worker that was away misses none. However many workers there are, one of them claims a row
and sends; a mail that fails is sent again, later and later. `watch` and `notify` never raise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPDataError
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.utils.translation import override

from lifecycle import signals
from lifecycle.conf import conf
from lifecycle.db.connection import Placed, fetch, scalar, statement
from lifecycle.insight.standstill import FIRST_TRY, IS_TRIED, TRIED_FOR
from lifecycle.ledger.pending import DUE_AGENDA
from lifecycle.logs import Log
from lifecycle.policy import purge_hours as hours
from lifecycle.policy.registry import all_policies
from purge.alerts.mail import send_to_admins
from purge.alerts.texts import DUE_FOR, body, subject
from purge.back_off import back_off
from purge.batch.brakes import PolicyStanding, is_other_version, standing
from purge.models import Alert
from purge.open_requests import OpenRequests, open_requests
from purge.proof.gate import alarm_of

CLAIMED = timedelta(minutes=10)  # longer than any mail takes; then its sender was killed
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)  # after a mail that failed
REFUSED = 500  # and above: this mail, for ever
LOGGED_BEFORE = {"proof_alarm"}  # by what has found it
LOGGED = ("policy", "model", "cause", "count", "event")

#: causes of a lag that lie in the declaration
DECLARED = {PolicyStanding.OUTDATED: "outdated", PolicyStanding.ALTERED: "altered"}

log = Log("purge")


@dataclass(frozen=True)
class Trouble:
    """Something that people are told of; `seen` is when it was last so, `summary` a few words."""

    kind: str
    policy: str
    model: str
    cause: str
    event: int | None
    count: int
    seen: datetime
    summary: str


def watch(using: str) -> None:
    """Update the alerts of a database and notify of new ones; logs what is over."""
    if is_other_version(using):
        return
    _never_raising(update_alerts, using)
    notify(using)


def notify(using: str) -> None:
    """Send the alerts that were not sent: signals first, which no mail server holds up."""
    _never_raising(_send, using)


def _never_raising(step: Callable[[str], None], using: str) -> None:
    try:
        step(using)
    except Exception:
        log("watch_failed", f"{using}: watch failed", database=using)


def update_alerts(using: str) -> None:
    """Open an alert for each new trouble, end those that are over; one worker at a time."""
    with transaction.atomic(using=using):
        since = fetch(using, statement(__file__, "begin"))
        if not since:
            return
        found = [
            *_troubles(using, since[0][0]),
            *_lagging(using),
            *_alarms(using),
            *_overdue(using),
        ]
        fresh = [trouble for trouble in found if open_alert(using, **vars(trouble))]
        over = fetch(using, statement(__file__, "end_alerts"))
        Alert.objects.using(using).exclude(ended_at=None).exclude(sent_at=None).delete()
    for trouble in (each for each in fresh if each.kind not in LOGGED_BEFORE):
        fields = {name: getattr(trouble, name) for name in LOGGED}
        text = f"{_about(trouble.policy, trouble.model)}: {trouble.kind}: {trouble.summary}"
        log(trouble.kind, text, **fields, database=using)
    for kind, policy, model, cause in (each for each in over if each[0] not in LOGGED_BEFORE):
        fields = {"policy": policy, "database": using, "trouble": kind, "cause": cause}
        log("goes_on", f"{_about(policy, model)}: goes on: {kind} {cause}".rstrip(), **fields)


def _about(policy: str, model: str) -> str:
    """Whom a trouble is of; what has neither policy nor model are files."""
    return policy or model or "files"


def open_alert(using: str, **trouble: Any) -> bool:
    """Open an alert, or note that its trouble is still there; whether it is new."""
    text = statement(__file__, "open_alert")
    return bool(scalar(using, text, {"run": None, "seen": None} | trouble))


def _troubles(using: str, since: datetime) -> list[Trouble]:
    rows = fetch(using, statement(__file__, "troubles"), {"since": since})
    return [Trouble(*row) for row in rows]


def _alarms(using: str) -> list[Trouble]:
    """The alarm about the log of this ledger, if one stands."""
    found = alarm_of(using)
    if not found:
        return []
    now = scalar(using, "SELECT lifecycle.now_v1()")
    kind, text, missing = found["kind"], found["text"], found["missing"]
    return [Trouble("proof_alarm", "", "", kind, None, missing, now, text)]


def _overdue(using: str) -> list[Trouble]:
    """Requests for erasure that are open past their deadline, by model."""
    late: dict[str, list[OpenRequests]] = {}
    for each in open_requests(using):
        if each.overdue:
            late.setdefault(each.model, []).append(each)
    return [_late(model, found) for model, found in sorted(late.items())]


def _late(model: str, found: list[OpenRequests]) -> Trouble:
    oldest, count = min(each.since for each in found), sum(each.overdue for each in found)
    return Trouble(
        "overdue", "", model, "", None, count, found[0].now, f"the oldest since {oldest}"
    )


def _lagging(using: str) -> list[Trouble]:
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
        "max_stopped": conf.MAX_STOPPED,
    }
    tried_for = TRIED_FOR.format(unit="interval '1 minute'", attempts="(attempts + 1)")
    parts = {"is_tried": IS_TRIED, "first_try": FIRST_TRY, "tried_for": Placed(tried_for)}
    text = statement(__file__, "lagging", due_agenda=DUE_AGENDA, **parts)
    rows = fetch(using, text, params)
    return [_of_lag(using, *row) for row in rows]


def _of_lag(using: str, *row: Any) -> Trouble:
    kind, name, model, cause, event, count, now, lag = row
    declared = {policy.name: policy for policy in all_policies()}
    if not cause and name in declared:
        cause = DECLARED.get(standing(declared[name], using, any_hour=True), "")
    summary = f"{DUE_FOR}{timedelta(seconds=int(lag))}"
    return Trouble(kind, name, model, cause, event, count, now, summary)


def _send(using: str) -> None:
    while alert := _claim(using, signalled_at=None):
        _signal(alert)
    while alert := _claim(using, sent_at=None):
        if not _mail(alert, using):
            break  # the server does not answer: later, all of them


def _claim(using: str, **unsent: None) -> Alert | None:
    """Claim an alert that was not sent and that nobody else is sending."""
    now = scalar(using, "SELECT lifecycle.now_v1()")
    with transaction.atomic(using=using):
        free = Alert.objects.using(using).select_for_update(skip_locked=True).filter(**unsent)
        if "sent_at" in unsent:
            free = free.filter(again_at__lte=now)
        alert = free.order_by("pk").first()
        if alert is None:
            return None
        if "sent_at" in unsent:
            alert.tries, alert.again_at = alert.tries + 1, now + CLAIMED
        else:
            alert.signalled_at = now
        alert.save(using=using)
    return alert


def _signal(alert: Alert) -> None:
    declared = {policy.name: policy.model for policy in all_policies()}
    sender = declared.get(alert.policy)
    if sender is None and alert.model:
        app, _, name = alert.model.partition(".")
        sender = apps.all_models.get(app, {}).get(name)
    events = [] if alert.event is None else [alert.event]
    getattr(signals, alert.kind).send_robust(
        sender, policy=alert.policy, events=events, count=alert.count, cause=alert.cause
    )


def _is_of_the_mail(error: Exception) -> bool:
    """Whether an error says nothing of the mail server: others may well be sent."""
    if isinstance(error, SMTPDataError):
        return error.smtp_code >= REFUSED
    return not isinstance(error, OSError)


def _mail(alert: Alert, using: str) -> bool:
    """Whether others may be tried: this mail was taken, or only this one cannot be sent."""
    mine = Alert.objects.using(using).filter(pk=alert.pk)
    try:
        with override(settings.LANGUAGE_CODE):  # whatever this thread has served before
            send_to_admins(subject(alert), body(alert, using))
    except Exception as error:
        fields = {"policy": alert.policy, "database": using, "trouble": alert.kind}
        log("mail_failed", f"{alert.policy or alert.model}: mail failed", **fields)
        wait = back_off(FIRST_WAIT, LONGEST_WAIT, alert.tries - 1)
        again = scalar(using, "SELECT lifecycle.now_v1()") + wait
        only = _is_of_the_mail(error)
        (mine if only else Alert.objects.using(using).filter(sent_at=None)).update(again_at=again)
        return only
    mine.update(sent_at=scalar(using, "SELECT lifecycle.now_v1()"))
    return True
