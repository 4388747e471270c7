"""The ledger and its projections, to look at. What changes them are commands and host code."""

from typing import Any

from django.contrib import admin
from django.db.models import F, Min, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest

from .db import fetch
from .errors import NoPolicy
from .fingerprint import fingerprint
from .models import AgendaEntry, Event, LifecycleException, PolicyState
from .readonly import ReadOnlyAdmin, moment
from .registry import get_policy

SUBJECTS_SHOWN = 20
SETS = ("subjects_bigint", "subjects_uuid", "subjects_text", "subjects_range")
RECORDED, DUE, TOMBSTONED = moment("recorded_at"), moment("due_at"), moment("tombstoned_at")
SINCE, UNTIL, DECLARED = moment("since"), moment("until"), moment("declared_at")


class PolicyFilter(admin.SimpleListFilter):
    """By policy; the choices are the stored policies, not a scan of the ledger."""

    title = parameter_name = "policy"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = PolicyState.objects.order_by("name").values_list("name", flat=True)
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(policy=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The ledger, newest first."""

    list_display = ("id", RECORDED, "kind", "about", "count", DUE, "actor")
    list_filter = ("kind", PolicyFilter, "recorded_at")
    ordering = ("-id",)
    fields = (
        *("id", "kind", "policy", "model", "count", "first_subjects", "basis", "settled"),
        *(DUE, RECORDED, "cause", "actor", "run", "detail"),
    )
    readonly_fields = (DUE, RECORDED)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        # A page of fifty events may be about half a million keys.
        return super().get_queryset(request).defer(*SETS)

    @admin.display(ordering="policy")
    def about(self, event: Event) -> str:
        """The policy; the model, where the host itself ended rows."""
        return event.policy or event.model

    @admin.display(description="subjects")
    def first_subjects(self, event: Event) -> str:
        """The first keys of the set; all of them are `event.subjects`."""
        query = "SELECT lifecycle.keys_v1(%(event)s) LIMIT %(shown)s"
        params = {"event": event.pk, "shown": SUBJECTS_SHOWN}
        keys = ", ".join(key for (key,) in fetch(event._state.db or "default", query, params))
        more = event.count - SUBJECTS_SHOWN
        return f"{keys} and {more} more" if more > 0 else keys


@admin.register(AgendaEntry)
class AgendaEntryAdmin(ReadOnlyAdmin):
    """What falls due when, the earliest first."""

    list_display = ("event_id", "policy", DUE, "count", TOMBSTONED, "attempts")
    list_filter = (PolicyFilter, "due_at")
    ordering = ("due_at", "event_id")
    fields = ("event", "policy", DUE, "count", "tombstone", TOMBSTONED, "attempts")
    readonly_fields = (DUE, TOMBSTONED)


@admin.register(LifecycleException)
class LifecycleExceptionAdmin(ReadOnlyAdmin):
    """Holds, restores and expiries by hand that count now."""

    list_display = ("kind", "policy", "model", "key", SINCE, UNTIL)
    list_filter = ("kind", PolicyFilter)
    search_fields = ("=key",)
    ordering = ("-since",)
    fields = ("event", "kind", "policy", "model", "key", SINCE, UNTIL)
    readonly_fields = (SINCE, UNTIL)


@admin.register(PolicyState)
class PolicyStateAdmin(ReadOnlyAdmin):
    """What the database knows of each policy, and what its agenda lists."""

    list_display = ("name", "model", "state", "scheduled", "next_due", "as_in_code")
    list_filter = ("state",)
    ordering = ("name",)
    fields = (
        *("name", "model", "state", "scheduled", "next_due", "as_in_code", "fingerprint"),
        *("spent", DECLARED, "due_sql", "state_sql"),
    )
    readonly_fields = (DECLARED,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyState]:
        entries = AgendaEntry.objects.filter(policy=OuterRef("name")).order_by().values("policy")
        return (
            super()
            .get_queryset(request)
            .annotate(
                listed=Subquery(entries.annotate(rows=Sum("count")).values("rows")),
                earliest=Subquery(entries.annotate(due=Min("due_at")).values("due")),
            )
        )

    @admin.display(description="rows scheduled", ordering=F("listed"))
    def scheduled(self, state: Any) -> int:
        return state.listed or 0

    @admin.display(ordering=F("earliest"))
    def next_due(self, state: Any) -> str:
        return moment("earliest")(state)

    @admin.display(boolean=True)
    def as_in_code(self, state: PolicyState) -> bool:
        """Whether this process declares the policy as it is stored; else it ends nothing."""
        try:
            return fingerprint(get_policy(state.name)) == state.fingerprint
        except NoPolicy:
            return False
