"""A model admin that only shows."""

from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import router
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lifecycle.exceptions import LifecycleError
from lifecycle.phrases import number, to_the_second, translated

COUNTED = 10_000  # lines of a list; to count ten million takes seconds


class AtLeast(int):
    """A number of lines that are more than were counted."""

    def __str__(self) -> str:
        return gettext("more than %(number)s") % {"number": translated(number(int(self)))}


class CountingFew(Paginator):
    """Counts so many lines at most, and has pages for no more: filters and search find others."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        found = int(rows.order_by()[: COUNTED + 1].count())  # in no order: none has to be made
        return found if found <= COUNTED else AtLeast(COUNTED)


class ReadOnlyAdmin(admin.ModelAdmin):
    """No row can be added, changed or deleted, by anybody; looking needs the `view` permission.

    Every value is shown as text: Django escapes it, nothing here is marked safe.
    """

    actions: Any = None
    list_per_page = 50
    paginator = CountingFew
    show_full_result_count = False  # a second count(*) over the whole ledger
    show_facets = admin.ShowFacets.NEVER  # one for each choice of each filter

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Of the primary: what is done with these rows is done where they were read."""
        return super().get_queryset(request).using(router.db_for_write(self.model))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def refuse(request: HttpRequest, error: LifecycleError) -> None:
    """Tell the user what is refused, and why."""
    messages.error(request, gettext("Refused: %(why)s") % {"why": translated(error)})


def moment(field: str) -> Any:
    """A column for a time, to the second: Django's own format ends at the minute."""

    @admin.display(description=_(field.replace("_", " ")), ordering=field)
    def show(row: Any) -> str:
        return to_the_second(getattr(row, field))

    return show
