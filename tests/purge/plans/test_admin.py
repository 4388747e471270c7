"""Plans in the admin: who sees them, who may take which step, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import purge
from demo.models import User
from lifecycle import holds
from lifecycle.models import Event
from purge.models import Plan
from tests.lifecycle.admin import test_admin_row
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)
LOOKS = ("view_plan", "view_token")


def client_of(*permissions: str, name: str = "ann") -> Client:
    return test_admin_row.client_of(*permissions, name=name)


def made(actor: str = "jo", **more: Any) -> Plan:
    Token.objects.create(expires_at=timezone.now() + timedelta(days=1), label="<b>")
    return purge.plan("hold", Token.objects.all(), "<script>", actor=actor, **more)


def address(plan: Plan, step: str = "change") -> str:
    return reverse(f"admin:purge_plan_{step}", args=[plan.pk])


def test_a_plan_is_listed_and_shown_as_text() -> None:
    plan = made(asked=[("label__exact", "<i>")])
    client = client_of(*LOOKS)
    assert address(plan) in client.get(reverse("admin:purge_plan_changelist")).text
    text = client.get(address(plan)).text
    assert "label__exact=&lt;i&gt;" in text
    assert "&lt;script&gt;" in text
    assert "Needs the permission purge.apply_plan." in text
    assert address(plan, "apply") not in text


def test_only_to_whom_may_view_the_model() -> None:
    plan = made()
    client = client_of("view_plan")
    assert address(plan) not in client.get(reverse("admin:purge_plan_changelist")).text
    assert client.get(address(plan)).status_code == 404
    assert client_of("view_token", name="al").get(address(plan)).status_code == 403


def test_the_count_is_typed_and_the_worker_does_it() -> None:
    plan = made()
    client = client_of(*LOOKS, "apply_plan")
    assert "the number of rows" in client.get(address(plan, "apply")).text
    assert "has not 7 rows" in client.post(address(plan, "apply"), {"rows": 7}).text
    assert "This field is required" in client.post(address(plan, "apply"), {}).text
    assert Plan.objects.get().state == "made"
    client.post(address(plan, "apply"), {"rows": 1})
    found = Plan.objects.get()
    assert (found.state, found.applier) == ("applying", "ann")
    event = Event.objects.get(pk=found.applied)
    assert (event.actor, event.cause) == ("ann", "admin")
    assert holds() == []


def test_a_second_person(settings: Any) -> None:
    settings.LIFECYCLE_TWO_PERSON = True
    plan = made(actor="ann")
    own = client_of(*LOOKS, "apply_plan", "approve_plan")
    assert "Its maker cannot." in own.get(address(plan)).text
    assert "ann made plan" in own.post(address(plan, "approve")).text
    assert "second person" in own.post(address(plan, "apply"), {"rows": 1}).text
    client_of(*LOOKS, "approve_plan", name="kim").post(address(plan, "approve"))
    own.post(address(plan, "apply"), {"rows": 1})
    assert Plan.objects.get().state == "applying"


def test_a_step_that_is_sent_twice_is_told_once() -> None:
    plan = made()
    client = client_of(*LOOKS, "apply_plan", "approve_plan")
    for step, given, says in (
        ("approve", {}, "was approved by ann"),
        ("apply", {"rows": 1}, "is being applied"),
        ("withdraw", {}, "was withdrawn"),
    ):
        client.post(address(plan, step), given)
        before = Event.objects.count()
        assert says in client.post(address(plan, step), given).text
        assert Event.objects.count() == before


def test_it_is_withdrawn_and_then_offers_nothing() -> None:
    plan = made()
    client = client_of(*LOOKS, "apply_plan")
    client.post(address(plan, "withdraw"))
    assert Plan.objects.get().state == "withdrawn"
    assert address(plan, "apply") not in client.get(address(plan)).text
    assert "was withdrawn" in client.post(address(plan, "apply"), {"rows": 1}).text


def test_what_goes_along_is_told_of_models_that_the_user_may_view() -> None:
    plan = made()
    Plan.objects.update(shown={"tried": 1, "would": {}, "along": {"zoo.Bill": 7}})
    assert "7 zoo.Bill" in client_of(*LOOKS, "view_bill").get(address(plan)).text
    assert "zoo.Bill" not in client_of(*LOOKS, name="al").get(address(plan)).text


@pytest.mark.parametrize("step", ["approve", "apply", "withdraw"])
def test_a_post_without_the_permission(step: str) -> None:
    plan = made()
    assert client_of(*LOOKS).post(address(plan, step), {"rows": 1}).status_code == 403
    assert Plan.objects.get().state == "made"


def test_a_forged_post() -> None:
    plan = made()
    client = client_of(*LOOKS, "apply_plan")
    client.handler.enforce_csrf_checks = True
    assert client.post(address(plan, "apply"), {"rows": 1}).status_code == 403
    assert Plan.objects.get().state == "made"


def test_a_plan_whose_model_has_left_the_code() -> None:
    plan = made()
    Plan.objects.update(model="zoo.nothing")
    client = client_of(name="boss")
    User.objects.filter(username="boss").update(is_superuser=True)
    assert "of zoo.nothing" in client.get(address(plan)).text
    assert "of zoo.nothing" in client.get(address(plan, "withdraw")).text
    client.post(address(plan, "withdraw"))
    assert Plan.objects.get().state == "withdrawn"
