"""What this package has in the admin: the runs of the worker, and the pages of its parts."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin import PolicyFilter
from lifecycle.admin.keyset import ActorFilter, KeysetMixin, TypedFilter
from lifecycle.admin.readonly import moment
from lifecycle.admin.row_search import AboutRows
from lifecycle.db.connection import fetch, statement
from lifecycle.insight.amounts import MOST, Amount
from lifecycle.insight.search import events_about
from lifecycle.insight.standstill import is_failure
from lifecycle.models import Event
from lifecycle.phrases import lasting, translated, word
from purge.batch.outcome import Outcome
from purge.forecasts.admin import ForecastAdmin
from purge.models import Run
from purge.plans.admin import PlanAdmin
from purge.proof.admin import SealedLogAdmin
from purge.requests.admin import RequestAdmin

__all__ = ("ForecastAdmin", "PlanAdmin", "RequestAdmin", "RunAdmin", "SealedLogAdmin")

COUNTS = tuple(Outcome().counts())
STARTED, FINISHED = moment("started_at"), moment("finished_at")
LAST_BATCH = moment("last_batch_at")


class OriginFilter(TypedFilter):
    """By `worker`, or the command that was run: to list them all would read all runs."""

    title, parameter_name = _("origin"), "origin"


@admin.register(Run)
class RunAdmin(KeysetMixin, AboutRows):
    """The passes that found something, newest first; how far the one under way has come."""

    list_display = (
        *("id", "policy", STARTED, "standing", "took", "batches", "done", "origin", "error"),
    )
    list_filter = (PolicyFilter, OriginFilter, "started_at", ActorFilter)
    ordering = ("-id",)
    fields = (
        *("id", "policy", "standing", "still_due", STARTED, FINISHED, "took", "batches"),
        *("origin", "actor", *COUNTS, "error"),
    )
    readonly_fields = (STARTED, FINISHED)

    def find(self, request: HttpRequest, model: type[Model], key: str, rows: Any) -> Any:
        search = events_about(model, key, using=rows.db)
        if search.reached:
            self.warn_incomplete(
                request,
                gettext("Runs of events before number %(number)s were not looked at")
                % {"number": search.reached},
            )
        runs = Event.objects.using(rows.db).filter(pk__in=search.events, run__isnull=False)
        return rows.filter(pk__in=list(runs.values_list("run", flat=True)))

    @admin.display(description=_("state"))
    def standing(self, run: Run) -> str:
        """Whether it is under way, and how it ended."""
        if run.finished_at is None:
            return gettext("under way, last batch at %(time)s") % {"time": LAST_BATCH(run)}
        if is_failure(run.error):
            return gettext("failed")
        return gettext("stopped") if run.error else gettext("done")

    @admin.display(description=_("duration"))
    def took(self, run: Run) -> str:
        """From its begin to its end, or to its last batch."""
        seconds = ((run.finished_at or run.last_batch_at) - run.started_at).total_seconds()
        return translated(lasting(timedelta(seconds=max(0, round(seconds)))))

    @admin.display(description=_("still due"))
    def still_due(self, run: Run) -> str:
        """Of its policy's agenda, while it is under way."""
        if run.finished_at is not None:
            return "-"
        query = statement(__file__, "still_due")
        params = {"policy": run.policy, "most": MOST}
        ((entries, rows),) = fetch(str(run._state.db), query, params)
        said = ngettext("%(rows)s rows", "%(rows)s rows", rows)
        return said % {"rows": translated(str(Amount(rows, entries >= MOST)))}

    @admin.display(description=_("rows"))
    def done(self, run: Run) -> str:
        """The counts that are not zero."""
        counts = {name: getattr(run, name) for name in COUNTS}
        said = [(count, translated(word(name))) for name, count in counts.items() if count]
        return ", ".join(f"{translated(count)} {name}" for count, name in said)
