"""Bundles of permissions for those who come: operator, officer, counsel, viewer, as Django groups.

A bundle lets its members see the pages of this package and press its buttons. Whose rows they see
is decided by the site's own permissions on its models, which no bundle has.
"""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import router, transaction

from lifecycle.exceptions import LifecycleError

VIEWS = (
    "lifecycle.view_policystate",
    "lifecycle.view_event",
    "lifecycle.view_agendaentry",
    "lifecycle.view_rowexception",
    "lifecycle.view_sealedlog",
    "purge.view_run",
    "purge.view_plan",
    "purge.view_request",
    "purge.view_forecast",
)
PREFIX = "retention "


@dataclass(frozen=True)
class Bundle:
    """Who it is for, in words, and the permissions as `app.codename`."""

    name: str
    for_whom: str
    permissions: tuple[str, ...]

    @property
    def group(self) -> str:
        """The name of its group."""
        return f"{PREFIX}{self.name}"

    @property
    def here(self) -> set[str]:
        """The permissions of apps that the site has."""
        return {name for name in self.permissions if apps.is_installed(name.partition(".")[0])}


BUNDLES = (
    Bundle(
        "operator", "keeps it going: pauses and resumes policies, has blocked rows tried again",
        (*VIEWS, "lifecycle.pause_policy", "lifecycle.resume_policy", "lifecycle.retry_row",
         "purge.add_forecast"),
    ),
    Bundle(
        "officer", "answers for the data and to people: requests, rows and plans of every kind",
        (*VIEWS, "lifecycle.hold_row", "lifecycle.release_row", "lifecycle.restore_row",
         "purge.add_plan", "purge.purge_row", "purge.approve_plan", "purge.apply_plan",
         "purge.add_request", "purge.extend_request", "purge.answer_request",
         "purge.export_subject", "purge.add_forecast"),
    ),
    Bundle(
        "counsel", "places holds, releases them; plans them for many rows, approves plans",
        (*VIEWS, "lifecycle.hold_row", "lifecycle.release_row", "purge.add_plan",
         "purge.approve_plan"),
    ),
    Bundle("viewer", "looks, and changes nothing", VIEWS),
)  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """A bundle and its group: whether it is there, with how many members; the permissions that it
    is missing, and those that the site has given it beside.
    """

    bundle: Bundle
    exists: bool
    members: int
    missing: list[str]
    others: list[str]


def groups() -> list[Standing]:
    """Every bundle, as its group stands. Raises `LifecycleError` where the site has no groups."""
    return [_standing(bundle, _using()) for bundle in BUNDLES]


def make_groups() -> list[Standing]:
    """Make the groups that are missing, and give each the permissions that it is missing.

    Nothing is taken from a group. All, or, when it raises, none: `LifecycleError` where the site
    has no groups, or a permission is missing that `migrate` makes.
    """
    using = _using()
    with transaction.atomic(using=using):
        for bundle in BUNDLES:
            group, _ = _groups(using).get_or_create(name=bundle.group)
            group.permissions.add(*(_permission(name, using) for name in bundle.here))
        return [_standing(bundle, using) for bundle in BUNDLES]


def _using() -> str:
    if not apps.is_installed("django.contrib.auth"):
        raise LifecycleError("The site has no groups: django.contrib.auth is not installed.")
    from django.contrib.auth.models import Group

    return router.db_for_write(Group)


def _groups(using: str) -> Any:
    from django.contrib.auth.models import Group

    return Group.objects.using(using)


def _standing(bundle: Bundle, using: str) -> Standing:
    group = _groups(using).filter(name=bundle.group).first()
    if group is None:
        return Standing(bundle, False, 0, sorted(bundle.here), [])
    had = _named(group.permissions.all())
    missing, others = sorted(bundle.here - had), sorted(had - bundle.here)
    return Standing(bundle, True, group.user_set.count(), missing, others)


def _named(permissions: Any) -> set[str]:
    pairs = permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in pairs}


def _permission(name: str, using: str) -> Any:
    from django.contrib.auth.models import Permission

    app, _, codename = name.partition(".")
    asked = {"content_type__app_label": app, "codename": codename}
    found = Permission.objects.using(using).filter(**asked).first()
    if found is None:
        raise LifecycleError(f"There is no permission {name} yet: `manage.py migrate` makes it.")
    return found
