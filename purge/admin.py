"""The runs of the worker and the logs of the ledger in the admin, to read."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from lifecycle.admin import PolicyFilter
from lifecycle.admin.readonly import moment
from lifecycle.admin.row_search import AboutRows
from lifecycle.insight.search import events_about
from lifecycle.models import Event
from purge.batch.outcome import Outcome
from purge.models import Run
from purge.proof.admin import SealedLogAdmin

__all__ = ("RunAdmin", "SealedLogAdmin")

COUNTS = tuple(Outcome().counts())
STARTED, FINISHED = moment("started_at"), moment("finished_at")


@admin.register(Run)
class RunAdmin(AboutRows):
    """The passes that found something, newest first."""

    list_display = ("id", "policy", STARTED, "done", "origin", "error")
    list_filter = (PolicyFilter, "origin", "started_at")
    ordering = ("-id",)
    fields = ("id", "policy", STARTED, FINISHED, "origin", "actor", *COUNTS, "error")
    readonly_fields = (STARTED, FINISHED)

    def find(self, request: HttpRequest, model: type[Model], key: str, rows: Any) -> Any:
        search = events_about(model, key, using=rows.db)
        if search.reached:
            self.warn_incomplete(
                request, f"Runs of events before number {search.reached} were not looked at"
            )
        runs = Event.objects.using(rows.db).filter(pk__in=search.events, run__isnull=False)
        return rows.filter(pk__in=list(runs.values_list("run", flat=True)))

    @admin.display(description="rows")
    def done(self, run: Run) -> str:
        """The counts that are not zero."""
        counts = {name: getattr(run, name) for name in COUNTS}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
