"""Whose rows a user may see in the admin: those of the models that the site lets the user view.

Permissions on the ledger say which lists and buttons a user has; of what stands in them, a user
sees what is about models that the user may view anyway. The rest is left out, not masked: a count,
a time and an actor tell of a row too. Only a row that stands in the way of another, in an event
about that other one, is shown without its key.

A table is judged by its concrete model, as the ledger names it, whatever proxies the site shows.
"""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.utils import quote
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from lifecycle.compiler.keys import label_of_model
from lifecycle.exceptions import LifecycleError
from lifecycle.models import Event, PolicyState
from lifecycle.phrases import phrase

_HIDDEN = "_lifecycle_hidden"  # on a request: what was asked once


def may_view(request: HttpRequest, site: AdminSite, model: Any, row: Model | None = None) -> bool:
    """What the site's own `ModelAdmin` says; Django's permission where it has none for the model.

    With a row, also what it says of that row. Django has no permission for the table that it makes
    of a many-to-many field: who may view both of its ends may view that.
    """
    model = model._meta.concrete_model
    known = site.is_registered(model)
    if model._meta.auto_created and not known:
        ends = (each.related_model for each in model._meta.fields if each.related_model)
        return all(may_view(request, site, each) for each in ends)
    page: Any = site.get_model_admin(model) if known else ModelAdmin(model, site)
    if not page.has_view_permission(request):
        return False
    return row is None or bool(page.has_view_permission(request, row))


def refuse_hidden(
    request: HttpRequest, site: AdminSite, model: type[Model], row: Model | None = None
) -> None:
    """Raise `LifecycleError` where the user may not view the model, or the row."""
    if not may_view(request, site, model, row):
        raise LifecycleError(phrase("You may not view %(model)s.", model=model._meta.label))


def in_list(
    request: HttpRequest, site: AdminSite, rows: "QuerySet[Any]"
) -> "QuerySet[Any]":  # fmt: skip
    """Those rows that the site's own list of their model has for the user.

    All of them where the site has no such list, or has not narrowed it (`get_queryset`): a manager
    that leaves out rows does not decide here.
    """
    model: Any = rows.model
    if not site.is_registered(model):
        return rows
    page = site.get_model_admin(model)
    if type(page).get_queryset is ModelAdmin.get_queryset:
        return rows
    listed = page.get_queryset(request).using(rows.db).order_by()
    return rows.filter(pk__in=listed.values("pk"))


def viewed_models(request: HttpRequest, site: AdminSite) -> list[Any]:
    """The site's models whose rows the user may view, by name; not those of this package."""
    found = [each for each in apps.get_models() if not (each._meta.proxy or each._meta.swapped)]
    own = ("lifecycle", "purge")
    seen = [each for each in found if each._meta.app_label not in own]
    hidden = _hidden(request, site)
    return sorted(
        (each for each in seen if label_of_model(each) not in hidden),
        key=lambda each: str(each._meta.label),
    )


def own_page(request: HttpRequest, site: AdminSite, row: Model) -> str:
    """The address of the row's own page in the admin, where there is one that the user may view.

    A site may have registered a proxy of its model only.
    """
    model: Any = row._meta.concrete_model
    known = [each for each in site._registry if each._meta.concrete_model is model]
    for each in sorted(known, key=lambda shown: shown is not model):
        page = site.get_model_admin(each)
        if page.has_view_permission(request, row) and page.get_queryset(request).filter(pk=row.pk):
            name = f"admin:{each._meta.app_label}_{each._meta.model_name}_change"
            return _reversed(name, [quote(row.pk)], site.name)
    return ""


def _reversed(name: str, arguments: list[Any], site: str) -> str:
    try:
        return reverse(name, args=arguments, current_app=site)
    except NoReverseMatch:
        return ""  # a ModelAdmin with addresses of its own


def about_viewed(rows: "QuerySet[Any]", request: HttpRequest, site: AdminSite) -> "QuerySet[Any]":
    """Those of a list that are about models which the user may view, or about no model at all.

    Tables whose model is no longer in the code are a superuser's. A superuser from whom no admin
    hides anything has the list as it is: no condition, no other plan.
    """
    hidden = _hidden(request, site)
    if request.user.is_superuser and not hidden:
        return rows
    return rows.filter(_condition(rows, request, hidden))


def _condition(rows: "QuerySet[Any]", request: HttpRequest, hidden: set[str]) -> Q:
    seen = Q(model__in=hidden, _negated=True)
    if not request.user.is_superuser:
        seen = Q(model__in=_labels() - hidden)
    states = PolicyState.objects.using(rows.db).filter(seen).order_by().values("name")
    by_policy = Q(policy__in=states)
    if not _has_model(rows.model):
        return by_policy
    return Q(seen, ~Q(model="")) | Q(by_policy, model="") | Q(model="", policy="")


def _has_model(table: type[Model]) -> bool:
    return any(field.name == "model" for field in table._meta.get_fields())


def _labels() -> set[str]:
    return {label_of_model(model) for model in apps.get_models(include_auto_created=True)}


def _hidden(request: HttpRequest, site: AdminSite) -> set[str]:
    """The ledger's names of the tables that the user may not view, asked once a request."""
    if not hasattr(request, _HIDDEN):
        models = apps.get_models(include_auto_created=True)
        found = {label_of_model(each) for each in models if not may_view(request, site, each)}
        setattr(request, _HIDDEN, found)
    hidden: set[str] = getattr(request, _HIDDEN)
    return hidden


def without_keys(request: HttpRequest, site: AdminSite) -> Callable[[list[str]], list[str]]:
    """What makes of `app.Model:pk` names those that the user may read."""

    hidden, known = _hidden(request, site), _labels()

    def shown(name: str) -> str:
        label = name.partition(":")[0]
        may = request.user.is_superuser or label.lower() in known
        return (
            name
            if may and label.lower() not in hidden
            else phrase("a row of %(model)s", model=label)
        )

    return lambda names: [shown(name) for name in names]


def names_hidden(request: HttpRequest, site: AdminSite, text: str) -> bool:
    """Whether a text names a row, as `app.Model:pk`, of a model that the user may not view."""
    said = text.lower()
    return any(f"{label}:" in said for label in _hidden(request, site))


def without_hidden(
    request: HttpRequest, site: AdminSite, counts: dict[str, int]
) -> dict[str, int]:  # fmt: skip
    """Rows by model, but of those that the user may not view: a count tells of a row too."""
    hidden = _hidden(request, site)
    return {label: count for label, count in counts.items() if label.lower() not in hidden}


def mask_blockers(event: Event, shown: Callable[[list[str]], list[str]]) -> Event:
    """The event without keys of rows in its way that the user may not view; it is not saved."""
    by = event.detail.get("by")
    if isinstance(by, list):
        event.detail = event.detail | {"by": shown([str(name) for name in by])}
    elif by is not None:
        event.detail = event.detail | {"by": "?"}
    return event
