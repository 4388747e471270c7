"""The page of one row: what the ledger says about it, what holds it, and the buttons."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from lifecycle.admin.row_actions import DEEDS, do
from lifecycle.db.routing import home
from lifecycle.exceptions import LifecycleError
from lifecycle.insight.search import entries_about, events_about
from lifecycle.insight.why import holds_on, verdicts
from lifecycle.ledger.row_names import every_row, key_told, named, parse, row_name, row_of
from lifecycle.models import AgendaEntry, Event, RowException
from lifecycle.policy.registry import policies_of

LARGE = ("subjects_bigint", "subjects_uuid", "subjects_text", "subjects_range", "identities")


class RowPages:
    """Adds the pages to the admin of the ledger, whose `view` permission they need."""

    admin_site: Any

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("row/", view(self.row_page), name="lifecycle_row"),
            path("row/<str:deed>/", view(self.deed_page), name="lifecycle_row_deed"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def row_page(self, request: HttpRequest) -> HttpResponse:
        """What there is about `?row=app.Model:pk`, or the box to ask for it."""
        self._may_look(request)
        asked, before = request.GET.get("row", "").strip(), request.GET.get("before", "")
        shown: dict[str, Any] = {}
        if asked:
            try:
                shown = story(*parse(asked), int(before) if before.isdecimal() else None)
            except LifecycleError as error:
                messages.error(request, f"Refused: {error}")
        deeds = [name for name, deed in DEEDS.items() if request.user.has_perm(deed.permission)]
        return self._page(request, "row", {"asked": asked, "deeds": deeds} | shown)

    def deed_page(self, request: HttpRequest, deed: str) -> HttpResponse:
        """Asks what has to be known, and does it."""
        self._may_look(request)
        if deed not in DEEDS:
            raise Http404
        if not request.user.has_perm(DEEDS[deed].permission):
            raise PermissionDenied
        asked = request.GET.get("row", "").strip()
        try:
            return self._ask(request, deed, asked)
        except LifecycleError as error:
            messages.error(request, f"Refused: {error}")
            return redirect(page_of(asked))

    def _ask(self, request: HttpRequest, deed: str, asked: str) -> HttpResponse:
        row = row_of(asked)
        form = DEEDS[deed].form(row, request.POST if request.method == "POST" else None)
        if form.is_valid():
            do(request, deed, row, form.cleaned_data, home(type(row)))
            messages.success(request, f"{DEEDS[deed].done}: {named(row)}.")
            return redirect(page_of(named(row)))
        told = {"asked": named(row), "deed": deed, "explained": DEEDS[deed].explained}
        return self._page(request, "deed", told | {"form": form, "back": page_of(named(row))})

    def _may_look(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, told: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name
        told |= self.admin_site.each_context(request) | {"opts": Event._meta, "title": "One row"}
        return TemplateResponse(request, f"admin/lifecycle/{name}.html", told)


def page_of(name: str) -> str:
    """The address of a row's page."""
    return f"{reverse('admin:lifecycle_row')}?{urlencode({'row': name})}"


def story(model: type[Model], key: str, before: int | None = None) -> dict[str, Any]:
    """What ledger, agenda and exceptions say about one row, and each policy on its table."""
    using = home(model)
    found = events_about(model, key, before, using)
    told = Event.objects.using(using).filter(pk__in=found.events).defer(*LARGE)
    events, entries = _said(told.order_by("-pk")), entries_about(model, key, using)
    is_there = every_row(model, using).filter(pk=key).exists()
    row = (model, key, using)
    return {
        "row": row_name(model, key),
        "is_there": is_there,
        "is_tracked": bool(policies_of(model)),
        "verdicts": verdicts(*row, events, holds_on(*row)) if is_there else [],
        "exceptions": _exceptions(model, key, using),
        "too_long": entries is None,
        "entries": AgendaEntry.objects.using(using).filter(pk__in=entries or []).order_by("due_at"),
        "events": events,
        "reached": found.reached,
    }


def _exceptions(model: type[Model], key: str, using: str) -> Any:
    """What stands on the row, or on all rows of its table."""
    about = RowException.objects.using(using).select_related("event")
    defer = [f"event__{column}" for column in LARGE]
    told = key_told(model, key, using)
    chosen = about.filter(model=model._meta.label_lower, key__in=("", told))
    return chosen.defer(*defer).order_by("since")


def _said(told: Any) -> list[Any]:
    """Each event with its detail as a line of text."""
    events = list(told)
    for event in events:
        detail = (f"{name}: {value}" for name, value in event.detail.items() if value is not None)
        event.said = ", ".join(detail)
    return events
