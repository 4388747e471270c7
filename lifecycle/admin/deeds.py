"""What a user may do here, and what not, with why: each action has a permission of its own."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.own_pages import why_not

#: permission, what it lets do, where, in what name of an address and with what in its query
Offer = tuple[str, Any, Any, str, str]
DEEDS: tuple[Offer, ...] = (
    (
        "lifecycle.view_policystate",
        _("Look at policies"),
        _("the list of policies"),
        "lifecycle_policystate",
        "",
    ),
    (
        "lifecycle.view_event",
        _("Read the ledger, look at one row"),
        _("events"),
        "lifecycle_event",
        "",
    ),
    (
        "lifecycle.view_agendaentry",
        _("See what falls due"),
        _("the agenda"),
        "lifecycle_agendaentry",
        "",
    ),
    (
        "lifecycle.view_rowexception",
        _("See what is held or restored"),
        _("row exceptions"),
        "lifecycle_rowexception",
        "",
    ),
    ("lifecycle.hold_row", _("Hold a row"), _("the page of one row"), "lifecycle_row", ""),
    (
        "lifecycle.release_row",
        _("Release a held row"),
        _("row exceptions"),
        "lifecycle_rowexception",
        "?kind__exact=hold",
    ),
    (
        "lifecycle.restore_row",
        _("Restore a tombstoned row"),
        _("the page of one row"),
        "lifecycle_row",
        "",
    ),
    (
        "lifecycle.retry_row",
        _("Have blocked rows tried again"),
        _("the agenda"),
        "lifecycle_agendaentry",
        "?blocked=yes",
    ),
    (
        "lifecycle.pause_policy",
        _("Pause a policy"),
        _("the list of policies"),
        "lifecycle_policystate",
        "?state__exact=enabled",
    ),
    (
        "lifecycle.resume_policy",
        _("Resume a policy"),
        _("the list of policies"),
        "lifecycle_policystate",
        "?state__exact=paused",
    ),
)
#: what else a page wants from whoever does it there
NEEDS = {
    "lifecycle_agendaentry": "lifecycle.view_agendaentry",
    "lifecycle_row": "lifecycle.view_event",
    "lifecycle_rowexception": "lifecycle.view_rowexception",
    "lifecycle_policystate": "lifecycle.view_policystate",
    "purge_plan": "purge.view_plan",
    "purge_request": "purge.view_request",
    "purge_forecast": "purge.view_forecast",
}

_more: list[Offer] = []


def add_deeds(*offers: Offer) -> None:
    """Show actions of another app too, below ours; in the form of `DEEDS`."""
    _more.extend(each for each in offers if each not in _more)


@dataclass(frozen=True)
class Deed:
    """One action: what it is, where it is done, and why this user may not; '' where it may."""

    says: str
    where: str
    address: str
    why_not: str


def deeds(request: HttpRequest, site: str) -> list[Deed]:
    """Every action of these pages, as this user has it; of those that this admin site has."""
    found = (_deed(request, site, *each) for each in (*DEEDS, *_more))
    return [each for each in found if each]


def _deed(
    request: HttpRequest, site: str, permission: str, says: Any, where: Any, name: str, query: str
) -> Deed | None:
    why = why_not(request, *dict.fromkeys((permission, NEEDS.get(name, permission))))
    page = name if name == "lifecycle_row" else f"{name}_changelist"
    try:
        address = reverse(f"admin:{page}", current_app=site) + query
    except NoReverseMatch:
        return None  # a site may have left out a page
    return Deed(str(says), str(where), "" if why else address, why)
