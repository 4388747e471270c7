"""A site in which every page of the admin has something to show, also what is hostile or long."""

from datetime import timedelta
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone

import purge
from demo.models import PendingRegistration
from lifecycle import hold
from lifecycle.ledger.row_names import named
from lifecycle.models import AgendaEntry, Event, PolicyState, RowException
from purge.forecasts.simulate import Simulated, store
from purge.models import Forecast, Plan, Request, Run
from purge.runner import run_due
from tests.clock import pass_time
from tests.lifecycle.admin.test_phone import LONG, filled
from tests.zoo.models import Contract, Draft, Person, Token

LISTS = (Event, AgendaEntry, RowException, PolicyState, Run, Plan, Request, Forecast)


def list_of(model: type) -> str:
    """The address of a list."""
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")


def set_up() -> dict[str, str]:
    """The address of every kind of page, by a name for its picture."""
    draft = filled()
    Contract.objects.create(draft=Draft.objects.create(created_at=days(-2)))
    run_due()
    pass_time(hours=2)
    run_due()
    Token.objects.bulk_create(Token(expires_at=days(n % 9), label="t") for n in range(40))
    return own(draft) | plans() | requests() | forecasts() | lists()


def days(count: float) -> object:
    """A moment so many days from now."""
    return timezone.now() + timedelta(days=count)


def own(draft: Draft) -> dict[str, str]:
    """Page one and the pages of a row."""
    row = reverse("admin:lifecycle_row")
    deeds = ("hold", "release", "restore")
    found = {"page-one": "/admin/lifecycle/", "row-asked": row, "row": f"{row}?row={named(draft)}"}
    form = {f"row-{deed}": reverse("admin:lifecycle_row_action", args=[deed]) for deed in deeds}
    return found | {name: f"{place}?row={named(draft)}" for name, place in form.items()}


def plans() -> dict[str, str]:
    """Plans that were made, and the forms to make one."""
    tokens = Token.objects.filter(label="t")
    made = purge.plan("hold", tokens, LONG, actor="ann", asked=[("label__exact", "t")])
    ends = purge.plan("purge", tokens, LONG, actor="ann", policy="tokens")
    new = reverse("admin:purge_plan_add")
    found = {"plan-about": new, "plan-rows": f"{new}?model=zoo.Token&act=extend"}
    found |= {"plan": reverse("admin:purge_plan_change", args=[made.pk])}
    found |= {"plan-purge": reverse("admin:purge_plan_change", args=[ends.pk])}
    steps = ("approve", "apply", "withdraw")
    address = {f"plan-{step}": f"admin:purge_plan_{step}" for step in steps}
    return found | {name: reverse(each, args=[made.pk]) for name, each in address.items()}


def requests() -> dict[str, str]:
    """One that waits and is overdue, one that is done, and the forms."""
    hold(row := Person.objects.create(name="Ann"), reason=LONG, reference="C-1")
    late = purge.request_erasure(row, "DSR-1", actor="ann", received=days(-40))
    gone = Person.objects.create(name="Bob")
    done = purge.request_erasure(gone, "DSR-2", actor="ann", grace=timedelta(0))
    found = {"request": late, "request-done": done}
    place = {name: reverse("admin:purge_request_change", args=[r.pk]) for name, r in found.items()}
    steps = {f"request-{step}": step for step in ("try", "extend", "answer", "export")}
    place |= {n: reverse(f"admin:purge_request_{s}", args=[late.pk]) for n, s in steps.items()}
    return place | {"request-new": reverse("admin:purge_request_add")}


def forecasts() -> dict[str, str]:
    """One that was kept, and the page that looks ahead."""
    said = Simulated("tokens", "enabled", {0: 3, 4: 9}), Simulated("drafts", "enabled", estimate=40)
    kept = store(list(said), days(20), "ann", "default")
    ahead, until = reverse("admin:purge_forecast_ahead"), f"{days(30):%Y-%m-%dT%H:%M}"
    found = {"ahead-asked": ahead, "ahead": f"{ahead}?until={until}&policy="}
    found |= {"ahead-change": f"{ahead}?until={until}&policy=drafts&age=14d"}
    return found | {"forecast": reverse("admin:purge_forecast_change", args=[kept.pk])}


def lists() -> dict[str, str]:
    """Each list, and of each the page of one entry that Django makes."""
    found = {f"list-{each._meta.model_name}": list_of(each) for each in LISTS}
    for each in (Event, AgendaEntry, RowException, PolicyState, Run):
        newest = each._default_manager.latest("pk")
        name = f"admin:{each._meta.label_lower.replace('.', '_')}_change"
        found[f"one-{each._meta.model_name}"] = reverse(name, args=[quote(str(newest.pk))])
    mixin = PendingRegistration.objects.create(email="a@example.com", otp_expires_at=days(1))
    found["site-list"] = list_of(PendingRegistration)
    found["site-row"] = reverse("admin:demo_pendingregistration_change", args=[mixin.pk])
    return found
