"""The page by which a request is opened: what would go is shown before."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

from lifecycle.admin.own_pages import (
    address,
    as_role,
    own_page,
    refuse_elsewhere,
    shown_by,
)
from lifecycle.admin.readonly import refuse
from lifecycle.admin.row_page import look_up
from lifecycle.db.connection import DENIED, sqlstate
from lifecycle.db.rows import home
from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.ledger.row_names import row_name
from lifecycle.phrases import phrase
from purge.erasure.erase import erase_key
from purge.models import Request
from purge.requests.ask import request_key
from purge.requests.forms import AskForm
from purge.requests.seen import receipt_text, refusal

UNSEEN = phrase("This process may not try it: what would go is seen when the worker does.")


class NewRequest:
    """Adds the page to the admin of requests."""

    admin_site: Any

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user may open requests."""
        return bool(request.user.has_perm("purge.add_request"))

    @own_page
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask for the row; show what would go; open the request once that is confirmed."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = AskForm(request.POST if request.method == "POST" else None, initial=_asked(request))
        shown: dict[str, Any] = {"form": form}
        if form.is_valid():
            try:
                model, key = self._row(request, form.cleaned_data["row"])
                if "confirmed" in request.POST:
                    with as_role():
                        made = opened(model, key, form.cleaned_data, request.user.get_username())
                    return HttpResponseRedirect(
                        address(self.admin_site, "purge_request_change", made.pk)
                    )
                shown |= self._preview(request, model, key, form.cleaned_data)
            except LifecycleError as error:
                refuse(request, error)
        title = gettext("Open a request for erasure")
        return shown_by(self, request, "admin/purge/request_new.html", title, **shown)

    def _row(self, request: HttpRequest, name: str) -> tuple[Any, str]:
        model, key, row = look_up(request, self.admin_site, name.strip())
        if row is None:
            raise RowMissing(phrase("%(row)s is not in the database.", row=row_name(model, key)))
        refuse_elsewhere(self, model)
        return model, key

    def _preview(
        self, request: HttpRequest, model: Any, key: str, values: dict[str, Any]
    ) -> dict[str, Any]:
        """What the erasure would do, or what refuses it: then the request waits."""
        who, policy = request.user.get_username(), values["policy"] or None
        try:
            would = erase_key(
                model, key, values["reference"], values["grace"], policy, who, True, home(model)
            )
        except LifecycleError as error:
            return {"confirm": True, "refused": refusal(request, self.admin_site, _said(error))}
        except DatabaseError as error:
            if sqlstate(error) != DENIED:
                raise
            return {"confirm": True, "refused": UNSEEN}
        return {"confirm": True, "preview": receipt_text(request, self.admin_site, would)}


def opened(model: Any, key: str, values: dict[str, Any], actor: str) -> Request:
    """The request, tried; where this process may not erase, a worker tries it."""
    reference, policy = values["reference"], values.get("policy") or None
    received, grace = values.get("received"), values.get("grace")
    return request_key(
        model, key, reference, received, grace, policy, actor, home(model), cause="admin"
    )


def _said(error: LifecycleError) -> str:
    return str(error.args[0])


def _asked(request: HttpRequest) -> dict[str, str]:
    return {"row": request.GET.get("row", "")}
