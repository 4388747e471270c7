"""The page of one row: what the ledger says about it, what holds it, and the buttons."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.db.models import Model, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from lifecycle.admin.readonly import refuse
from lifecycle.admin.row_actions import ROW_ACTIONS, act
from lifecycle.admin.visibility import mask_blockers, own_page, refuse_hidden, without_keys
from lifecycle.db.rows import home
from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.insight.search import entries_about, events_about
from lifecycle.insight.why import holds_on, verdicts
from lifecycle.ledger.held_deleted import held_deleted
from lifecycle.ledger.row_names import ledger_key, named, parse, rows_of_key
from lifecycle.ledger.row_names import row_name as row_name_of
from lifecycle.models import ON_TABLE, AgendaEntry, Event, RowException
from lifecycle.policy.registry import policies_of

LARGE = ("subjects_bigint", "subjects_uuid", "subjects_text", "subjects_range", "identities")


class RowPages:
    """Adds the pages to the admin of the ledger, whose `view` permission they need."""

    admin_site: Any

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("row/", view(self.row_page), name="lifecycle_row"),
            path("row/<str:action>/", view(self.action_page), name="lifecycle_row_action"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def row_page(self, request: HttpRequest) -> HttpResponse:
        """What there is about `?row=app.Model:pk`, or the box to ask for it."""
        self._may_look(request)
        row_name, before = _row_name(request), request.GET.get("before", "")
        shown: dict[str, Any] = {}
        by = without_keys(request, self.admin_site)
        if row_name:
            try:
                model, key, row = self._found(request, row_name)
                since = int(before) if before.isdecimal() else None
                shown = story(model, key, row is not None, since, by)
                shown["own_page"] = row and own_page(request, self.admin_site, row)
            except LifecycleError as error:
                refuse(request, error)
        may = request.user.has_perm
        actions = [name for name, action in ROW_ACTIONS.items() if may(action.permission)]
        return self._page(request, "row", {"row_name": row_name, "actions": actions} | shown)

    def action_page(self, request: HttpRequest, action: str) -> HttpResponse:
        """The form of a row action; once it is valid, the action, and back to the row."""
        self._may_look(request)
        if action not in ROW_ACTIONS:
            raise Http404
        if not request.user.has_perm(ROW_ACTIONS[action].permission):
            raise PermissionDenied
        row_name = _row_name(request)
        try:
            model, key, row = self._found(request, row_name)
        except LifecycleError:
            return redirect(page_of(row_name))  # which says why
        try:
            if row is None:
                raise RowMissing(f"{row_name_of(model, key)} is not in the database.")
            return self._form_or_act(request, action, row)
        except LifecycleError as error:
            refuse(request, error)
            return redirect(page_of(row_name))

    def _found(self, request: HttpRequest, name: str) -> tuple[type[Model], str, Model | None]:
        """Model, key and row of the name; refused before anything is read that may not be viewed.

        The row is read once for a page; an action locks it anew.
        """
        model, key = parse(name)
        refuse_hidden(request, self.admin_site, model)
        row = _row(model, key, home(model))
        if row is not None:
            refuse_hidden(request, self.admin_site, model, row)
        return model, key, row

    def _form_or_act(self, request: HttpRequest, name: str, row: Model) -> HttpResponse:
        action, row_name = ROW_ACTIONS[name], named(row)
        form = action.form(row, request.POST if request.method == "POST" else None)
        if form.is_valid():
            act(request, action, row, form.cleaned_data, home(type(row)))
            messages.success(request, f"{action.done}: {row_name}.")
            return redirect(page_of(row_name))
        about = {"row_name": row_name, "action": name, "explained": action.explained}
        return self._page(request, "row_action", about | {"form": form, "back": page_of(row_name)})

    def _may_look(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name
        context |= self.admin_site.each_context(request)
        context |= {"opts": Event._meta, "title": "One row"}
        return TemplateResponse(request, f"admin/lifecycle/{name}.html", context)


def _row_name(request: HttpRequest) -> str:
    return request.GET.get("row", "").strip()


def page_of(name: str) -> str:
    """The address of a row's page."""
    return f"{reverse('admin:lifecycle_row')}?{urlencode({'row': name})}"


def _row(model: type[Model], key: str, using: str) -> Model | None:
    try:
        return rows_of_key(model, key, using).first()
    except (DataError, LifecycleError, ValueError):
        return None  # the search says that it cannot be a key


def story(
    model: type[Model], key: str, is_there: bool, before: int | None,
    shown: Callable[[list[str]], list[str]],
) -> dict[str, Any]:  # fmt: skip
    """What ledger, agenda and row exceptions say about one row, and each policy on its table.

    `shown` makes of the names of rows in its way those that the user may read.
    """
    using = home(model)
    search = events_about(model, key, before, using)
    stored = Event.objects.using(using).filter(pk__in=search.events).defer(*LARGE)
    events = [mask_blockers(event, shown) for event in stored.order_by("-pk")]
    events, entries = _with_detail(events), entries_about(model, key, using)
    row = (model, key, using)
    held = holds_on(*row)
    return {
        "row": row_name_of(model, key),
        "is_there": is_there,
        "gone": [] if is_there else [e for e in held_deleted(using) if e.event in search.events],
        "is_tracked": bool(policies_of(model)),
        "holds": held if is_there else [],
        "verdicts": verdicts(*row, events, held, shown) if is_there else [],
        "exceptions": _exceptions(model, key, using),
        "too_long": entries is None,
        "entries": AgendaEntry.objects.using(using).filter(pk__in=entries or []).order_by("due_at"),
        "events": events,
        "reached": search.reached,
    }


def _exceptions(model: type[Model], key: str, using: str) -> Any:
    """What stands on the row, or on all rows of its table."""
    about = RowException.objects.using(using).select_related("event")
    defer = [f"event__{column}" for column in LARGE]
    stored = ledger_key(model, key, using)
    chosen = about.filter(Q(key=stored) | ON_TABLE, model=model._meta.label_lower)
    return chosen.defer(*defer).order_by("since")


def _with_detail(events: list[Any]) -> list[Any]:
    """Each event with its detail as a line of text, `detail_text`."""
    for event in events:
        detail = (f"{name}: {value}" for name, value in event.detail.items() if value is not None)
        event.detail_text = ", ".join(detail)
    return events
