"""The page that looks ahead: what policies end until a moment, read within a time that it has."""

import time
import uuid
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, router
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.charts import Chart, chart_of
from lifecycle.admin.own_pages import (
    SpanField,
    address,
    as_role,
    moment_field,
    own_page,
    refuse_sent,
    shown_by,
    why_not,
)  # fmt: skip
from lifecycle.admin.readonly import refuse
from lifecycle.admin.visibility import may_view
from lifecycle.exceptions import LifecycleError
from lifecycle.insight.declared import stages
from lifecycle.phrases import joined, phrase
from lifecycle.policy.databases import is_at
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies, get_policy
from purge.forecasts.otherwise import difference, instead
from purge.forecasts.simulate import PATIENCE, Simulated, beside, changed, simulate, store
from purge.models import Forecast

BUDGET = 10.0  # seconds for reading tables, of all policies together
LEAST = 0.1  # seconds for a table when that is used up
FARTHEST = timedelta(days=366)
KEEPS = "purge.add_forecast"


def seen_policies(request: HttpRequest, page: Any, using: str) -> list[Policy]:
    """The policies of a database on models that the user may view."""
    site = page.admin_site
    here = [each for each in all_policies() if is_at(each.model, using)]
    return [each for each in here if may_view(request, site, each.model)]


class AheadForm(forms.Form):
    """Until when; and of one policy, how it would be otherwise."""

    until = moment_field(
        _("in the site's time zone; or empty: the end of this day"), label=_("Until")
    )
    policy = forms.ChoiceField(label=_("Policy"), required=False)
    age = SpanField(
        label=_("Age"),
        required=False,
        max_length=40,
        help_text=_("another one than the policy's: 14d"),
    )
    grace = SpanField(
        label=_("Grace"),
        required=False,
        max_length=40,
        help_text=_("another one than the policy's: 12h"),
    )

    def __init__(self, policies: list[Policy], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [each.name for each in policies if not each.on_request]  # those end at no time
        field: Any = self.fields["policy"]
        field.choices = [("", gettext("all")), *zip(names, names, strict=True)]

    def clean_until(self) -> datetime:
        """The end of this day, where none was given."""
        until: datetime = self.cleaned_data["until"] or tonight()
        if until > timezone.now() + FARTHEST:
            text = ngettext(
                "At most %(days)s day ahead.", "At most %(days)s days ahead.", FARTHEST.days
            )
            raise forms.ValidationError(text, params={"days": FARTHEST.days})
        return until

    def clean(self) -> dict[str, Any]:
        """Another age or grace is of one policy."""
        values: dict[str, Any] = super().clean() or {}
        if self.is_change(values) and not values.get("policy"):
            raise forms.ValidationError(gettext("Say of which policy the age or the grace is."))
        return values

    @staticmethod
    def is_change(values: dict[str, Any]) -> bool:
        """Whether something is to be otherwise than it is declared."""
        return values.get("age") is not None or values.get("grace") is not None


class LookAhead:
    """Adds the page to the admin of forecasts."""

    admin_site: Any
    model: Any

    @own_page
    def ahead(self, request: HttpRequest) -> HttpResponse:
        """Ask until when, and show it; POST keeps what is shown, read once more."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        using = router.db_for_write(self.model)
        policies = seen_policies(request, self, using)
        given = request.POST if request.method == "POST" else request.GET
        form = AheadForm(policies, given if "until" in given else None)
        shown: dict[str, Any] = {"form": form, "once": uuid.uuid4(), "keeps": KEEPS}
        if form.is_valid():
            chosen = [each for each in policies if form.cleaned_data["policy"] in ("", each.name)]
            try:
                if request.method == "POST":
                    return self._keep(request, chosen, form.cleaned_data["until"], using)
                shown |= _found(chosen, form.cleaned_data, using)
            except LifecycleError as error:
                refuse(request, error)
        shown["may_not_keep"] = why_not(request, KEEPS)
        return shown_by(self, request, "admin/purge/ahead.html", gettext("Look ahead"), **shown)

    def _keep(
        self, request: HttpRequest, policies: list[Policy], until: datetime, using: str
    ) -> HttpResponse:
        if not request.user.has_perm(KEEPS):
            raise PermissionDenied
        once = _number(request.POST.get("once", ""))
        refuse_sent(Forecast, once, using)
        found = within_budget(policies, until, using)
        try:
            with as_role():
                kept = store(found, until, request.user.get_username(), using, once)
        except IntegrityError:
            refuse_sent(Forecast, once, using)
            raise
        return HttpResponseRedirect(address(self.admin_site, "purge_forecast_change", kept.pk))


def within_budget(policies: list[Policy], until: datetime, using: str) -> list[Simulated]:
    """Each policy, one after the other: what earlier ones leave is shared among the later."""
    found, end = list[Simulated](), time.monotonic() + BUDGET
    for done, policy in enumerate(policies):
        share = (end - time.monotonic()) / (len(policies) - done)
        patience = min(PATIENCE, max(LEAST, share))
        found += simulate([policy], until, using=using, patience=patience)
    return found


def tonight() -> datetime:
    """The end of this day of the site."""
    tomorrow = timezone.localtime() + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)


def charts_of(days: dict[int, int], name: str, first: date, until: date) -> Chart | None:
    """The rows by day as a chart; None where there are none."""
    shown = min((until - first).days, FARTHEST.days) + 1
    rows = [days.get(number, 0) for number in range(shown)]
    dates = [first + timedelta(days=number) for number in range(shown)]
    return chart_of("end", rows, dates, name) if any(rows) else None


def _found(policies: list[Policy], values: dict[str, Any], using: str) -> dict[str, Any]:
    until = values["until"]
    if AheadForm.is_change(values):
        (policy,) = policies
        return _compared(policy, values, using) | {"until": until}
    found = within_budget(policies, until, using)
    today, last = timezone.localdate(), timezone.localdate(until)
    drawn = [charts_of(one.days, one.policy, today, last) for one in found]
    charts = [each for each in drawn if each]
    told = [(one, stages(get_policy(one.policy))) for one in found if _tells(one)]
    quiet = [one.policy for one in found if not _tells(one)]
    return {"told": told, "quiet": quiet, "until": until, "charts": charts, "today": today}


def _tells(one: Simulated) -> bool:
    """Whether there is anything to say of a policy."""
    kept = one.held + one.kept + one.restored
    return bool(one.rows or kept or one.unread or one.estimate is not None)


def _compared(policy: Policy, values: dict[str, Any], using: str) -> dict[str, Any]:
    """The policy as it is beside the same with another age or grace, in one sentence."""
    other = changed(policy, values["age"], values["grace"])
    now, then = beside(policy, other, values["until"], using, BUDGET / 4)
    if now.unread or then.unread:
        raise LifecycleError(joined("", [policy.name, ": ", now.unread or then.unread, "."]))
    about = now.estimate is not None or then.estimate is not None
    aged = age_of(policy.expires)
    return {"now": now, "then": then, "about": about, "of": policy.name,
            "how": difference(then.rows - now.rows, about, policy.name, values["until"]),
            "instead": instead(values, aged and aged[1], policy.grace)}  # fmt: skip


def _number(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise LifecycleError(phrase("The form has no number: look ahead once more.")) from None
