"""The page of a log in the admin: how far the ledger is sealed and published, who has cosigned it,
and what to do about an alarm. Of what the database has: nothing is asked of store or witness.
"""

from django.contrib import admin
from django.db.models import Max

from lifecycle.admin.readonly import ReadOnlyAdmin, moment
from lifecycle.hints import database_option
from lifecycle.models import SealedLog
from lifecycle.pages import page
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.errors import ProofError
from lifecycle.proof.note import parse
from purge.proof.detect import State

BEGAN, PUBLISHED_AT = moment("began_at"), moment("shipped_at")
STOPS: dict[str, str] = {
    State.ALTERED: "Unless LIFECYCLE_PROOF says otherwise, nothing ends in this database.",
    State.UNPROVED: "No file and no archive is deleted; rows go on.",
}
NOTHING = "Nothing ends in this database until this is settled. What is due stays on the agenda."
GUIDE = "What each word means, and how to go on:"


@admin.register(SealedLog)
class SealedLogAdmin(ReadOnlyAdmin):
    """The logs of this ledger, the one in use first."""

    list_display = ("origin", "standing", "sealed", "published", PUBLISHED_AT)
    ordering = ("-incarnation",)
    search_fields = ()
    fieldsets = (
        (None, {"fields": ("origin", "standing", "since", "what_to_do")}),
        ("Sealed and published", {"fields": ("sealed", "published", PUBLISHED_AT, "waiting")}),
        ("Head", {"fields": ("head", "witnesses")}),
        ("Checkpoint", {"classes": ("collapse",), "fields": ("checkpoint", BEGAN)}),
    )
    readonly_fields = (BEGAN, PUBLISHED_AT)

    @admin.display(description="State")
    def standing(self, log: SealedLog) -> str:
        """The alarm in words, or that there is none."""
        if log.alarm:
            return f"{log.alarm['kind']}: {log.alarm['text']}"
        if log.incarnation != self._newest(log):
            return "Closed: a later log goes on. What it has stays as it was published."
        return "In use. No alarm: the ledger is what was published of it."

    @admin.display(description="Alarm since")
    def since(self, log: SealedLog) -> str:
        return str(log.alarm.get("since", "-"))

    @admin.display(description="What to do")
    def what_to_do(self, log: SealedLog) -> str:
        """What stands still, and the command that goes on."""
        if not log.alarm:
            return "Nothing."
        stops = STOPS.get(str(log.alarm["kind"]), NOTHING)
        using = str(log._state.db)
        look = f"Look: `manage.py lifecycle verify --proof{database_option(using)}`"
        guide = page("how-to/seal-the-ledger.md")
        lines = [stops, f"Next: {log.alarm['command']}", look, f"{GUIDE} {guide}"]
        return "\n".join(lines)

    @admin.display(description="Sealed events", ordering="size")
    def sealed(self, log: SealedLog) -> str:
        return f"{log.size:,}"

    @admin.display(description="Published events", ordering="shipped")
    def published(self, log: SealedLog) -> str:
        return f"{log.shipped:,}"

    @admin.display(description="Waiting to be published")
    def waiting(self, log: SealedLog) -> str:
        return f"{log.size - log.shipped:,}"

    @admin.display(description="Published head")
    def head(self, log: SealedLog) -> str:
        """Size and root, as the last checkpoint says."""
        try:
            head = Checkpoint.parse(parse(log.checkpoint.encode()).text)
        except ProofError:
            return "Nothing is published yet."
        return f"{head.size:,} events, root {head.root.hex()}"

    @admin.display(description="Witnesses")
    def witnesses(self, log: SealedLog) -> str:
        """What each has said last."""
        said = [f"{name} {text}" for name, text in sorted(log.witnessed.items())]
        return "\n".join(said) or "None was asked."

    def _newest(self, log: SealedLog) -> int:
        rows = SealedLog.objects.using(log._state.db)
        return int(rows.aggregate(newest=Max("incarnation"))["newest"])
