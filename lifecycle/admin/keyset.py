"""Long lists by their keys: the next page is what comes before a number, however far back it is.

No OFFSET, which reads all that it leaves out, and no count. A filter that finds little is not
searched for ever: after a moment the page shows what was found, and its link goes on from there.
"""

import time
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

BEFORE, AFTER = "before", "after"
PIECE = 20_000  # numbers that one statement looks at, the first; at twice as many while it is quick
PATIENCE = 0.2  # seconds, and the statement under way
QUICK = PATIENCE / 8


class Pieces:
    """How many numbers the next statement of a search looks at, and whether it has taken enough."""

    def __init__(self) -> None:
        self.began = self.last = time.monotonic()
        self.numbers = 0

    def enough(self) -> bool:
        return time.monotonic() - self.began >= PATIENCE

    def size(self) -> int:
        """Twice as many as before, where those were looked at quickly."""
        now = time.monotonic()
        if not self.numbers:
            self.numbers = PIECE
        elif now - self.last < QUICK:
            self.numbers *= 2
        self.last = now
        return self.numbers


class KeysetList(ChangeList):
    """The rows of a page, the newest first, between keys that the address names."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (BEFORE, AFTER)}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Of a filter: it begins at the newest again."""
        gone = {name: None for name in (BEFORE, AFTER) if name not in (new_params or {})}
        return super().get_query_string({**gone, **(new_params or {})}, remove)

    def get_results(self, request: HttpRequest) -> None:
        """Fill in what the template shows; `older` and `newer` are addresses, or ''."""
        before, after = (_number(request.GET.get(name, "")) for name in (BEFORE, AFTER))
        found, reached = self._newer(after) if after is not None else self._older(before)
        self.result_list = found[: self.list_per_page]
        self._link(found, reached, before, after)
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_admin_actions, self.show_full_result_count = True, False
        self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)

    def _older(self, before: int | None) -> tuple[list[Any], int]:
        """The page below a key; and the key below which nothing was looked at, 0: all was."""
        rows: QuerySet[Any] = self.queryset.order_by("-pk")
        top = self._top() + 1
        high = top if before is None else min(before, top)
        pieces, found = Pieces(), list[Any]()
        while high > 0 and len(found) <= self.list_per_page:
            if pieces.enough():
                return found, high
            low = max(high - pieces.size(), 0)
            part = rows.filter(pk__lt=high, pk__gte=low)
            found += part[: self.list_per_page + 1 - len(found)]
            high = low
        return found, 0

    def _newer(self, after: int) -> tuple[list[Any], int]:
        """The page above a key, its newest first."""
        rows: QuerySet[Any] = self.queryset.order_by("pk")
        top, low = self._top(), after
        pieces, found = Pieces(), list[Any]()
        while low < top and len(found) <= self.list_per_page and not pieces.enough():
            high = low + pieces.size()
            part = rows.filter(pk__gt=low, pk__lte=high)
            found += part[: self.list_per_page + 1 - len(found)]
            low = high
        self.has_newer = len(found) > self.list_per_page or low < top
        return list(reversed(found[: self.list_per_page])), 0

    def _top(self) -> int:
        rows = self.model._default_manager.using(self.queryset.db)
        return int(rows.aggregate(top=Max("pk"))["top"] or 0)

    def _link(self, found: list[Any], reached: int, before: int | None, after: int | None) -> None:
        shown = self.result_list
        more = len(found) > self.list_per_page or bool(after is not None and shown)
        oldest = shown[-1].pk if shown and not reached else reached
        self.reached = reached
        self.older = self.get_query_string({BEFORE: oldest}) if more or reached else ""
        newer = before is not None if after is None else self.has_newer
        first = shown[0].pk if shown else before
        self.newer = self.get_query_string({AFTER: first}) if newer and first else ""
        self.newest = self.get_query_string() if self.newer else ""


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


class KeysetMixin:
    """A list of a model with growing numbers as its keys; it cannot be sorted otherwise."""

    change_list_template: ClassVar[Any] = "admin/lifecycle/keyset.html"
    sortable_by: Any = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return KeysetList


class TypedFilter(admin.SimpleListFilter):
    """A filter by what is typed, exactly; its parameter is the field."""

    template = "admin/lifecycle/typed_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "")]  # Django shows a filter that has some

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Any:
        """One, with what the form has to keep of the address."""
        others = changelist.get_filters_params()
        if changelist.query:
            others["q"] = changelist.query
        others.pop(self.parameter_name, None)
        pairs = [(name, value) for name, values in others.items() for value in _each(values)]
        yield {"others": pairs, "value": self.value() or ""}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.value()
        if asked and "\0" in asked:  # which no text of PostgreSQL has
            return queryset.none()
        return queryset.filter(**{str(self.parameter_name): asked}) if asked else queryset


def _each(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


class ActorFilter(TypedFilter):
    """By who did it."""

    title, parameter_name = _("actor"), "actor"


class RunFilter(TypedFilter):
    """By the number of the run."""

    title, parameter_name = _("run"), "run"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        number = _number(self.value() or "")
        if number is None:
            return queryset.none() if self.value() else queryset
        return queryset.filter(run=number)
