"""The agenda: what falls due when, what blocks those rows that could not end, and trying again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.earliest import ORDER, EarliestList
from lifecycle.admin.policy_filter import PolicyFilter
from lifecycle.admin.readonly import moment, refuse
from lifecycle.admin.row_search import AboutRows
from lifecycle.admin.visibility import mask_blockers, without_keys
from lifecycle.exceptions import LifecycleError
from lifecycle.insight.search import entries_about
from lifecycle.insight.why import LARGE
from lifecycle.ledger.context import context
from lifecycle.ledger.retries import try_again
from lifecycle.models import AgendaEntry, Event, Kind

#: agenda entries of rows that could not end
BLOCKED = Q(attempts__gt=0, event__kind=Kind.BLOCKED)
DUE, TOMBSTONED = moment("due_at"), moment("tombstoned_at")


class BlockedFilter(admin.SimpleListFilter):
    """Those that should have ended and could not."""

    title, parameter_name = _("blocked"), "blocked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", gettext("blocked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(BLOCKED) if self.value() else queryset


@admin.action(description=_("Try the selected blocked rows again now"), permissions=["retry"])
def retry_entries(page: Any, request: HttpRequest, chosen: QuerySet[AgendaEntry]) -> None:
    """Each by itself; those that are not blocked any more are left, and named."""
    for entry in chosen:
        using = str(entry._state.db)
        try:
            with context(actor=request.user.get_username(), cause="admin", using=using):
                listed = try_again(entry.event_id, using)
        except LifecycleError as error:
            refuse(request, error)
        else:
            said = ngettext(
                "Due now: %(count)s rows of %(policy)s (event %(event)s).",
                "Due now: %(count)s rows of %(policy)s (event %(event)s).",
                entry.count,
            )
            said %= {"count": entry.count, "policy": entry.policy, "event": listed}
            page.message_user(request, said, messages.SUCCESS)


@admin.register(AgendaEntry)
class AgendaEntryAdmin(AboutRows):
    """What falls due when, the earliest first; and what blocks those that could not end."""

    list_display = ("number", "policy", DUE, "count", TOMBSTONED, "attempts")
    list_filter = (PolicyFilter, BlockedFilter, "due_at")
    actions = (retry_entries,)
    ordering = ORDER
    sortable_by = ()
    fields = ("event", "policy", DUE, "count", "tombstone", TOMBSTONED, "attempts")
    readonly_fields = (DUE, TOMBSTONED)

    @admin.display(description=_("event id"))
    def number(self, entry: AgendaEntry) -> int:
        """Of its event, which says the rest."""
        return entry.event_id

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return EarliestList

    def get_queryset(self, request: HttpRequest) -> QuerySet[AgendaEntry]:
        rows = super().get_queryset(request).select_related("event")
        return rows.defer(*(f"event__{column}" for column in LARGE))

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = without_keys(request, self.admin_site)

        @admin.display(description=_("in the way"))
        def in_the_way(entry: AgendaEntry) -> str:
            """The rows that the user may read, or what else refused; of blocked ones."""
            return in_words(mask_blockers(entry.event, shown)) if entry.attempts else "-"

        return (*self.list_display, in_the_way)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("lifecycle.retry_row")

    def find(self, request: HttpRequest, model: type[Model], key: str, rows: Any) -> Any:
        entries = entries_about(model, key, rows.db)
        if entries is None:
            self.warn_incomplete(
                request, gettext("The agenda is too long to be searched for one row")
            )
        return rows.filter(pk__in=entries or [])


def in_words(event: Event) -> str:
    """What kept the rows of an event from ending."""
    detail = event.detail
    by = ", ".join(str(name) for name in detail.get("by") or [])
    names = (detail.get(name) for name in ("error", "constraint", "table", "sqlstate", "code"))
    what = " ".join(str(name) for name in names if name)
    return ": ".join(part for part in (what, by) if part) or "-"
