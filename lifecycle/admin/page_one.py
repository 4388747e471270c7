"""Page one: the index of this app in the admin, for whoever comes at three in the morning."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin import site as default_site
from django.db import DatabaseError, connections, router
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.charts import charts
from lifecycle.admin.deeds import deeds
from lifecycle.admin.visibility import without_keys
from lifecycle.db.version import to_install
from lifecycle.insight.overview import Overview, overview
from lifecycle.models import PolicyState
from lifecycle.phrases import phrase

SKEW = 5.0  # seconds between the two clocks that are worth a word
ENDS = ((_("in 24 hours"), "day"), (_("in 7 days"), "week"), (_("in 30 days"), "month"))


def page_one(request: HttpRequest, site: AdminSite | None = None) -> dict[str, Any]:
    """What its template shows. Who may view no policies sees what they may do, and nothing else."""
    site = site or site_of(request)
    about: dict[str, Any] = {"deeds": deeds(request, site.name), "served_at": timezone.now()}
    if not request.user.has_perm("lifecycle.view_policystate"):
        return about | {"refused": "lifecycle.view_policystate"}
    using = router.db_for_write(PolicyState)
    try:
        found = overview(using, without_keys(request, site))
    except DatabaseError:
        said = phrase(
            "It cannot be asked: tables or functions of the package are missing or changed: "
            "%(command)s",
            command=to_install(using),
        )
        return about | {"broken": said}
    return about | _shown(request, found)


def site_of(request: HttpRequest) -> AdminSite:
    """The admin site that a request is for."""
    from django.contrib.admin.sites import all_sites

    name = getattr(request, "current_app", None)
    match = request.resolver_match
    name = name or (match.namespace if match else "")
    return next((each for each in all_sites if each.name == name), default_site)


def _shown(request: HttpRequest, found: Overview) -> dict[str, Any]:
    may = request.user.has_perm
    return {
        "found": found,
        "several": len(connections.databases) > 1,
        "skew": _skew(found),
        "ends": [(words, found.ends(span)) for words, span in ENDS],
        "held": [line for line in found.lines if line.status.held],
        "charts": charts(found.days) if may("lifecycle.view_event") else None,
        "may_hold_list": may("lifecycle.view_rowexception"),
        "may_agenda": may("lifecycle.view_agendaentry"),
    }


def _skew(found: Overview) -> int:
    """Seconds that the database's clock is ahead of this machine's; 0 where that is little."""
    seconds = (found.now - timezone.now()).total_seconds()
    return round(seconds) if abs(seconds) > SKEW else 0
