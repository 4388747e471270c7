"""The agenda by due time, over all policies: a page reads no more than it shows.

The agenda has an index by policy and due time, and none by due time alone, which each write would
have to pay for. So the first entries of each policy are read by it, and the first of those shown.
"""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from lifecycle.db.connection import local_settings
from lifecycle.insight.capped import IN_ORDER
from lifecycle.models import PolicyState

ORDER = ("due_at", "event_id")


class EarliestList(ChangeList):
    """The entries of a page, of as many pages as the paginator counts."""

    def get_results(self, request: HttpRequest) -> None:
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.result_count = self.full_result_count = paginator.count
        self.show_admin_actions, self.show_full_result_count = True, False
        self.can_show_all, self.paginator = False, paginator
        self.multi_page = self.result_count > self.list_per_page
        self.page_num = max(1, min(self.page_num, paginator.num_pages))
        upto = self.page_num * self.list_per_page
        shown = self._earliest(upto)[upto - self.list_per_page :]
        self.result_list = self.queryset.filter(pk__in=shown).order_by(*ORDER)

    def _earliest(self, upto: int) -> list[int]:
        """The numbers of so many entries, the earliest of them first."""
        using = self.queryset.db
        with transaction.atomic(using=using), local_settings(using, **IN_ORDER):
            names = PolicyState.objects.using(using).values_list("name", flat=True)
            rows: QuerySet[Any] = self.queryset.select_related(None).order_by("due_at")
            parts = [rows.filter(policy=name).values_list("due_at", "pk")[:upto] for name in names]
            found = rows.none().union(*parts, all=True) if parts else rows.none()
            return [number for _, number in sorted(found)[:upto]]
