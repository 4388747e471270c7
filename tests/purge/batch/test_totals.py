"""What batches have done is summed up beside them: whole, and nobody waits for it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from lifecycle.db.connection import fetch
from lifecycle.policy.registry import get_policy
from purge.batch.outcome import BOUNDS, STORED, Outcome
from purge.batch.run import count_in_run
from purge.models import Run, Total
from purge.passes import runs
from purge.passes.options import PassOptions
from purge.runner import run_due, run_policy
from tests.support import Background, let_pass
from tests.zoo.models import Draft, Token

pytestmark = pytest.mark.django_db(transaction=True)


def tokens(count: int) -> None:
    past = timezone.now() - timedelta(hours=1)
    Token.objects.bulk_create(Token(expires_at=past) for _ in range(count))


def sums(model: type[Any], policy: str) -> dict[str, int]:
    names = ("batches", *STORED)
    found = model.objects.filter(policy=policy).aggregate(**{each: Sum(each) for each in names})
    return {name: number or 0 for name, number in found.items()}


def test_the_sums_are_those_of_all_runs() -> None:
    Draft.objects.create(created_at=timezone.now() - timedelta(hours=30))
    tokens(5)
    run_due()
    let_pass(timedelta(hours=2))
    tokens(7)
    run_due()
    for policy in ("tokens", "drafts"):
        assert sums(Total, policy) == sums(Run, policy)
        line = Total.objects.get(policy=policy)
        assert sum(line.spread) == line.batches > 1
        assert len(line.spread) == len(BOUNDS) + 1
        assert 0 < line.seconds < 60
    assert sums(Total, "tokens")["purged"] == 12


def test_runs_may_go_and_the_sums_stay() -> None:
    tokens(3)
    run_due()
    Run.objects.all().delete()
    assert sums(Total, "tokens")["purged"] == 3


def test_a_batch_waits_for_no_other() -> None:
    """While a transaction has the line of a policy, the next one begins a line of its own."""
    run = runs.start("tokens", PassOptions())
    query = count_in_run(run.pk, "tokens", timezone.now(), Outcome(purged=1))
    other = runs.start("tokens", PassOptions())
    beside = count_in_run(other.pk, "tokens", timezone.now(), Outcome(purged=1))
    fetch("default", *query)
    with transaction.atomic():
        fetch("default", *query)
        Background(lambda: fetch("default", *beside)).result(20)
    assert sorted(Total.objects.values_list("purged", flat=True)) == [1, 2]
    fetch("default", *query)
    assert Total.objects.count() == 2


def test_what_is_taken_back_is_not_counted() -> None:
    tokens(3)
    run_policy(get_policy("tokens"), PassOptions(dry=True))
    assert not Total.objects.exists()
    run = runs.start("tokens", PassOptions())
    with transaction.atomic():
        fetch("default", *count_in_run(run.pk, "tokens", timezone.now(), Outcome(purged=1)))
        transaction.set_rollback(True)
    assert not Total.objects.exists()


@pytest.mark.parametrize(("seconds", "place"), [(0.0, 0), (0.3, 6), (30.0, 11)])
def test_batches_are_parted_by_their_seconds(seconds: float, place: int) -> None:
    run = runs.start("tokens", PassOptions())
    text, params = count_in_run(run.pk, "tokens", timezone.now(), Outcome(purged=1))
    began = f"(clock_timestamp() - interval '{seconds} s')"
    fetch("default", text.replace("transaction_timestamp()", began), params)
    assert Total.objects.get().spread == [int(n == place) for n in range(12)]
