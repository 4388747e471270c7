"""For a site's own `ModelAdmin`: what its rows are, in the list, as a filter, on the row's page."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.db import DataError, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lifecycle import hooks
from lifecycle.compiler.key_expression import KeyText
from lifecycle.compiler.keys import key_text, label_of_model
from lifecycle.db.connection import sqlstate
from lifecycle.db.rows import home, home_of
from lifecycle.insight.row_states import HELD, LIVE, RESTORED, TOMBSTONED, RowState, row_states
from lifecycle.insight.why import holds_on
from lifecycle.ledger.ended import Clock
from lifecycle.ledger.querysets import live, tombstoned
from lifecycle.ledger.row_names import row_name
from lifecycle.models import ON_TABLE, RowException
from lifecycle.phrases import translated
from lifecycle.policy.registry import policies_of

IN_LIST = "CHANGE_LIST"
UNREADABLE = _(
    "Some of the %(rows)s cannot be evaluated, because an expression of a policy fails on them"
    " (SQLSTATE %(code)s): none is shown by this filter. `manage.py lifecycle status` names the"
    " policy; without the filter their rows are shown as unknown."
)
STATES = "_lifecycle_states"  # on a row of a list: what was asked once for all of it


class LifecycleStateFilter(admin.SimpleListFilter):
    """By what rows are now: live, tombstoned, held, restored."""

    title, parameter_name = _("lifecycle"), "lifecycle"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (LIVE, gettext("live")),
            (TOMBSTONED, gettext("tombstoned")),
            (HELD, gettext("held")),
            (RESTORED, gettext("restored")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.value()
        if asked == LIVE:
            return live(queryset)
        if asked == TOMBSTONED:
            return tombstoned(queryset)
        if asked in (HELD, RESTORED):
            return _excepted(queryset, "hold" if asked == HELD else "restored")
        return queryset


def _excepted(rows: QuerySet[Any], kind: str) -> QuerySet[Any]:
    """The rows with a row exception of that kind in force, on them or on all rows of the table."""
    found = RowException.objects.using(rows.db).filter(kind=kind, model=label_of_model(rows.model))
    found = found.exclude(until__lte=Clock())
    if found.filter(ON_TABLE).exists():
        return rows
    return rows.alias(lc_key=KeyText("pk")).filter(lc_key__in=found.values("key"))


class _StatesList(ChangeList):
    """A list that asks for the states of the rows of its page, once."""

    unreadable = False  # some row cannot be evaluated, so that nobody can say which ones pass

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """None where the filter fails on some row: an action must not get others."""
        rows: QuerySet[Any] = super().get_queryset(request, *args, **kwargs)
        return rows.none() if self.unreadable else rows

    def get_results(self, request: HttpRequest) -> None:
        if LifecycleStateFilter.parameter_name not in request.GET:
            self._read(request)
            return
        try:
            with transaction.atomic(using=self.queryset.db):
                self._read(request)
        except DataError as error:
            self.unreadable, self.queryset = True, self.queryset.none()
            about = {"rows": self.opts.verbose_name_plural, "code": sqlstate(error)}
            text = str(UNREADABLE) % about
            messages.error(request, text, fail_silently=True)
            self._read(request)

    def _read(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(
            self.result_list
        )  # which stays what it is: a form for each row takes a queryset
        states = row_states(self.model, [row.pk for row in rows if _is_at_home(row)])
        for row in rows:
            setattr(row, STATES, states.get(row.pk) if _is_at_home(row) else None)


def _is_at_home(row: Model) -> bool:
    """Whether a row is of the database that has its model's policies."""
    return home_of(row) == home(type(row))


class LifecycleAdminMixin(ModelAdmin):
    """Put before `ModelAdmin`: a column, a filter, and a panel on the page of a row.

    They ask a number of questions that grows neither with the rows nor with the policies. Nothing
    is shown for a model without policies. Holds are told to those who may view row exceptions; the
    link to the row's story takes `lifecycle.view_event`. An admin with a `change_form_template` of
    its own includes `admin/lifecycle/panel.html` where the panel is to stand.
    """

    change_form_template = "admin/lifecycle/change_form.html"

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = list(super().get_list_display(request))
        wanted = policies_of(self.model) and "lifecycle_state" not in shown
        return [*shown, "lifecycle_state"] if wanted else shown

    def get_list_filter(self, request: HttpRequest) -> Any:
        shown = list(super().get_list_filter(request))
        wanted = policies_of(self.model) and LifecycleStateFilter not in shown
        return [*shown, LifecycleStateFilter] if wanted else shown

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> Any:
        """With one that leads to a plan, for those who may make one; in the list alone.

        `action_location` is Django's, from 6.1 on: there the page of one row has actions too.
        """
        where = {} if action_location is None else {"action_location": action_location}
        actions = super().get_actions(request, **where)
        if getattr(action_location, "name", IN_LIST) != IN_LIST:
            return actions
        may = hooks.plan_ticked() and request.user.has_perm("purge.add_plan")
        shown = self.actions is not None and not _is_popup(request)  # else Django has none either
        if may and shown and policies_of(self.model):
            actions["lifecycle_plan"] = self.get_action(lifecycle_plan)
        return actions

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        own: Any = super().get_changelist(request, **kwargs)
        return type("StatesList", (_StatesList, own), {})

    @admin.display(description=_("lifecycle"))
    def lifecycle_state(self, row: Any) -> str:
        """What the row is, and until when."""
        state = getattr(row, STATES, None)
        return translated(str(state)) if state else "-"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self._row_of(request, object_id) if policies_of(self.model) else None
        panel = row is not None and self.has_view_permission(request, row) and _is_at_home(row)
        shown = {"lifecycle": _panel(request, row, self.admin_site.name)} if panel and row else {}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def _row_of(self, request: HttpRequest, object_id: str) -> Any:
        """The row that Django's own page is about: an address has keys quoted, or another field."""
        field = request.POST.get(TO_FIELD_VAR, request.GET.get(TO_FIELD_VAR))
        if field and not self.to_field_allowed(request, field):
            return None  # Django refuses it
        return self.get_object(request, unquote(object_id), field)


def _is_popup(request: HttpRequest) -> bool:
    """Whether a row is being chosen for another page: Django has no actions there."""
    return IS_POPUP_VAR in request.GET or IS_POPUP_VAR in request.POST


@admin.action(description=_("Plan an act on the selected rows"))
def lifecycle_plan(page: Any, request: HttpRequest, chosen: QuerySet[Any]) -> Any:
    plan_ticked = hooks.plan_ticked()
    return plan_ticked(page, request, chosen) if plan_ticked else None


def _panel(request: HttpRequest, row: Model, site: str) -> dict[str, Any]:
    may, model = request.user.has_perm, type(row)
    key = key_text(model, row.pk)
    state: RowState | None = row_states(model, [row.pk]).get(row.pk)
    may_holds = may("lifecycle.view_rowexception")
    return {
        "state": state,
        "holds": holds_on(model, key, home(model)) if may_holds else [],
        "address": _story_of(row_name(model, key), site) if may("lifecycle.view_event") else "",
    }


def _story_of(name: str, site: str) -> str:
    """The address of the page of a row; '' where the admin has no pages of the package."""
    try:
        address = reverse("admin:lifecycle_row", current_app=site)
    except NoReverseMatch:
        return ""
    return f"{address}?{urlencode({'row': name})}"
