"""Search of a list by `app.Model:pk`."""

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.readonly import ReadOnlyAdmin, refuse
from lifecycle.admin.visibility import about_viewed, refuse_hidden
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import parse


class RowSearch(ReadOnlyAdmin):
    """The search box of a list takes the name of one row; `find` says what there is about it."""

    search_fields = ("pk",)  # Django shows the box where there are some
    search_help_text: ClassVar[Any] = _("One row, as app.Model:pk")

    def get_search_results(self, request: HttpRequest, rows: Any, term: str) -> tuple[Any, bool]:
        """What is about the row that the term names; nothing, and why, where it names none."""
        term = term.strip()
        if not term:
            return rows, False
        if ":" not in term and (other := self.find_other(term, rows)) is not None:
            return other, False
        try:
            model, key = parse(term)
            refuse_hidden(request, self.admin_site, model)
            return self.find(request, model, key, rows), False
        except LifecycleError as error:
            if request.method == "GET":  # an action leads back to the list, which says it
                refuse(request, error)
            return rows.none(), False

    def find(self, request: HttpRequest, model: type[Model], key: str, rows: Any) -> Any:
        """Those of the list that are about one row."""
        raise NotImplementedError

    def find_other(self, term: str, rows: Any) -> Any:
        """Those that a term finds that names no row; None where there is no such search."""
        return None

    def warn_incomplete(self, request: HttpRequest, text: str) -> None:
        """Tell the user that the search has not read everything, and what has."""
        messages.warning(
            request,
            gettext("%(text)s: see the page of the row, or `manage.py lifecycle why ROW`.")
            % {"text": text},
        )


class AboutRows(RowSearch):
    """A list of what is about rows: of those models only that the user may view."""

    def get_queryset(self, request: HttpRequest) -> Any:
        return about_viewed(super().get_queryset(request), request, self.admin_site)
