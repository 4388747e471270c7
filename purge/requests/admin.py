"""Requests for erasure in the admin: which are open, until when, and what can be done with one."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import F, Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.deeds import add_deeds
from lifecycle.admin.readonly import moment
from lifecycle.admin.row_search import AboutRows
from lifecycle.compiler.keys import label_of_model
from lifecycle.ledger.row_names import ledger_key
from purge.models import Request
from purge.requests.new import NewRequest
from purge.requests.page import RequestPage
from purge.requests.telling import is_overdue

RECEIVED, DUE = moment("received_at"), moment("due_at")

add_deeds(
    ("purge.view_request", _("Look at requests"), _("the list of requests"), "purge_request", ""),
    ("purge.add_request", _("Open a request for erasure"), _("its form"), "purge_request", "add/"),
    ("purge.extend_request", _("Extend a request"), _("its page"), "purge_request",
     "?standing=open"),
    ("purge.answer_request", _("Answer a request otherwise"), _("its page"), "purge_request",
     "?standing=open"),
    ("purge.export_subject", _("Export what there is of a person"), _("the page of a request"),
     "purge_request", ""),
)  # fmt: skip


class StandingFilter(admin.SimpleListFilter):
    """By whether somebody has to do something."""

    title, parameter_name = _("standing"), "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("open", gettext("open")),
            ("overdue", gettext("overdue")),
            ("done", gettext("done")),
            ("answered", gettext("answered")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.value()
        if asked == "open":
            return queryset.filter(done_at=None)
        if asked == "overdue":
            return queryset.filter(done_at=None, due_at__lte=timezone.now())
        if asked == "done":
            return queryset.exclude(done_at=None).filter(answer="")
        if asked == "answered":
            return queryset.exclude(done_at=None).exclude(answer="")
        return queryset


@admin.register(Request)
class RequestAdmin(NewRequest, RequestPage, AboutRows):
    """The requests about models that the user may view: open ones first, by their deadline."""

    list_display = ("id", "reference", "row", "standing", DUE, RECEIVED, "extended")
    list_filter = (StandingFilter, "due_at", "received_at")
    ordering = (F("done_at").desc(nulls_first=True), "due_at", "-id")
    search_help_text = _("One row, as app.Model:pk, or a reference")

    def find(self, request: HttpRequest, model: type[Model], key: str, rows: Any) -> Any:
        return rows.filter(model=label_of_model(model), key=ledger_key(model, key, rows.db))

    def find_other(self, term: str, rows: Any) -> Any:
        return rows.none() if "\0" in term else rows.filter(reference=term)

    @admin.display(description=_("row"))
    def row(self, found: Request) -> str:
        """As it is written in the table: the model may be gone from the code."""
        return f"{found.model}:{found.key}"

    @admin.display(description=_("state"))
    def standing(self, found: Request) -> str:
        """By its own columns: the ledger is asked on its page."""
        return ", ".join(_standing(found, timezone.now()))

    @admin.display(description=_("extended"))
    def extended(self, found: Request) -> str:
        return gettext("yes") if found.extended_at else "-"


def _standing(found: Request, now: datetime) -> Iterator[str]:
    if found.done_at:
        yield gettext("answered") if found.answer else gettext("done")
        return
    if is_overdue(found, now):
        yield gettext("OVERDUE")
    yield gettext("waits") if found.tries or found.waits_for else gettext("under way")
