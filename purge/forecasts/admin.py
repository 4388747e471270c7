"""Forecasts in the admin: what was said, beside what came of it; and the page that looks ahead."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import admin
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.charts import Chart
from lifecycle.admin.deeds import add_deeds
from lifecycle.admin.own_pages import shown_by, viewed_object
from lifecycle.admin.readonly import ReadOnlyAdmin, moment
from lifecycle.db.connection import limited, was_stopped
from lifecycle.phrases import phrase, translated
from lifecycle.policy.registry import all_policies
from purge.forecasts.ahead import LookAhead, charts_of, seen_policies
from purge.forecasts.compare import Compared, compare
from purge.models import Forecast

MADE, UNTIL = moment("made_at"), moment("until")
PATIENCE = 5.0  # seconds for reading what happened

add_deeds(
    (
        "purge.view_forecast",
        _("Look ahead"),
        _("what ends until a day"),
        "purge_forecast",
        "ahead/",
    ),
    ("purge.add_forecast", _("Keep a forecast"), _("the same page"), "purge_forecast", "ahead/"),
)


@admin.register(Forecast)
class ForecastAdmin(LookAhead, ReadOnlyAdmin):
    """The forecasts that were kept, the newest first."""

    list_display = ("id", MADE, UNTIL, "actor")
    ordering = ("-id",)
    change_list_template = "admin/purge/forecasts.html"

    def get_urls(self) -> list[Any]:
        """The page that looks ahead, before Django's own."""
        ahead = path("ahead/", self.admin_site.admin_view(self.ahead), name="purge_forecast_ahead")
        return [ahead, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What was said and what came, of the policies on models that the user may view."""
        found = viewed_object(self, request, object_id)
        shown = self._shown(request, found)
        title = gettext("Forecast %(number)s") % {"number": found.pk}
        return shown_by(self, request, "admin/purge/forecast.html", title, **shown)

    def _shown(self, request: HttpRequest, found: Forecast) -> dict[str, Any]:
        using, first = str(found._state.db), timezone.localdate(found.made_at)
        try:
            with limited(using, PATIENCE):
                _, over, compared = compare(found.pk, using)
        except OperationalError as error:
            if not was_stopped(error):
                raise
            command = f"`manage.py lifecycle simulate --compare {found.pk}`"
            return {"found": found, "too_long": command.strip("`")}
        seen = {each.name for each in seen_policies(request, self, using)}
        if request.user.is_superuser:  # also of policies that have left the code
            seen |= found.policies.keys() - {each.name for each in all_policies()}
        shown = [each for each in compared if each.policy in seen]
        last = timezone.localdate(found.until)
        days = {name: _days(told) for name, told in found.policies.items()}
        pairs = [_drawn(each, days[each.policy], first, last) for each in shown]
        lines = [Line.of(each, found.policies[each.policy]) for each in shown]
        about = {"found": found, "over": over, "compared": shown, "lines": lines}
        return about | {"pairs": pairs, "first": first, "last": last}


@dataclass(frozen=True)
class Line:
    """One policy of a stored forecast, in rows; `all` is what was said until its end."""

    policy: str
    all: str
    said: int
    ended: int
    difference: str

    @classmethod
    def of(cls, each: Compared, told: dict[str, Any]) -> "Line":
        """What was read of it, or that it was estimated, or not read."""
        estimate, rows = told.get("estimate"), sum(told.get("days", {}).values())
        every = str(rows)
        if told.get("unread"):
            every = "?"
        elif estimate is not None:
            every = gettext("about %(rows)s") % {"rows": translated(estimate)}
        said, ended = sum(each.forecast.values()), sum(each.happened.values())
        return cls(each.policy, every, said, ended, f"{each.difference:+}")


def _days(told: dict[str, Any]) -> dict[int, int]:
    """What was said, by day; 0 is the day of the forecast."""
    return {int(day): count for day, count in told.get("days", {}).items()}


def _drawn(each: Compared, days: dict[int, int], first: date, until: date) -> list[Chart]:
    """The two charts of a policy: said until its end, came so far."""
    said = charts_of(days, phrase("%(policy)s, said", policy=each.policy), first, until)
    came = charts_of(each.happened, phrase("%(policy)s, ended", policy=each.policy), first, until)
    return [chart for chart in (said, came) if chart]
