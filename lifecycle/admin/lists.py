"""Ledger and row exceptions: lists, and a page for each entry."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import BigIntegerField, Func, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.keyset import ActorFilter, KeysetMixin, RunFilter
from lifecycle.admin.policy_filter import PolicyFilter
from lifecycle.admin.readonly import moment
from lifecycle.admin.row_actions import release_exceptions
from lifecycle.admin.row_page import RowPages
from lifecycle.admin.row_search import AboutRows
from lifecycle.admin.visibility import mask_blockers, without_keys
from lifecycle.compiler.keys import label_of_model
from lifecycle.db.connection import fetch
from lifecycle.insight.search import events_about
from lifecycle.insight.why import LARGE
from lifecycle.ledger.row_names import ledger_key
from lifecycle.models import ON_TABLE, Event, Kind, RowException

SUBJECTS_SHOWN = 20  # or names of files
RECORDED, DUE = moment("recorded_at"), moment("due_at")
SINCE, UNTIL = moment("since"), moment("until")


class GoneBy(Func):
    """The last event by which the site itself has deleted a row, of its hold and its key."""

    template = (
        "(SELECT max(gone.event) FROM lifecycle.held_deleted_v1() AS gone"
        " WHERE (gone.hold, gone.key) = (%(expressions)s))"
    )
    output_field = BigIntegerField()


class KindFilter(admin.SimpleListFilter):
    """By kind. Without a choice all but `settled`: one for each batch, about no row."""

    title, parameter_name = _("kind"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", gettext("All")), *((kind.value, str(kind.label)) for kind in Kind)]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": gettext("All but settled")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset.exclude(kind=Kind.SETTLED)
        return queryset if self.value() == "all" else queryset.filter(kind=self.value())


@admin.register(Event)
class EventAdmin(KeysetMixin, RowPages, AboutRows):
    """The ledger, newest first, and the pages of single rows."""

    change_list_template = "admin/lifecycle/events.html"

    list_display = ("id", RECORDED, "kind", "about", "count", DUE, "actor")
    list_filter = (KindFilter, PolicyFilter, "recorded_at", ActorFilter, RunFilter)
    ordering = ("-id",)
    fields = (
        *("id", "kind", "policy", "model", "count", "first_subjects", "basis", "settled"),
        *("files", DUE, RECORDED, "cause", "actor", "run", "detail"),
    )
    readonly_fields = (DUE, RECORDED)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        # A page of fifty events may be about half a million keys.
        return super().get_queryset(request).defer(*LARGE)

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Event | None:
        event = super().get_object(request, *args, **kwargs)
        return event and mask_blockers(event, without_keys(request, self.admin_site))

    def find(self, request: HttpRequest, model: type[Model], key: str, rows: Any) -> Any:
        search = events_about(model, key, using=rows.db)
        if search.reached:
            self.warn_incomplete(
                request,
                gettext("Events before number %(number)s were not looked at")
                % {"number": search.reached},
            )
        return rows.filter(pk__in=search.events)

    @admin.display(description=_("about"), ordering="policy")
    def about(self, event: Event) -> str:
        """The policy; the model, where the host itself ended rows."""
        return event.policy or event.model

    @admin.display(description=_("subjects"))
    def first_subjects(self, event: Event) -> str:
        """The first keys of the set; all of them are `event.subjects`."""
        query = "SELECT lifecycle.keys_v1(%(event)s) LIMIT %(shown)s"
        params = {"event": event.pk, "shown": SUBJECTS_SHOWN}
        keys = [key for (key,) in fetch(event._state.db or "default", query, params)]
        return _some(keys, event.count) if keys else ""

    @admin.display(description=_("files"))
    def files(self, event: Event) -> str:
        """The first names of an event about files, and the field that they stood in."""
        names = event.detail.get("names") or []
        shown = _some(names[:SUBJECTS_SHOWN], len(names))
        return f"{event.detail.get('field')}: {shown}" if names else ""


def _some(shown: list[str], total: int) -> str:
    """The first few, and how many more there are."""
    text, more = ", ".join(shown), total - len(shown)
    if more <= 0:
        return text
    said = ngettext("%(names)s and %(more)s more", "%(names)s and %(more)s more", more)
    return said % {"names": text, "more": more}


@admin.register(RowException)
class RowExceptionAdmin(AboutRows):
    """Holds, restores and expiries by hand that count now."""

    list_display = (
        *("kind", "policy", "model", "key", SINCE, UNTIL),
        *("reason", "reference", "actor", "gone"),
    )
    list_filter = ("kind", PolicyFilter)
    actions = (release_exceptions,)
    ordering = ("-event_id",)
    fields = (
        *("event", "kind", "policy", "model", "key", SINCE, UNTIL),
        *("reason", "reference", "actor", "gone"),
    )
    readonly_fields = (SINCE, UNTIL)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RowException]:
        rows = super().get_queryset(request).annotate(gone_by=GoneBy("event_id", "key"))
        return rows.select_related("event").defer(*(f"event__{column}" for column in LARGE))

    @admin.display(description=_("reason"))
    def reason(self, exception: RowException) -> str:
        """Why, as whoever placed it wrote it."""
        return exception.event.detail.get("reason") or "-"

    @admin.display(description=_("reference"))
    def reference(self, exception: RowException) -> str:
        """What it refers to, as whoever placed it wrote it."""
        return exception.event.detail.get("reference") or "-"

    @admin.display(description=_("actor"))
    def actor(self, exception: RowException) -> str:
        """Who placed it."""
        return exception.event.actor or "-"

    @admin.display(description=_("deleted all the same"))
    def gone(self, exception: Any) -> str:
        """The event by which the site itself has deleted the held row."""
        if not exception.gone_by:
            return "-"
        return gettext("GONE: event %(event)s") % {"event": exception.gone_by}

    def has_release_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("lifecycle.release_row")

    def find(self, request: HttpRequest, model: type[Model], key: str, rows: Any) -> Any:
        label = label_of_model(model)
        return rows.filter(Q(key=ledger_key(model, key, rows.db)) | ON_TABLE, model=label)
