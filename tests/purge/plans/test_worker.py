"""A plan is carried out by a worker, in slices, whoever is killed."""

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

import purge
from lifecycle.models import Event
from purge.models import Plan
from purge.plans.telling import as_text
from purge.plans.withdraw import forget_old
from purge.worker import jobs, pulse
from purge.worker.whole_pass import run_all
from tests.infra import forked
from tests.infra.servers import ROOT
from tests.purge.worker.consumer import address
from tests.purge.worker.emptied import queue
from tests.support import let_pass, wait_until
from tests.zoo.models import Token

__all__ = ["queue"]
pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


def applied(rows: int) -> Plan:
    later = timezone.now() + 30 * DAY
    Token.objects.bulk_create(Token(expires_at=later) for _ in range(rows))
    made = purge.plan("purge", Token.objects.all(), "reason", policy="tokens", actor="jo")
    return purge.apply_plan(made.pk, rows, "jo")


def test_the_pulse_wakes_a_worker_until_it_is_done() -> None:
    made = applied(3)
    assert pulse.tick_plans("default") == [made.pk]
    assert pulse.tick_plans("default") == [], "asked once until it is answered"
    jobs.plan_task.call_local(made.pk)
    assert not Token.objects.exists()
    assert pulse.tick_plans("default") == []


def test_a_failed_slice_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    made = applied(3)
    monkeypatch.setattr(jobs, "carry_out", lambda *args: 1 / 0)
    with pytest.raises(Exception, match=r"^$"):
        jobs.plan_task.call_local(made.pk)
    assert pulse.tick_plans("default") == [], "not at once"


def test_without_huey() -> None:
    applied(3)
    run_all()
    assert not Token.objects.exists()


def test_old_plans_are_forgotten() -> None:
    Token.objects.create(expires_at=timezone.now() + DAY)
    made = purge.plan("hold", Token.objects.all(), "reason", actor="jo", asked=[("id__gt", "0")])
    forget_old("default")
    assert made.parts.exists()
    Plan.objects.update(made_at=timezone.now() - 8 * DAY)
    forget_old("default")
    made.refresh_from_db()
    assert (made.state, made.asked, made.parts.exists()) == ("withdrawn", [], False)


@pytest.mark.parametrize("look", [forget_old, run_all])
def test_what_was_applied_long_ago_is_not_carried_out_any_more(look: Any) -> None:
    made = applied(3)
    made.refresh_from_db()
    assert " at the latest" in as_text(made)
    let_pass(8 * DAY)
    look("default") if look is forget_old else look()
    made.refresh_from_db()
    assert made.state == "withdrawn"
    assert Event.objects.filter(kind="planned").latest("pk").detail["step"] == "withdrawn"
    assert Token.objects.count() == 3


APPLY = """
import django; django.setup()
from lifecycle.policy.registry import get_policy
from purge.plans.carry_out import carry_out
object.__setattr__(get_policy("tokens"), "batch_rows", 5)
carry_out({number})
"""


@pytest.mark.slow
def test_killed_in_the_middle_it_comes_to_the_same_end(tmp_path: Path) -> None:
    made = applied(400)
    kept = Token.objects.create(expires_at=timezone.now() + DAY)
    known = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": address()}
    out = tmp_path / "out"
    text = APPLY.format(number=made.pk)
    program = forked.start("-c", text, cwd=ROOT, env=os.environ | known, out=out)
    wait_until(lambda: Token.objects.count() < 350, f"the worker, see {out}")
    program.send_signal(signal.SIGKILL)
    program.wait(30)
    assert Token.objects.count() > 1, "it was killed in the middle"
    run_all()
    assert list(Token.objects.all()) == [kept]
    made.refresh_from_db()
    assert (made.state, made.acted, made.left) == ("done", 400, {})
