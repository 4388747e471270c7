"""Subject and body of each mail: what happened, what it means, how to go on. No value of a row."""

import re
import shlex
import textwrap
from datetime import timedelta

from django.apps import apps
from django.utils.dateparse import parse_duration
from django.utils.translation import gettext, ngettext

from lifecycle.conf import conf
from lifecycle.hints import database_option
from lifecycle.insight.causes import CAUSES, STOPPED
from lifecycle.ledger.held_deleted import HeldDeleted, held_deleted
from lifecycle.models import Event
from lifecycle.pages import page
from lifecycle.phrases import at, lasting, translated
from lifecycle.printable import visible
from purge.alerts.bodies import BODIES, SUBJECTS
from purge.models import Alert

SHOWN = 3  # rows
DUE_FOR = "due for "  # before the time of a lag
WIDTH = 96  # columns


def subject(alert: Alert) -> str:
    """One line; Django puts EMAIL_SUBJECT_PREFIX before it."""
    about = alert.policy or alert.model
    return gettext(SUBJECTS[_text(alert)]).format(policy=alert.policy, about=about)


def body(alert: Alert, using: str) -> str:
    """Plain text."""
    gone = held_deleted(using) if alert.kind == "held_deleted" else []
    rows, by = _names(alert, using, gone)
    database = database_option(using)
    row = shlex.quote(rows[0]) if rows else ""
    parts = {
        "policy": visible(alert.policy),
        "model": visible(_label(alert)),
        "cause": visible(alert.cause),
        "summary": _summary(alert),
        "count": _counted(ngettext("{count} row", "{count} rows", alert.count), alert),
        "requests": _requests(alert),
        "files": _counted(ngettext("{count} file", "{count} files", alert.count), alert),
        "rows": _line(gettext("The latest: {names}."), rows)
        + _line(gettext("In the way: {names}."), by),
        "why": f"\n    manage.py lifecycle why {row}{database}" if rows else "",
        "limit": _limit(alert.cause),
        "reason": _reason(alert, using),
        "alias": using,
        "database": database,
        "release": _release(alert, gone, database),
        "allow": " --allow ROWS" if alert.cause == "cap" else "",
        "status": f" {visible(alert.policy)}" if alert.policy else "",
        "guide": page("how-to/seal-the-ledger.md"),
        "backfill": visible(alert.policy) or gettext("POLICY"),
    }
    return gettext(BODIES[_text(alert)]).format(**parts) + _ended(alert)


def _reason(alert: Alert, using: str) -> str:
    """Why it lags, and what to do; an unknown cause is the error of the passes."""
    known = CAUSES.get(alert.cause)
    if known is None:
        text = gettext("each pass over it fails with {error}: the worker's log has the rest")
        text = text.format(error=visible(alert.cause))
    else:
        text = translated(known.clause(visible(alert.policy) or "--all", using))
    return _wrapped(f"{text[0].upper()}{text[1:]}.")


def _wrapped(text: str) -> str:
    """In lines of a mail; a command is not broken."""
    whole = re.sub(r"`[^`]*`", lambda command: command[0].replace(" ", "\0"), text)
    return textwrap.fill(whole, WIDTH, break_on_hyphens=False).replace("\0", " ")


def _summary(alert: Alert) -> str:
    """A few words; of a lag, whose words are ours alone, in the active language."""
    lag = parse_duration(alert.summary.removeprefix(DUE_FOR)) if alert.kind == "lagging" else None
    if lag is None:
        return visible(alert.summary)
    return gettext("due for {time}").format(time=translated(lasting(lag)))


def _text(alert: Alert) -> str:
    """The name of the text; what has no policy, and is blocked or late, are files."""
    of_files = {"blocked": "media", "lagging": "lagging_media"}
    return alert.kind if alert.policy else of_files.get(alert.kind, alert.kind)


def _limit(cause: str) -> str:
    """The setting that a lag is longer than."""
    name = "MAX_STOPPED" if cause in STOPPED else "MAX_LAG"
    limit = timedelta(seconds=getattr(conf, name) or 0)
    return gettext("LIFECYCLE_{name} is {time}.").format(name=name, time=translated(lasting(limit)))


def _line(text: str, names: list[str]) -> str:
    return text.format(names=", ".join(names)) + "\n" if names else ""


def _counted(text: str, alert: Alert) -> str:
    return text.format(count=alert.count)


def _requests(alert: Alert) -> str:
    text = ngettext(
        "{count} request is to erase rows of {model} past the deadline, {summary}.",
        "{count} requests are to erase rows of {model} past the deadline, {summary}.",
        alert.count,
    )
    about = {"model": visible(_label(alert)), "summary": visible(alert.summary)}
    return text.format(count=alert.count, **about)


def _release(alert: Alert, gone: list[HeldDeleted], database: str) -> str:
    """How the latest hold is lifted under which a row was deleted."""
    last = next((each for each in gone if each.event == alert.event), None)
    if last is None:
        return "."
    return f":\n    manage.py lifecycle release --number {last.hold} --actor NAME{database}"


def _ended(alert: Alert) -> str:
    if alert.ended_at is None:
        return ""
    text = gettext("This mail is late: it has gone on since {time}.")
    return f"\n{text.format(time=translated(at(alert.ended_at)))}\n"


def _label(alert: Alert) -> str:
    """`app.Model` as people write it; as the ledger has it where the model is gone."""
    try:
        return apps.get_model(alert.model)._meta.label
    except (LookupError, ValueError):
        return alert.model


def _names(alert: Alert, using: str, gone: list[HeldDeleted]) -> tuple[list[str], list[str]]:
    """The latest rows, and what stands in their way, as `app.Model:pk`."""
    event = Event.objects.using(using).filter(pk=alert.event or 0).first()
    if event is None or not event.count:
        return [], []
    subjects = event.subjects
    if alert.kind == "held_deleted":  # of many rows that one statement has deleted, few may be held
        subjects = [each.key for each in gone if each.event == event.pk and each.key]
    keys = [visible(f"{_label(alert)}:{key}") for key in subjects[:SHOWN]]
    return keys, [visible(str(name)) for name in event.detail.get("by", [])[:SHOWN]]
