"""A head is published only for what the replica that the site names has replayed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle.db.connection import scalar
from lifecycle.exceptions import LifecycleError
from lifecycle.sealing import log as logs
from lifecycle.sealing.seal import seal_all
from purge.proof.ship import ship_all
from tests.infra.servers import until
from tests.lifecycle.sealing.support import write
from tests.places.servers import Replica
from tests.purge.proof.support import ORIGIN, USING, in_folder, options, read_head

pytestmark = [
    pytest.mark.usefixtures("stale"),
    pytest.mark.django_db(transaction=True, databases=["default", "replica"]),
]

CONNECTED = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'walreceiver'"


@pytest.fixture
def after(stale: Replica, tmp_path: Path) -> Iterator[None]:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    until(
        lambda: scalar(USING, CONNECTED)
    )  # a busy machine lets it lose its connection for a while
    with in_folder(tmp_path, after="walreceiver"):
        yield


@pytest.mark.slow
def test_what_the_replica_has_not_is_not_published(after: None, stale: Replica) -> None:
    write(30)
    seal_all(USING)
    assert ship_all(USING, options()) == 0
    write(3)  # the primary goes on; what was chosen first does not wait for it
    stale.catch_up()
    until(lambda: ship_all(USING, options()) >= 30)  # the primary hears of it a moment later
    size = read_head().size
    write(3)
    seal_all(USING)
    assert ship_all(USING, options()) == 0
    assert read_head().size == size


@pytest.mark.slow
def test_a_replica_that_is_not_there_is_said(after: None, tmp_path: Path) -> None:
    write(3)
    seal_all(USING)
    with in_folder(tmp_path, after="nobody"), pytest.raises(LifecycleError, match="'nobody'"):
        ship_all(USING, options())
