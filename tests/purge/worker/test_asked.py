"""What people ask for, done by `manage.py run_huey`, also by one that is killed on the way."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

import purge
from lifecycle.models import AgendaEntry, Event
from tests.infra.servers import until
from tests.purge.worker.consumer import Consumer, endings
from tests.zoo.factories import PersonFactory
from tests.zoo.models import Person, Spark

pytestmark = pytest.mark.django_db(transaction=True)
Start = Callable[..., Consumer]
NOW, DAY = timedelta(0), timedelta(days=1)


def sparks(count: int, wait: timedelta) -> set[str]:
    due = timezone.now() + wait
    made = Spark.objects.bulk_create(Spark(expires_at=due) for _ in range(count))
    return {str(each.pk) for each in made}


@pytest.mark.slow
def test_an_override_is_found_by_the_pulse_and_outlives_a_kill(consumer: Start) -> None:
    keys, others = sparks(700, DAY), sparks(5, 3 * DAY)
    number = purge.enqueue("sparks", within=2 * DAY, grace=NOW, actor="jo")
    killed = consumer("first")
    until(lambda: Spark.objects.count() < 705, 30)
    killed.kill()
    assert AgendaEntry.objects.filter(event=number).exists()
    consumer("last")
    until(lambda: not AgendaEntry.objects.filter(event=number).exists(), 60)
    assert endings() == dict.fromkeys(keys, 1)
    assert {str(spark.pk) for spark in Spark.objects.all()} == others
    assert set(Event.objects.filter(kind="purged").values_list("actor")) == {("jo",)}


@pytest.mark.slow
def test_an_erasure_with_a_grace_is_ended_by_the_worker(consumer: Start) -> None:
    person = PersonFactory()
    purge.erase(person, reference="DSR-12", grace=timedelta(seconds=2), actor="ann")
    consumer()
    until(lambda: not Person.objects.exists(), 30)
    (receipt,) = purge.receipts("DSR-12")
    assert receipt.state == "purged"
    assert receipt.ended_at
    assert receipt.ended_at - receipt.requested_at >= timedelta(seconds=2)
