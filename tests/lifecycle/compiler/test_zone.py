"""A site whose sessions are in a zone with summer time."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connections

from lifecycle.models import Event
from tests.support import run_until_idle
from tests.zoo.factories import ExpiredOrderFactory

pytestmark = pytest.mark.django_db(transaction=True)


def forget_zone() -> None:
    connection = connections["default"]
    connection.close()
    for name in ("timezone", "timezone_name"):
        connection.__dict__.pop(name, None)


@pytest.fixture
def _in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(connections["default"].settings_dict, "TIME_ZONE", "America/New_York")
    forget_zone()
    yield
    monkeypatch.undo()
    forget_zone()


@pytest.mark.usefixtures("_in_new_york")
@pytest.mark.parametrize("days", [100, 200, 300])
def test_day_of_grace_has_24_hours(days: int) -> None:
    """One of these ends in the other half of the year."""
    ExpiredOrderFactory(grace=timedelta(days=days))
    run_until_idle()
    tombstone = Event.objects.get(kind="tombstoned")
    # Not a difference of two times in one zone, which Python takes by the clock on the wall.
    took = tombstone.due_at.timestamp() - tombstone.recorded_at.timestamp()
    assert took == pytest.approx(days * 86_400, abs=5)
