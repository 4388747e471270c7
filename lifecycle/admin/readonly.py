"""A model admin that only shows."""

from typing import Any

from django.contrib import admin, messages
from django.db import router
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import localtime

from lifecycle.exceptions import LifecycleError


class ReadOnlyAdmin(admin.ModelAdmin):
    """No row can be added, changed or deleted, by anybody; looking needs the `view` permission.

    Every value is shown as text: Django escapes it, nothing here is marked safe.
    """

    actions: Any = None
    list_per_page = 50
    show_full_result_count = False  # a second count(*) over the whole ledger

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
    messages.error(request, f"Refused: {error}")


def moment(field: str) -> Any:
    """A column for a time, to the second: Django's own format ends at the minute."""

    @admin.display(description=field.replace("_", " "), ordering=field)
    def show(row: Any) -> str:
        time = getattr(row, field)
        return f"{localtime(time):%Y-%m-%d %H:%M:%S}" if time else "-"

    return show
