"""The page of one request: its clock, what refuses it, its receipt, what can be done with it."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.translation import gettext

from lifecycle.admin.own_pages import address, as_role, own_page, shown_by, viewed_object
from lifecycle.admin.readonly import refuse
from lifecycle.admin.row_page import look_up, page_of
from lifecycle.exceptions import LifecycleError
from lifecycle.phrases import phrase, translated, word
from purge.models import Request
from purge.requests.ask import answer_request, extend_request, receipt_of
from purge.requests.new import opened
from purge.requests.seen import receipt_text, refusal
from purge.requests.steps import STEPS, model_in_code, offered, said_by
from purge.requests.subject import export_of
from purge.requests.telling import is_overdue, name_of, status_of


class RequestPage:
    """Adds the page, and one for each step, to the admin of requests."""

    admin_site: Any

    def get_urls(self) -> list[Any]:
        """The steps before Django's own."""
        view = self.admin_site.admin_view(self.step)
        steps = [
            path(f"<int:number>/{name}/", view, {"name": name}, name=f"purge_request_{name}")
            for name in STEPS
        ]
        return [*steps, *super().get_urls()]  # type: ignore[misc]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Everything about one request."""
        found = viewed_object(self, request, object_id)
        shown = self._shown(request, found)
        title = gettext("Request %(number)s") % {"number": found.pk}
        return shown_by(self, request, "admin/purge/request.html", title, **shown)

    @own_page
    def step(self, request: HttpRequest, number: int, name: str) -> HttpResponseBase:
        """Confirm a step, then take it; what is refused is said, and changes nothing."""
        found = self.get_object(request, str(number))  # type: ignore[attr-defined]
        may = self.has_view_permission(request, found)  # type: ignore[attr-defined]
        if not (found and may and request.user.has_perm(STEPS[name].permission)):
            raise PermissionDenied
        self._row_of(request, found)
        form = STEPS[name].form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                with as_role():
                    return self._take(request, found, name, form.cleaned_data)
            except LifecycleError as error:
                refuse(request, error)
        back = address(self.admin_site, "purge_request_change", number)
        shown = {"found": found, "form": form, "action": STEPS[name].name, "back": back}
        shown["explained"] = STEPS[name].explained
        title = str(STEPS[name].title) % {"number": number}
        return shown_by(self, request, "admin/purge/request_step.html", title, **shown)

    def _take(
        self, request: HttpRequest, found: Request, name: str, values: dict[str, Any]
    ) -> HttpResponseBase:
        using, who = str(found._state.db), request.user.get_username()
        if name == "export":
            return export_of(request, self.admin_site, found, who, values["put_in"])
        if name == "try":
            _try(found, who)
        else:
            act = extend_request if name == "extend" else answer_request
            said_by(act, found, values["reason"], who, using)
        messages.success(request, str(STEPS[name].done) % {"number": found.pk})
        return HttpResponseRedirect(address(self.admin_site, "purge_request_change", found.pk))

    def _row_of(self, request: HttpRequest, found: Request) -> Any:
        """The row, where it is there; `PermissionDenied` where the user may not view it."""
        try:
            model_in_code(found)
        except LifecycleError:
            return None
        try:
            return look_up(request, self.admin_site, f"{found.model}:{found.key}")[2]
        except LifecycleError:
            raise PermissionDenied from None

    def _shown(self, request: HttpRequest, found: Request) -> dict[str, Any]:
        using = str(found._state.db)
        row = self._row_of(request, found)
        waits = refusal(request, self.admin_site, found.waits_for)
        shown = {"found": found, "waits": waits, "overdue": is_overdue(found)}
        shown["steps"] = offered(request, found, row is not None)
        try:
            shown |= {"name": name_of(found), "status": word(status_of(found, using))}
            shown |= _receipt(request, self.admin_site, found, using)
        except LifecycleError as error:  # its model is not in the code any more
            shown |= {"name": f"{found.model}:{found.key}", "status": translated(error)}
        return shown


def _receipt(request: HttpRequest, site: AdminSite, found: Request, using: str) -> dict[str, Any]:
    """The receipt in words, and where the rest of the row's story is."""
    receipts = receipt_of(found, using)
    may = request.user.has_perm("lifecycle.view_event")
    links: dict[str, Any] = {"row_page": page_of(name_of(found)) if may else ""}
    ended = any(each.state in ("purged", "updated") for each in receipts)
    if ended and may:
        links["certificate"] = reverse("admin:lifecycle_row_certificate")
    return {"receipt": "\n".join(receipt_text(request, site, each) for each in receipts)} | links


def _try(found: Request, actor: str) -> None:
    names = ("reference", "received_at", "grace", "policy")
    values = {name.removesuffix("_at"): getattr(found, name) for name in names}
    if found.done_at:
        raise LifecycleError(phrase("Request %(number)s is closed.", number=found.pk))
    opened(model_in_code(found), found.key, values, actor)
