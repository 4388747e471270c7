"""Subject and body of each mail: what happened, what it means, how to go on. No value of a row."""

import re
import shlex
import textwrap
from datetime import timedelta

from django.apps import apps
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

from lifecycle.conf import conf
from lifecycle.hints import database_option
from lifecycle.insight.causes import CAUSES, STOPPED
from lifecycle.ledger.held_deleted import HeldDeleted, held_deleted
from lifecycle.models import Event
from lifecycle.pages import page
from lifecycle.phrases import at, lasting, translated
from lifecycle.printable import visible
from purge.models import Alert

SHOWN = 3  # rows
WIDTH = 96  # columns

SUBJECTS = {
    "halted": _("Retention policy {policy} has halted"),
    "blocked": _("Retention policy {policy}: rows cannot end"),
    "capture_failed": _("Retention of {about}: times that could not be computed"),
    "media": _("Retention of {about}: files cannot be deleted"),
    "lagging": _("Retention policy {policy} is behind"),
    "lagging_media": _("Retention of files is behind"),
    "held_deleted": _("Held rows of {about} were deleted by the site"),
    "overdue": _("Requests to erase rows of {about} are overdue"),
    "proof_alarm": _("The retention ledger is not what was published of it"),
}
BODIES = {
    "halted": _("""\
A brake has stopped policy {policy} ({model}): {summary}.

None of its rows ends until a named person resumes it. Those still there stay, and go on being
recorded.

Look:
    manage.py lifecycle status {policy}{database}
    manage.py lifecycle enable {policy} --dry-run{database}
If that is right, go on:
    manage.py lifecycle resume {policy} --actor NAME{allow}{database}
If it is a mistake, leave it halted, or let it only observe:
    manage.py lifecycle disable {policy} --actor NAME{database}
"""),
    "blocked": _("""\
At most {count} of policy {policy} ({model}) cannot end: {cause}.
{rows}
They stay, are shown as blocked and are tried again, later and later, once a day in the end. The
other rows of the policy go on. You are told of this cause once, until it is over.

Look:
    manage.py lifecycle status {policy}{database}{why}
To go on, remove what stands in the way; the next try ends them.
"""),
    "capture_failed": _("""\
Rows of {model} were written whose due time could not be computed: SQLSTATE {cause}. The write
itself went through.
{rows}
The worker looks at rows whose keys it knows; those it cannot compute either stay. You are told of
this cause once, until the policy is declared anew or nothing has failed for a day.

Look:
    manage.py check --database {alias}
    manage.py lifecycle status{status}{database}
To go on, correct the values or the policy's expression, and then:
    manage.py lifecycle backfill --policy {backfill}{database}
"""),
    "media": _("""\
{files} that no row of {model} shows any more cannot be deleted: {cause}.

They stay where they are, are shown as blocked and are tried again, later and later, once a day in
the end. Others go on. You are told of this cause once, until it is over. The events of kind
`blocked` name the files.

Look:
    manage.py lifecycle status{database}
To go on, give the worker the rights it needs at the store, or remove what refuses; the next
try, or this after its time has come, deletes them:
    manage.py purge{database}
"""),
    "held_deleted": _("""\
{count} of {model} that somebody has held: the site's own code has deleted them, {summary}.
{rows}
This package has not ended them, and does not stop the site unless a policy of the table says
holds="enforced". You are told once, until the holds are released or have passed.

Look:
    manage.py lifecycle holds{database}{why}
To bring them back: from a backup, or an archive. Once that is settled, release the holds{release}
"""),
    "overdue": _("""\
{requests}

A person waits for an answer. What a hold refuses is tried again when it is released. You are told
once, until none is overdue.

Look:
    manage.py lifecycle requests --overdue{database}
To go on: remove what stands in the way, give it more time once, or answer it with a reason:
    manage.py lifecycle requests extend NUMBER --reason TEXT{database}
    manage.py lifecycle requests answer NUMBER --reason TEXT{database}
"""),
    "proof_alarm": _("""\
{cause}: {summary}.

Nothing ends in this database until that is settled; of `unproved`, no file and no archive. What is
due stays on the agenda. You are told once, until it is over.

Look:
    manage.py lifecycle proof{database}
    manage.py lifecycle verify --proof{database}
What each word means, and how to go on: {guide}
"""),
    "lagging": _("""\
Rows of policy {policy} ({model}) wait to end, {summary} now.
{limit}

Nothing is lost: what is due stays on the agenda, and ends late.
{reason}

Look:
    manage.py lifecycle status {policy}{database}
A pass now, beside the worker:
    manage.py purge --policy {policy}{database}
"""),
    "lagging_media": _("""\
{files} that no row shows any more wait to be deleted, {summary} now.
{limit}

Nothing is lost: they stay on the agenda, and go late.
{reason}

Look:
    manage.py lifecycle status{database}
A pass now, beside the worker:
    manage.py purge{database}
"""),
}


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
        "summary": visible(alert.summary),
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
