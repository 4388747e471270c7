"""What is advised in a state is done there, word for word, and works.

Of what is wrong with an installation: tests/lifecycle/install/test_advice.py.
"""

import shlex
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.utils import timezone

from lifecycle import hold
from lifecycle.insight.status import statuses
from lifecycle.ledger import policy_states as states
from lifecycle.models import PolicyState
from lifecycle.policy.registry import get_policy
from purge.alerts import watch as alerts
from purge.alerts.texts import body
from purge.models import Alert
from purge.runner import run_due
from tests.advice.collecting import commands_in
from tests.support import let_pass, make_due
from tests.zoo.factories import UnparsablePreferenceFactory
from tests.zoo.models import Contract, Coupon, Draft

pytestmark = pytest.mark.django_db
LONG = timedelta(days=31)
STAYS = ("enabled", "enabled")


def old_draft() -> Draft:
    return Draft.objects.create(created_at=timezone.now() - timedelta(days=2))


def stopped(how: Callable[[], Any]) -> Callable[[], Any]:
    """A person has stopped the policy, for long."""

    def made() -> None:
        old_draft()
        how()
        let_pass(LONG)

    return made


def halted() -> None:
    old_draft()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(get_policy("drafts"), "cap_rows", 0)
        patch.setattr(get_policy("drafts"), "cap_fraction", 0.0)
        run_due()


def blocked() -> None:
    row = old_draft()
    Contract.objects.create(draft=row)
    run_due()
    let_pass(timedelta(hours=2))
    run_due()


def held_and_deleted() -> None:
    row = old_draft()
    hold(row)
    row.delete()


def uncomputable() -> None:
    UnparsablePreferenceFactory(data={"days": "none"})


#: how the state is made, the policy, and its state after all that `status` advises, or a mail
STATES: dict[str, tuple[Callable[[], Any], str, tuple[str, str]]] = {
    "paused": (stopped(lambda: states.pause("drafts")), "drafts", ("observe", "observe")),
    "observing": (stopped(lambda: states.disable("drafts")), "drafts", STAYS),
    "held": (stopped(lambda: hold("drafts")), "drafts", STAYS),
    "halted": (halted, "drafts", ("enabled", "observe")),
    "blocked": (blocked, "drafts", STAYS),
    "held and deleted": (held_and_deleted, "drafts", STAYS),
    "not computed": (uncomputable, "preferences", STAYS),
}


def status() -> str:
    """What it says is wrong."""
    return "\n".join(line for each in statuses("default") for line in each.problems)


def mails() -> str:
    """To the admins of the site."""
    alerts.watch("default")
    return "\n".join(body(each, "default") for each in Alert.objects.exclude(kind="look"))


def typed(command: str) -> str:
    """What a command prints that somebody types who is called NAME, and says yes."""
    words = [{"a-word": "ada"}.get(word, word) for word in shlex.split(command)]
    agrees = words[1] == "enable" and "--dry-run" not in words
    said = StringIO()
    with suppress(SystemExit):  # how `status` ends while something is wrong
        call_command(*words, *["--yes"] * agrees, stdout=said, stderr=said)
    return said.getvalue()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("told", [status, mails])
def test_what_is_advised_can_be_done(state: str, told: Callable[[], str]) -> None:
    make, policy, after = STATES[state]
    make()
    commands = commands_in(told())
    assert commands or (told is status and state in ("blocked", "not computed"))
    for command in dict.fromkeys(commands):
        typed(command)
    assert PolicyState.objects.get(name=policy).state == after[told is mails]


def test_a_row_whose_key_a_shell_would_read_can_be_asked_for() -> None:
    key = "$(touch pwned) `x` 'a b'"
    Coupon.objects.create(code=key, expires_at=timezone.now() + timedelta(days=1))
    hold(Coupon.objects.get())
    Coupon.objects.all().delete()
    (why,) = [line for line in mails().splitlines() if "lifecycle why" in line]
    words = shlex.split(why)
    assert words == ["manage.py", "lifecycle", "why", f"zoo.Coupon:{key}"]
    said = StringIO()
    call_command(*words[1:], stdout=said)
    assert said.getvalue().startswith(f"zoo.Coupon:{key}: It is gone: deleted by the site")


def hint(statement: str) -> str:
    """The database's own advice where it refuses a statement."""
    with pytest.raises(Error) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    return str(refused.value.__cause__.diag.message_hint)  # type: ignore[union-attr]


def test_what_the_database_advises_of_a_held_row() -> None:
    row = old_draft()
    number = hold(row)
    PolicyState.objects.filter(name="drafts").update(enforced=True)
    (lists,) = commands_in(hint("TRUNCATE zoo_draft CASCADE"))
    assert str(number) in typed(lists)
    (lifts,) = commands_in(hint("DELETE FROM zoo_draft"))
    assert "Released 1 hold" in typed(lifts)
    make_due(Draft.objects.all())
    row.delete()
    assert not Draft.objects.exists()
