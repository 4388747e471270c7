"""What the worker did, to look at."""

from django.contrib import admin

from lifecycle.admin import PolicyFilter
from lifecycle.readonly import ReadOnlyAdmin, moment

from .models import Run
from .outcome import Outcome

COUNTS = tuple(Outcome().counts())
STARTED, FINISHED = moment("started_at"), moment("finished_at")


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """The passes that found something, newest first."""

    list_display = ("id", "policy", STARTED, "done", "origin", "error")
    list_filter = (PolicyFilter, "origin", "started_at")
    ordering = ("-id",)
    fields = ("id", "policy", STARTED, FINISHED, "origin", "actor", *COUNTS, "error")
    readonly_fields = (STARTED, FINISHED)

    @admin.display(description="rows")
    def done(self, run: Run) -> str:
        """The counts that are not zero."""
        counts = {name: getattr(run, name) for name in COUNTS}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
