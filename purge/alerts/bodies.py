"""Subject and body of each mail, in English, with places for what is put in."""

from django.utils.translation import gettext_noop as _

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
