"""What is done to many rows is an operator's to say, in order, and of rows that are his."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.utils import timezone

import purge
from lifecycle.models import Event
from purge.exceptions import PlanAltered
from purge.models import Plan
from purge.plans.carry_out import carry_out
from tests.hostile.roles import run
from tests.security.roles import Roles
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)
DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def made() -> Plan:
    """By the owner of the ledger, whose word is no claim."""
    Token.objects.create(expires_at=timezone.now())
    return purge.plan("purge", Token.objects.all(), "reason", policy="tokens", actor="jo")


@pytest.fixture
def operator(roles: Roles) -> Iterator[psycopg.Connection[Any]]:
    run("GRANT EXECUTE ON FUNCTION lifecycle.plan_v1 TO {}", roles.site)
    run("GRANT USAGE ON SCHEMA lifecycle TO {}", roles.site)
    with roles.session(roles.site) as session:
        yield session


def say(
    session: psycopg.Connection[Any], plan: Plan, step: str, by: str = "kim", **more: Any
) -> int:
    detail = {"step": step, "act": plan.act, "number": plan.pk, "rows": plan.rows}
    detail |= {"hash": plan.hash, "asked": []} | more
    text = "SELECT lifecycle.plan_v1('tokens', 'zoo.token', %s)"
    with session.transaction():
        session.execute("SELECT set_config('lifecycle.actor', %s, true)", [by])
        (number,) = session.execute(text, [json.dumps(detail)]).fetchone() or (0,)
    return int(number)


@pytest.mark.parametrize(
    "wrong",
    [
        {"step": "done"}, {"hash": "0" * 64}, {"act": "hold"}, {"rows": 7}, {"number": 999},
        {"step": "burnt"}, {"asked": ["a b"]}, {"more": 1}, {"hash": None},
    ],
)  # fmt: skip
def test_a_step_is_one_of_the_plan_that_was_made(
    operator: psycopg.Connection[Any], made: Plan, wrong: dict[str, Any]
) -> None:
    before = Event.objects.count()
    with pytest.raises(DENIED):
        say(operator, made, **({"step": "applied"} | wrong))
    assert Event.objects.count() == before


def test_nothing_is_said_of_one_that_is_over(operator: psycopg.Connection[Any], made: Plan) -> None:
    say(operator, made, "withdrawn")
    for step in ("applied", "approved", "withdrawn"):
        with pytest.raises(DENIED):
            say(operator, made, step)


def test_who_may_not_delete_rows_plans_no_end_of_them(
    operator: psycopg.Connection[Any], roles: Roles, made: Plan
) -> None:
    run("REVOKE DELETE, UPDATE ON zoo_token FROM {}", roles.site)
    run("GRANT UPDATE (label) ON zoo_token TO {}", roles.site)
    for act in ("purge", "release"):
        with pytest.raises(DENIED, match="may write the rows"):
            say(operator, made, "made", act=act)
    assert say(operator, made, "made", act="hold", number=made.pk + 1)


def test_a_second_person_is_another_role_where_that_is_asked_for(
    operator: psycopg.Connection[Any], made: Plan, settings: Any
) -> None:
    """Who has the web's connection may say any name; not be another role."""
    settings.LIFECYCLE_TWO_PERSON = "roles"
    mine = say(operator, made, "made", "jo")
    forged, applied = say(operator, made, "approved"), say(operator, made, "applied")
    state = {"state": "applying", "applied": applied, "approved": forged}
    Plan.objects.filter(pk=made.pk).update(**state | {"made": mine})
    with pytest.raises(PlanAltered):
        carry_out(made.pk)
    assert Token.objects.exists()


def test_what_another_role_has_approved_is_carried_out(
    operator: psycopg.Connection[Any], made: Plan, settings: Any
) -> None:
    settings.LIFECYCLE_TWO_PERSON = "roles"
    approved = say(operator, made, "approved")
    Plan.objects.filter(pk=made.pk).update(approved=approved, approver="kim")
    purge.apply_plan(made.pk, 1, "jo", now=True)
    assert not Token.objects.exists()
