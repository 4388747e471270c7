"""Values at the edge: no write fails for them, and none is taken for another."""

from datetime import timedelta

import pytest
from django.db.models import CharField, DateTimeField, Model, Q
from django.test.utils import isolate_apps
from django.utils import timezone

from lifecycle import Policy, context
from lifecycle.compiler.policy_sql import compiled
from lifecycle.models import Event
from tests.support import events_of, run_until_idle
from tests.zoo.factories import ExpiredTokenFactory, UnparsablePreferenceFactory
from tests.zoo.models import Token

LOWEST, HIGHEST = -(2**63), 2**63 - 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "keys", [(HIGHEST - 1, HIGHEST), (LOWEST, HIGHEST), (LOWEST, LOWEST + 1), (-1, 0, 1)]
)
def test_any_integer_is_a_key(keys: tuple[int, ...]) -> None:
    past = timezone.now() - timedelta(hours=1)
    rows = Token.objects.bulk_create([Token(pk=key, expires_at=past) for key in keys])
    run_until_idle()
    assert not Token.objects.exists()
    for row in rows:
        assert events_of(row, "purged") == ["purged"]


@pytest.mark.django_db(transaction=True)
def test_long_actor_and_cause_are_cut() -> None:
    with context(actor="a" * 300, cause="/path" * 100):
        ExpiredTokenFactory()
    told = Event.objects.get(kind="expiry_scheduled")
    assert (told.actor, told.cause) == ("a" * 200, "/path" * 20)


@pytest.mark.django_db(transaction=True)
def test_failed_capture_takes_an_earlier_tombstone_back() -> None:
    UnparsablePreferenceFactory()
    assert Event.objects.get(kind="capture_failed").detail["again"] is True


@isolate_apps("tests.zoo")
def test_columns_that_begin_like_our_own_aliases() -> None:
    class Deal(Model):
        lifecycle_status = CharField(max_length=10)
        status = CharField(max_length=10)
        lifecycle_ends = DateTimeField()

        class Meta:
            app_label = "zoo"

    code = compiled(Policy("deals", Deal, when=Q(lifecycle_status="x"), expires="lifecycle_ends"))
    assert '"zoo_deal"."lifecycle_status" = \'x\'' in code.due_sql
    assert '"zoo_deal"."lifecycle_ends"' in code.state_sql


def test_literals_are_left_alone() -> None:
    policy = Policy("planted", Token, when=Q(label='"lifecycle_x"'), expires="expires_at")
    assert "'\"lifecycle_x\"'" in compiled(policy).due_sql
