"""A filter by policy, which does not read the list that it filters to say what there is."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from lifecycle.models import PolicyState


class PolicyFilter(admin.SimpleListFilter):
    """By policy; the choices are the stored policies, not a scan of the ledger."""

    title, parameter_name = _("policy"), "policy"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = PolicyState.objects.order_by("name").values_list("name", flat=True)
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(policy=self.value()) if self.value() else queryset
