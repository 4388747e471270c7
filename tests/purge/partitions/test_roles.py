"""The worker as it runs at a site that gives it no more than `lifecycle grants` says."""

from typing import Any

import pytest

from lifecycle import hold, release
from lifecycle.models import AgendaEntry, Event
from purge.runner import run_due
from tests.hostile.roles import logged_in, worker_role
from tests.purge.partitions.tables import there, write

pytestmark = pytest.mark.django_db(transaction=True)
OLD, OLDER = "2020-01-15T00:00Z", "2019-12-15T00:00Z"


def test_a_worker_that_owns_nothing_drops_what_is_over(pings: Any) -> None:
    held, _ = (pings.objects.get(pk=pk) for pk in write(OLD, OLDER))
    hold(held)
    with worker_role() as role:
        with logged_in(role):
            run_due()
            assert there() == ["zoo_ping_late", "zoo_ping_old"]
        release(held)
        with logged_in(role):
            run_due()
            assert there() == ["zoo_ping_late"]
    assert [each.count for each in Event.objects.filter(kind="purged")] == [1, 1]
    assert not AgendaEntry.objects.exists()
