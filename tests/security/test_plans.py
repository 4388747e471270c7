"""What is done to many rows is an officer's to say, in order, and of rows that are his."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.utils import timezone

import purge
from lifecycle import hold, release
from lifecycle.models import Event
from purge.exceptions import PlanAltered
from purge.models import Plan, PlanPart
from purge.plans.carry_out import carry_out
from tests.hostile.roles import run
from tests.security.roles import Roles
from tests.support import session
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)
DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def made() -> Plan:
    """By the owner of the ledger, whose word is no claim."""
    Token.objects.create(expires_at=timezone.now())
    return purge.plan("purge", Token.objects.all(), "reason", policy="tokens", actor="jo")


@pytest.fixture
def officer(roles: Roles) -> Iterator[psycopg.Connection[Any]]:
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
    officer: psycopg.Connection[Any], made: Plan, wrong: dict[str, Any]
) -> None:
    before = Event.objects.count()
    with pytest.raises(DENIED):
        say(officer, made, **({"step": "applied"} | wrong))
    assert Event.objects.count() == before


def test_nothing_is_said_of_one_that_is_over(officer: psycopg.Connection[Any], made: Plan) -> None:
    say(officer, made, "withdrawn")
    for step in ("applied", "approved", "withdrawn"):
        with pytest.raises(DENIED):
            say(officer, made, step)


def test_who_may_not_delete_rows_plans_no_end_of_them(
    officer: psycopg.Connection[Any], roles: Roles, made: Plan
) -> None:
    run("REVOKE DELETE, UPDATE ON zoo_token FROM {}", roles.site)
    run("GRANT UPDATE (label) ON zoo_token TO {}", roles.site)
    for act in ("purge", "release"):
        with pytest.raises(DENIED, match="may write the rows"):
            say(officer, made, "made", act=act)
    assert say(officer, made, "made", act="hold", number=made.pk + 1)


def test_a_second_person_is_another_role_where_that_is_asked_for(
    officer: psycopg.Connection[Any], made: Plan, settings: Any
) -> None:
    """Who has the web's connection may say any name; not be another role."""
    settings.LIFECYCLE_TWO_PERSON = "roles"
    mine = say(officer, made, "made", "jo")
    forged, applied = say(officer, made, "approved"), say(officer, made, "applied")
    state = {"state": "applying", "applied": applied, "approved": forged}
    Plan.objects.filter(pk=made.pk).update(**state | {"made": mine})
    with pytest.raises(PlanAltered):
        carry_out(made.pk)
    assert Token.objects.exists()


def test_a_plan_that_names_no_maker_is_approved_by_nobody(
    officer: psycopg.Connection[Any], made: Plan, settings: Any
) -> None:
    """Of an event without an actor nobody knows the role: its own would be another one."""
    settings.LIFECYCLE_TWO_PERSON = "roles"
    for step in ("made", "approved", "applied"):
        with pytest.raises(DENIED, match="who"):
            say(officer, made, step, "")
    with session() as other, other.transaction():
        other.execute("SET LOCAL session_replication_role = replica")  # as before that was refused
        other.execute("UPDATE lifecycle_event SET actor = '' WHERE id = %s", [made.made])
    approved, applied = say(officer, made, "approved"), say(officer, made, "applied")
    state = {"state": "applying", "applied": applied, "approved": approved}
    Plan.objects.filter(pk=made.pk).update(**state)
    with pytest.raises(PlanAltered):
        carry_out(made.pk)
    assert Token.objects.exists()


@pytest.mark.parametrize("over", ["done", "withdrawn"])
def test_an_approval_is_of_what_was_made_before_it(
    officer: psycopg.Connection[Any], settings: Any, over: str
) -> None:
    """A plan that is over, and made again under its number, has to be approved again."""
    token = Token.objects.create(expires_at=timezone.now())
    hold(token, reason="court")
    found = purge.plan("purge", Token.objects.all(), "reason", policy="tokens", actor="jo")
    settings.LIFECYCLE_TWO_PERSON = True
    approved = purge.approve_plan(found.pk, "kim").approved
    if over == "done":
        assert purge.apply_plan(found.pk, 1, "jo", now=True).acted == 0
    else:
        purge.withdraw_plan(found.pk, "jo")
    release(token)
    settings.LIFECYCLE_TWO_PERSON = "roles"
    again = say(officer, found, "made", "zed"), say(officer, found, "applied", "zed")
    state = {"state": "applying", "made": again[0], "applied": again[1], "approved": approved}
    Plan.objects.filter(pk=found.pk).update(**state)
    PlanPart.objects.update(done=0)
    with pytest.raises(PlanAltered):
        carry_out(found.pk)
    assert Token.objects.exists()


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("other", [{"reason": "harmless"}, {"maker": "al"}, {"until": None}])
def test_what_is_shown_otherwise_than_it_was_made_is_not_approved(other: dict[str, Any]) -> None:
    """Else it would be put back after somebody has said yes to what the page has shown."""
    later = timezone.now() + timedelta(days=3)
    found = purge.plan("extend", Token.objects.all(), "reason", until=later, actor="jo")
    Plan.objects.filter(pk=found.pk).update(**other)
    with pytest.raises(PlanAltered):
        purge.approve_plan(found.pk, "kim")
    assert not Event.objects.filter(detail__step="approved").exists()


def test_what_another_role_has_approved_is_carried_out(
    officer: psycopg.Connection[Any], made: Plan, settings: Any
) -> None:
    settings.LIFECYCLE_TWO_PERSON = "roles"
    approved = say(officer, made, "approved")
    Plan.objects.filter(pk=made.pk).update(approved=approved, approver="kim")
    purge.apply_plan(made.pk, 1, "jo", now=True)
    assert not Token.objects.exists()
