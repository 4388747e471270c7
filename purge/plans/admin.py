"""Plans in the admin: which there are, what each would do and has left out; approving, applying and
withdrawing one, each under a permission of its own, with the user as the event's actor.
"""

from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.deeds import add_deeds
from lifecycle.admin.own_pages import (
    address,
    as_role,
    own_page,
    shown_by,
    viewed_object,
    why_not,
)
from lifecycle.admin.readonly import ReadOnlyAdmin, moment, refuse
from lifecycle.admin.visibility import about_viewed, without_hidden
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import context
from lifecycle.phrases import phrase, translated
from purge.models import Plan
from purge.plans.apply import apply_plan, approve_plan, withdraw_plan
from purge.plans.new import NewPlan
from purge.plans.telling import WHY, as_parts, head_of, left_out
from purge.plans.told import person_of

MADE, DONE = moment("made_at"), moment("done_at")


class Step(NamedTuple):
    """One button: its permission, its name, the title of its page, what stands there, what is said
    when it is done.
    """

    permission: str
    name: Any
    title: Any
    explained: Any
    done: Any


STEPS = {
    "approve": Step(
        "purge.approve_plan", _("Approve"), _("Approve plan %(number)s"),
        _("Another person than its maker says that it may be applied."),
        _("Plan %(number)s: approve is recorded."),
    ),
    "apply": Step(
        "purge.apply_plan", _("Apply"), _("Apply plan %(number)s"),
        _("The worker does it, exactly as it was planned, once."),
        _("Plan %(number)s: apply is recorded."),
    ),
    "withdraw": Step(
        "purge.apply_plan", _("Withdraw"), _("Withdraw plan %(number)s"),
        _("It is given up. What is done already stays done."),
        _("Plan %(number)s: withdraw is recorded."),
    ),
}  # fmt: skip


add_deeds(
    ("purge.view_plan", _("Look at plans"), _("the list of plans"), "purge_plan", ""),
    (
        "purge.add_plan",
        _("Plan an act on many rows"),
        _("the form of a plan"),
        "purge_plan",
        "add/",
    ),
    (
        "purge.approve_plan",
        _("Approve a plan"),
        _("the plan's page"),
        "purge_plan",
        "?state__exact=made",
    ),
    (
        "purge.apply_plan",
        _("Apply a plan"),
        _("the plan's page"),
        "purge_plan",
        "?state__exact=made",
    ),
)


class ApplyForm(forms.Form):
    """The number of rows, typed."""

    rows = forms.IntegerField(
        min_value=1, label=_("Rows"), help_text=_("the number of rows that the plan has")
    )


@admin.register(Plan)
class PlanAdmin(NewPlan, ReadOnlyAdmin):
    """The plans about models that the user may view, the newest first."""

    list_display = ("id", "act", "model", "rows", "state", "maker", MADE, "acted")
    list_filter = ("state", "act", "made_at")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return about_viewed(super().get_queryset(request), request, self.admin_site)

    def get_urls(self) -> list[Any]:
        """A page for each step, before Django's own."""
        view = self.admin_site.admin_view(self.step)
        steps = [
            path(f"<int:number>/{step}/", view, {"step": step}, name=f"purge_plan_{step}")
            for step in STEPS
        ]
        return [*steps, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What it would do, what it has left out, and the steps, maybe with why not."""
        plan = viewed_object(self, request, object_id)
        offered = [self._offered(request, plan, name) for name in STEPS]
        left = left_out(plan, str(plan._state.db)).items()
        shown: dict[str, Any] = {"plan": plan} | self._said(request, plan)
        shown["left"] = [(translated(WHY.get(why, why)), names) for why, names in left]
        shown["steps"] = [each for each in offered if each]
        return shown_by(
            self,
            request,
            "admin/purge/plan.html",
            gettext("Plan %(number)s") % {"number": plan.pk},
            **shown,
        )

    @own_page
    def step(self, request: HttpRequest, number: int, step: str) -> HttpResponse:
        """Confirm a step, then take it; what is refused is said, and changes nothing."""
        plan = self.get_object(request, str(number))
        if plan is None or step not in STEPS or not self.has_view_permission(request, plan):
            raise PermissionDenied
        if not request.user.has_perm(STEPS[step].permission):
            raise PermissionDenied
        kind = ApplyForm if step == "apply" else forms.Form
        form = kind(request.POST if request.method == "POST" else None)
        if request.method != "POST" or not form.is_valid():
            return self._form(request, plan, step, form)
        try:
            _refuse_again(plan, step)
            self._take(request, plan, step, form)
        except LifecycleError as error:
            refuse(request, error)
            return self._form(request, plan, step, form)
        messages.success(request, str(STEPS[step].done) % {"number": number})
        return HttpResponseRedirect(self._page(plan))

    def _take(self, request: HttpRequest, plan: Plan, step: str, form: forms.Form) -> None:
        who, using = request.user.get_username(), str(plan._state.db)
        with as_role(), context(actor=who, cause="admin", using=using):
            if step == "apply":
                apply_plan(plan.pk, form.cleaned_data["rows"], who, using=using)
            elif step == "approve":
                approve_plan(plan.pk, who, using)
            else:
                withdraw_plan(plan.pk, who, using)

    def _form(
        self, request: HttpRequest, plan: Plan, step: str, form: forms.Form
    ) -> TemplateResponse:
        values = {
            "plan": plan,
            "step": STEPS[step].name,
            "explained": STEPS[step].explained,
            "form": form,
        }
        values |= {"back": self._page(plan)} | self._said(request, plan)
        title = str(STEPS[step].title) % {"number": plan.pk}
        return shown_by(self, request, "admin/purge/plan_step.html", title, **values)

    def _said(self, request: HttpRequest, plan: Plan) -> dict[str, Any]:
        """What the command says of it, without the models that the user may not view."""
        along = without_hidden(request, self.admin_site, plan.shown.get("along", {}))
        plan.shown = plan.shown | ({"along": along} if "along" in plan.shown else {})
        return {"head": head_of(plan), "parts": as_parts(plan)}

    def _offered(self, request: HttpRequest, plan: Plan, step: str) -> dict[str, str] | None:
        """A step as the page shows it; none of a plan that is over."""
        if plan.state not in (Plan.State.MADE, Plan.State.APPLYING):
            return None
        if plan.state == Plan.State.APPLYING and step != "withdraw":
            return None
        permission, says = STEPS[step].permission, str(STEPS[step].name)
        if not request.user.has_perm(permission):
            return {"name": step, "says": says, "why": why_not(request, permission)}
        if step == "approve" and person_of(request.user.get_username()) == person_of(plan.maker):
            return {"name": step, "says": says, "why": gettext("Its maker cannot.")}
        where = address(self.admin_site, f"purge_plan_{step}", plan.pk)
        return {"name": step, "says": says, "address": where}

    def _page(self, plan: Plan) -> str:
        return address(self.admin_site, "purge_plan_change", plan.pk)


def _refuse_again(plan: Plan, step: str) -> None:
    """Refuse what was sent before: it would be told a second time, and change nothing."""
    if step != "withdraw" and plan.state == Plan.State.APPLYING:
        raise LifecycleError(phrase("Plan %(number)s is being applied.", number=plan.pk))
    if step == "approve" and plan.approver:
        raise LifecycleError(
            phrase("Plan %(number)s was approved by %(name)s.", number=plan.pk, name=plan.approver)
        )
