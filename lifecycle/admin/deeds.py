"""What a user may do here, and what not, with why: each action has a permission of its own."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from lifecycle.admin.own_pages import why_not

#: permission, what it lets do, where, in what name of an address and with what in its query
Offer = tuple[str, str, str, str, str]
DEEDS: tuple[Offer, ...] = (
    ("lifecycle.view_policystate", "Look at policies", "the list of policies",
     "lifecycle_policystate", ""),
    ("lifecycle.view_event", "Read the ledger, look at one row", "events", "lifecycle_event", ""),
    ("lifecycle.view_agendaentry", "See what falls due", "the agenda", "lifecycle_agendaentry", ""),
    ("lifecycle.view_rowexception", "See what is held or restored", "row exceptions",
     "lifecycle_rowexception", ""),
    ("lifecycle.hold_row", "Hold a row", "the page of one row", "lifecycle_row", ""),
    ("lifecycle.release_row", "Release a held row", "row exceptions", "lifecycle_rowexception",
     "?kind__exact=hold"),
    ("lifecycle.restore_row", "Restore a tombstoned row", "the page of one row", "lifecycle_row",
     ""),
    ("lifecycle.retry_row", "Have blocked rows tried again", "the agenda", "lifecycle_agendaentry",
     "?blocked=yes"),
    ("lifecycle.pause_policy", "Pause a policy", "the list of policies", "lifecycle_policystate",
     "?state__exact=enabled"),
    ("lifecycle.resume_policy", "Resume a policy", "the list of policies", "lifecycle_policystate",
     "?state__exact=paused"),
)  # fmt: skip
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
    request: HttpRequest, site: str, permission: str, says: str, where: str, name: str, query: str
) -> Deed | None:
    why = why_not(request, *dict.fromkeys((permission, NEEDS.get(name, permission))))
    page = name if name == "lifecycle_row" else f"{name}_changelist"
    try:
        address = reverse(f"admin:{page}", current_app=site) + query
    except NoReverseMatch:
        return None  # a site may have left out a page
    return Deed(says, where, "" if why else address, why)
