"""The page of one row: what the ledger says about it, what holds it, and the buttons."""

from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.db.models import Model
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext

from lifecycle.admin.own_pages import why_not as lacking
from lifecycle.admin.readonly import refuse
from lifecycle.admin.row_actions import ROW_ACTIONS, RowAction, act
from lifecycle.admin.row_story import story
from lifecycle.admin.visibility import own_page, refuse_hidden, without_keys
from lifecycle.db.rows import home
from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.hooks import certificate
from lifecycle.ledger.row_names import named, parse, rows_of_key
from lifecycle.ledger.row_names import row_name as row_name_of
from lifecycle.models import Event
from lifecycle.phrases import phrase


class Button:
    """A row action as a user has it: its name, and why it may not be pressed; '' where it may."""

    def __init__(self, request: HttpRequest, name: str, action: RowAction) -> None:
        self.name, self.says = name, action.name
        self.why_not = lacking(request, action.permission)


class RowPages:
    """Adds the pages to the admin of the ledger, whose `view` permission they need."""

    admin_site: Any

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("row/", view(self.row_page), name="lifecycle_row"),
            path("row/certificate/", view(self.certificate_page), name="lifecycle_row_certificate"),
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
                shown = story(model, key, row, since, by)
                shown["own_page"] = row and own_page(request, self.admin_site, row)
            except LifecycleError as error:
                refuse(request, error)
        buttons = [Button(request, name, action) for name, action in ROW_ACTIONS.items()]
        return self._page(request, "row", {"row_name": row_name, "buttons": buttons} | shown)

    def certificate_page(self, request: HttpRequest) -> HttpResponseBase:
        """The certificate that the row has ended, as a file; or back to its page, which says why
        there is none."""
        self._may_look(request)
        row_name = _row_name(request)
        try:
            model, key, _ = self._found(request, row_name)
            name, content = certificate(model, key, home(model))
        except LifecycleError as error:
            refuse(request, error)
            return redirect(page_of(row_name))
        return FileResponse(BytesIO(content), as_attachment=True, filename=name)

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
                raise RowMissing(
                    phrase("%(row)s is not in the database.", row=row_name_of(model, key))
                )
            return self._form_or_act(request, action, row)
        except LifecycleError as error:
            refuse(request, error)
            return redirect(page_of(row_name))

    def _found(self, request: HttpRequest, name: str) -> tuple[type[Model], str, Model | None]:
        return look_up(request, self.admin_site, name)

    def _form_or_act(self, request: HttpRequest, name: str, row: Model) -> HttpResponse:
        action, row_name = ROW_ACTIONS[name], named(row)
        form = action.form(row, request.POST if request.method == "POST" else None)
        if form.is_valid():
            act(request, action, row, form.cleaned_data, home(type(row)))
            messages.success(request, str(action.done) % {"row": row_name})
            return redirect(page_of(row_name))
        about = {"row_name": row_name, "action": action.name, "explained": action.explained}
        about["heading"] = str(action.verb) % {"row": row_name}
        return self._page(request, "row_action", about | {"form": form, "back": page_of(row_name)})

    def _may_look(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name
        context |= self.admin_site.each_context(request)
        context |= {"opts": Event._meta, "title": gettext("One row")}
        return TemplateResponse(request, f"admin/lifecycle/{name}.html", context)


def look_up(
    request: HttpRequest, site: AdminSite, name: str
) -> tuple[type[Model], str, Model | None]:
    """Model, key and row of a name; refused before anything is read that may not be viewed.

    The row is read once for a page; an action locks it anew.
    """
    model, key = parse(name)
    refuse_hidden(request, site, model)
    row = _row(model, key, home(model))
    if row is not None:
        refuse_hidden(request, site, model, row)
    return model, key, row


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
