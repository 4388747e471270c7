"""The page of a log in the admin: how far the ledger is sealed and published, who has cosigned it,
and what to do about an alarm. Of what the database has: nothing is asked of store or witness.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Max
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.readonly import ReadOnlyAdmin, moment
from lifecycle.details import instant
from lifecycle.hints import database_option
from lifecycle.models import SealedLog
from lifecycle.pages import page
from lifecycle.phrases import number, to_the_second, translated, word
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.errors import ProofError
from lifecycle.proof.note import parse
from purge.proof.detect import State

BEGAN, PUBLISHED_AT = moment("began_at"), moment("shipped_at")
STOPS: dict[str, Any] = {
    State.ALTERED: _("Unless LIFECYCLE_PROOF says otherwise, nothing ends in this database."),
    State.UNPROVED: _("No file and no archive is deleted; rows go on."),
}
NOTHING = _("Nothing ends in this database until this is settled. What is due stays on the agenda.")


@admin.register(SealedLog)
class SealedLogAdmin(ReadOnlyAdmin):
    """The logs of this ledger, the one in use first."""

    list_display = ("origin", "standing", "sealed", "published", PUBLISHED_AT)
    ordering = ("-incarnation",)
    search_fields = ()
    fieldsets = (
        (None, {"fields": ("origin", "standing", "since", "what_to_do")}),
        (_("Sealed and published"), {"fields": ("sealed", "published", PUBLISHED_AT, "waiting")}),
        (_("Head"), {"fields": ("head", "witnesses")}),
        (_("Checkpoint"), {"classes": ("collapse",), "fields": ("checkpoint", BEGAN)}),
    )
    readonly_fields = (BEGAN, PUBLISHED_AT)

    @admin.display(description=_("State"))
    def standing(self, log: SealedLog) -> str:
        """The alarm in words, or that there is none."""
        if log.alarm:
            return f"{translated(word(log.alarm['kind']))}: {log.alarm['text']}"
        if log.incarnation != self._newest(log):
            return gettext("Closed: a later log goes on. What it has stays as it was published.")
        return gettext("In use. No alarm: the ledger is what was published of it.")

    @admin.display(description=_("Alarm since"))
    def since(self, log: SealedLog) -> str:
        since = log.alarm.get("since")
        time = instant(since)
        return to_the_second(time) if time else str(since or "-")

    @admin.display(description=_("What to do"))
    def what_to_do(self, log: SealedLog) -> str:
        """What stands still, and the command that goes on."""
        if not log.alarm:
            return gettext("Nothing.")
        stops = STOPS.get(str(log.alarm["kind"]), NOTHING)
        using = str(log._state.db)
        look = f"`manage.py lifecycle verify --proof{database_option(using)}`"
        guide = page("how-to/seal-the-ledger.md")
        lines = [
            str(stops),
            gettext("Next: %(command)s") % {"command": log.alarm["command"]},
            gettext("Look: %(command)s") % {"command": look},
            gettext("What each word means, and how to go on: %(page)s") % {"page": guide},
        ]
        return "\n".join(lines)

    @admin.display(description=_("Sealed events"), ordering="size")
    def sealed(self, log: SealedLog) -> str:
        return translated(number(log.size))

    @admin.display(description=_("Published events"), ordering="shipped")
    def published(self, log: SealedLog) -> str:
        return translated(number(log.shipped))

    @admin.display(description=_("Waiting to be published"))
    def waiting(self, log: SealedLog) -> str:
        return translated(number(log.size - log.shipped))

    @admin.display(description=_("Published head"))
    def head(self, log: SealedLog) -> str:
        """Size and root, as the last checkpoint says."""
        try:
            head = Checkpoint.parse(parse(log.checkpoint.encode()).text)
        except ProofError:
            return gettext("Nothing is published yet.")
        said = ngettext(
            "%(size)s event, root %(root)s", "%(size)s events, root %(root)s", head.size
        )
        return said % {"size": translated(number(head.size)), "root": head.root.hex()}

    @admin.display(description=_("Witnesses"))
    def witnesses(self, log: SealedLog) -> str:
        """What each has said last."""
        said = [f"{name} {text}" for name, text in sorted(log.witnessed.items())]
        return "\n".join(said) or gettext("None was asked.")

    def _newest(self, log: SealedLog) -> int:
        rows = SealedLog.objects.using(log._state.db)
        return int(rows.aggregate(newest=Max("incarnation"))["newest"])
