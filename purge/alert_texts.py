"""The mails: what happened, what it means, how to look, how to go on. No value of a row."""

from datetime import timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from lifecycle.conf import conf
from lifecycle.models import Event

from .models import Alert

SHOWN = 3  # rows

SUBJECTS = {
    "halted": "Retention policy {policy} has halted",
    "blocked": "Retention policy {policy}: rows cannot end",
    "capture_failed": "Retention of {about}: times that could not be computed",
    "lagging": "Retention policy {policy} is behind",
}
BODIES = {
    "halted": """\
A brake has stopped policy {policy} ({model}): {said}.

None of its rows ends until a named person resumes it. Those still there stay, and go on being
recorded.

Look:
    manage.py lifecycle status {policy}{database}
    manage.py lifecycle enable {policy} --dry-run{database}
If that is right, go on:
    manage.py lifecycle resume {policy} --actor NAME{allow}{database}
If it is a mistake, leave it halted, or let it only observe:
    manage.py lifecycle disable {policy} --actor NAME{database}
""",
    "blocked": """\
{count} of policy {policy} ({model}) cannot end: {cause}.
{rows}
They stay, are shown as blocked and are tried again, later and later, once a day in the end. The
other rows of the policy go on. You are told of this cause once, until it is over.

Look:
    manage.py lifecycle status {policy}{database}
To go on, remove what stands in the way; the next try ends them.
""",
    "capture_failed": """\
Rows of {model} were written whose due time could not be computed: SQLSTATE {cause}. The write
itself went through.
{rows}
The worker looks at rows whose keys it knows; those it cannot compute either stay. You are told of
this cause once, until the policy is declared anew or nothing has failed for a day.

Look:
    manage.py check --database {alias}
    manage.py lifecycle status{status}{database}
To go on, correct the values or the policy's expression, and then:
    manage.py lifecycle backfill {backfill}{database}
""",
    "lagging": """\
Rows of policy {policy} ({model}) wait to end: {said}, which is longer than LIFECYCLE_MAX_LAG
({max_lag}).

Nothing is lost: what is due stays on the agenda, and ends late. Perhaps no worker runs
(manage.py run_huey), another session keeps rows locked, or more falls due than the worker can do.

Look:
    manage.py lifecycle status {policy}{database}
A pass now, beside the worker:
    manage.py purge --policy {policy}{database}
""",
}


def subject(alert: Alert) -> str:
    """One line; Django puts EMAIL_SUBJECT_PREFIX before it."""
    about = alert.policy or alert.model
    return SUBJECTS[alert.kind].format(policy=alert.policy, about=about)


def body(alert: Alert, using: str) -> str:
    """Plain text."""
    parts = {
        "policy": alert.policy,
        "model": alert.model,
        "cause": alert.cause,
        "said": alert.said,
        "count": "1 row" if alert.count == 1 else f"{alert.count} rows",
        "rows": _rows(alert, using),
        "max_lag": timedelta(seconds=conf.MAX_LAG),
        "alias": using,
        "database": "" if using == DEFAULT_DB_ALIAS else f" --database {using}",
        "allow": " --allow ROWS" if alert.cause == "cap" else "",
        "status": f" {alert.policy}" if alert.policy else "",
        "backfill": alert.policy or "POLICY",
    }
    return BODIES[alert.kind].format(**parts) + _ended(alert)


def _ended(alert: Alert) -> str:
    if alert.ended_at is None:
        return ""
    return f"\nThis mail is late: it has gone on since {alert.ended_at:%Y-%m-%d %H:%M:%S} UTC.\n"


def _rows(alert: Alert, using: str) -> str:
    """The latest rows and what stands in their way, by name."""
    event = Event.objects.using(using).filter(pk=alert.event or 0).first()
    if event is None or not event.count:
        return ""
    keys = [f"{alert.model}:{key}" for key in event.subjects[:SHOWN]]
    by: list[Any] = event.detail.get("by", [])
    text = f"The latest: {', '.join(keys)}."
    return text + (f" In the way: {', '.join(by[:SHOWN])}." if by else "") + "\n"
