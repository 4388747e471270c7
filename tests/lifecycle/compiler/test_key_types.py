"""Keys whose text in PostgreSQL is not their text in Python: the whole life, and every hold."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle import Policy, Signals, expire_now, hold, release, restore
from lifecycle.capture.model_signals import _deleted
from lifecycle.insight.why import why
from lifecycle.install.after_migrate import store
from lifecycle.ledger.row_names import named, parse, row_of
from lifecycle.models import Event, PolicyState, RowException
from tests.support import let_pass, run_until_idle
from tests.zoo.models import Probe, Sample, Sensor

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@pytest.fixture(params=["10.0.0.1", "2001:db8::1"])
def sensor(request: pytest.FixtureRequest) -> Sensor:
    Sensor.objects.create(address="10.9.9.9")
    return Sensor.objects.create(address=request.param, expires_at=timezone.now() - HOUR)


def is_there(row: Sensor) -> bool:
    run_until_idle()
    let_pass(2 * HOUR)
    run_until_idle()
    return Sensor.objects.filter(pk=row.pk).exists()


def test_the_whole_life(sensor: Sensor) -> None:
    assert sensor not in Sensor.objects.live()
    restore(sensor)
    assert sensor in Sensor.objects.live()
    assert is_there(sensor)
    expire_now(sensor)
    assert row_of(named(sensor)) == sensor
    assert not is_there(sensor)
    assert Sensor.objects.count() == 1
    key = Event.objects.filter(kind="purged").latest("id").subjects
    assert key == [f"{sensor.pk}/{32 if '.' in sensor.pk else 128}"]


def test_a_hold_on_the_row(sensor: Sensor) -> None:
    number = hold(sensor)
    assert sensor in Sensor.objects.live()
    assert is_there(sensor)
    assert release(sensor) == 1
    assert not RowException.objects.filter(event_id=number).exists()
    assert not is_there(sensor)


def test_a_hold_on_a_row_that_would_go_along(sensor: Sensor) -> None:
    for child in (
        Probe.objects.create(address="10.0.0.2", sensor=sensor),
        Sample.objects.create(after=timedelta(days=1), sensor=sensor),
    ):
        number = hold(child)
        assert is_there(sensor), f"{named(child)} went along under a hold"
        blocked = Event.objects.filter(kind="blocked").latest("id")
        assert blocked.detail["by"] == [named(child)]
        release(number)
    let_pass(timedelta(days=2))
    assert not is_there(sensor)
    assert not Probe.objects.exists()


def test_what_signals_record(sensor: Sensor) -> None:
    # Of a table that has no triggers, and a policy in the database.
    store(Policy("probes", Probe, on_request=True, capture=Signals()), "default")
    before = Event.objects.latest("id").pk
    _deleted(Probe(address="10.0.0.2"), "default")
    PolicyState.objects.filter(name="probes").delete()
    event = Event.objects.get(pk__gt=before)
    assert (event.kind, event.subjects) == ("deleted", ["10.0.0.2/32"])


def test_why_finds_all_about_it(sensor: Sensor) -> None:
    name = named(sensor)
    number = hold(sensor)
    restore(sensor, until=timezone.now() + HOUR)
    found = why(*parse(name))
    assert [each.number for each in found.holds] == [number]
    assert found.verdicts[0].says == "is restored"
    kinds = ["restored", "hold_placed", "expiry_scheduled"]
    assert [each.kind for each in found.events] == kinds
    sensor.delete()
    assert why(*parse(name)).says.startswith("It is gone: deleted by the site itself")
