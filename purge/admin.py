"""What the worker did, to look at."""

from django.contrib import admin

from lifecycle.admin import PolicyFilter
from lifecycle.readonly import ReadOnlyAdmin

from .models import Run


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """The passes that found something, newest first."""

    list_display = (
        *("id", "policy", "started_at", "origin", "tombstoned", "purged", "updated"),
        *("kept", "held", "blocked", "locked", "error"),
    )
    list_filter = (PolicyFilter, "origin", "started_at")
    ordering = ("-id",)
