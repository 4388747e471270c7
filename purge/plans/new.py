"""The page by which a plan is made: a model and an act, then its rows; nothing is done by it."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.own_pages import (
    address,
    as_role,
    own_page,
    refuse_elsewhere,
    refuse_sent,
    shown_by,
    why_not,
)
from lifecycle.admin.readonly import refuse
from lifecycle.admin.visibility import in_list, viewed_models
from lifecycle.compiler.keys import key_text
from lifecycle.db.connection import limited, was_stopped
from lifecycle.db.rows import every_row, home
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.write import refuse_unnamed
from lifecycle.phrases import counted, phrase
from lifecycle.policy.databases import served
from purge.models import Plan
from purge.plans.forms import ACTS, MOST_CHOSEN, AboutForm, PlanForm, columns_of
from purge.plans.make import plan
from purge.plans.where import rows_where

MAKES = "purge.add_plan"
PATIENCE = 5.0  # seconds for finding the rows
MOST = 100_000  # rows of a plan that is made here
TEMPLATES = "admin/purge"


#: by act: the title of the page that asks for its rows
WHICH = {
    "hold": _("Hold: which rows of %(model)s"),
    "release": _("Release: which rows of %(model)s"),
    "restore": _("Restore: which rows of %(model)s"),
    "extend": _("Extend: which rows of %(model)s"),
    "purge": _("Purge: which rows of %(model)s"),
}


class NewPlan:
    """Adds the page to the admin of plans."""

    admin_site: Any

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether any plan may be made; each act has a permission of its own."""
        return bool(request.user.has_perm(MAKES))

    @own_page
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask of what; then ask which rows; then make the plan, and go to its page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        here = served()  # another database has no ledger, or is no PostgreSQL
        viewed = viewed_models(request, self.admin_site)
        models = [each for each in viewed if home(each) in here]
        acts = [act for act, permission in ACTS.items() if request.user.has_perm(permission)]
        about = AboutForm(models, acts, request.GET if "model" in request.GET else None)
        if not about.is_valid():
            return self._ask_about(request, about)
        model = next(each for each in models if each._meta.label == about.cleaned_data["model"])
        return self._ask_rows(request, model, about.cleaned_data["act"])

    def _ask_about(self, request: HttpRequest, form: AboutForm) -> HttpResponse:
        refused = _refused(request)
        shown = {"form": form, "refused": refused}
        return shown_by(
            self, request, f"{TEMPLATES}/plan_about.html", gettext("Plan an act"), **shown
        )

    def _ask_rows(self, request: HttpRequest, model: Any, act: str) -> HttpResponse:
        columns = columns_of(model, self._left_out(request, model))
        sent = request.POST if "once" in request.POST else None  # else: rows were just ticked
        chosen = request.POST.getlist("chosen")
        form = PlanForm(model, act, columns, chosen, sent, initial={"once": uuid.uuid4()})
        if form.is_valid():
            try:
                made = self._make(request, form, act)
            except LifecycleError as error:
                refuse(request, error)
            else:
                return HttpResponseRedirect(address(self.admin_site, "purge_plan_change", made.pk))
        label = model._meta.label
        shown: dict[str, Any] = {"form": form, "label": label, "act": act}
        title = str(WHICH[act]) % {"model": label}
        return shown_by(self, request, f"{TEMPLATES}/plan_rows.html", title, **shown)

    def _make(self, request: HttpRequest, form: PlanForm, act: str) -> Plan:
        refuse_elsewhere(self, form.model)
        values, using = form.cleaned_data, home(form.model)
        refuse_sent(Plan, values["once"], using)
        rows = in_list(request, self.admin_site, _rows(form, using))
        _refuse_large(rows, using)
        names = ("reason", "reference", "policy", "until", "once")
        given = {name: values[name] for name in names if values.get(name)}
        given |= {"asked": form.asked or _ticked(form), "actor": request.user.get_username()}
        try:
            with as_role():
                return plan(act, rows, using=using, cause="admin", **given)
        except IntegrityError:
            refuse_sent(Plan, values["once"], using)
            raise

    def _left_out(self, request: HttpRequest, model: Any) -> list[str]:
        if not self.admin_site.is_registered(model):
            return []
        return list(self.admin_site.get_model_admin(model).get_exclude(request) or [])


def plan_ticked(page: Any, request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponse | None:
    """For rows that were ticked in the list of a model's own admin: which act? None: it was said
    why not."""
    model: Any = rows.model._meta.concrete_model
    try:
        keys = _ticked_keys(page, model, rows)
    except LifecycleError as error:
        refuse(request, error)
        return None
    acts = [(act, Plan.Act(act).label, why_not(request, name)) for act, name in ACTS.items()]
    shown: dict[str, Any] = {"acts": acts, "chosen": keys, "label": model._meta.label}
    plans = page.admin_site.get_model_admin(Plan)
    return shown_by(
        plans, request, f"{TEMPLATES}/plan_ticked.html", gettext("Plan an act"), **shown
    )


def _ticked_keys(page: Any, model: Any, rows: "QuerySet[Any]") -> list[str]:
    """As the form has them; not of a model whose keys are secrets, or several columns."""
    if not page.admin_site.is_registered(Plan):
        raise LifecycleError(phrase("this admin has no plans."))
    refuse_unnamed(model)
    found = rows.order_by().values_list("pk", flat=True)[: MOST_CHOSEN + 1]
    keys = [key_text(model, key) for key in found]
    if len(keys) > MOST_CHOSEN:
        text = counted(
            "more than %(count)s rows: say which by conditions, in the list of plans.",
            "more than %(count)s rows: say which by conditions, in the list of plans.",
            MOST_CHOSEN,
        )
        raise LifecycleError(text)
    return keys


def _refused(request: HttpRequest) -> list[tuple[str, str]]:
    every = [(str(Plan.Act(act).label), why_not(request, name)) for act, name in ACTS.items()]
    return [each for each in every if each[1]]


def _rows(form: PlanForm, using: str) -> "QuerySet[Any]":
    """What was ticked, or what the conditions find."""
    if not form.chosen:
        return rows_where(form.model, form.asked, using)
    try:
        keys = [form.model._meta.pk.to_python(each) for each in form.chosen]
        return every_row(form.model, using).filter(pk__in=keys)
    except (ValidationError, ValueError, TypeError):
        raise LifecycleError(phrase("A row that was ticked has no such key.")) from None


def _ticked(form: PlanForm) -> list[tuple[str, str]]:
    return [("pk__in", f"{len(form.chosen)} ticked in a list")] if form.chosen else []


def _refuse_large(rows: "QuerySet[Any]", using: str) -> None:
    """Refuse what takes longer than a page may, and values that PostgreSQL does not read."""
    label = rows.model._meta.label
    command = f"`manage.py lifecycle plan hold {label} --all`"
    try:
        with limited(using, PATIENCE):
            count = rows.order_by()[: MOST + 1].count()
    except OperationalError as error:
        if not was_stopped(error):
            raise
        raise LifecycleError(
            phrase(
                "It takes too long to find these rows: a command plans them, as %(command)s.",
                command=command,
            )
        ) from None
    except (DataError, ValueError):  # which say the value
        raise LifecycleError(phrase("A value of the conditions is none of its column.")) from None
    if count > MOST:
        raise LifecycleError(
            phrase(
                "These are more than %(rows)s rows: a command plans them, as %(command)s.",
                rows=MOST,
                command=command,
            )
        )
