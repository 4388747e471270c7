"""The worker and the command come to the media by themselves."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from lifecycle.ledger import policy_states as states
from purge.media import store_backoff
from purge.models import Run
from tests.purge.media.support import bucket_storage, orphaned, told
from tests.purge.worker.conftest import consumer
from tests.purge.worker.consumer import Consumer
from tests.s3.strict import Strict
from tests.support import wait_until

__all__ = ["consumer"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_comes_at_once(consumer: Callable[..., Consumer]):
    consumer()
    orphaned("none/a.jpg")
    wait_until(lambda: told("media_purged"))
    states.change_all(states.PAUSE)
    orphaned("none/b.jpg")
    orphaned("none/c.jpg")
    assert set(told("media_purged")) == {"none/a.jpg"}
    states.change_all(states.RESUME)
    wait_until(lambda: len(told("media_purged")) == 3)
    assert {run.origin for run in Run.objects.filter(policy="")} == {"worker"}


@pytest.mark.slow
@pytest.mark.django_db
def test_the_command_says_what_waits(strict_s3: Strict):
    def purge(*options: str) -> str:
        out = StringIO()
        call_command("purge", *options, stdout=out)
        return out.getvalue()

    assert "Nothing is due" in purge()
    with bucket_storage(strict_s3.bucket()):
        orphaned("none/a.jpg", "none/b.jpg")
        assert "(media)" in purge("--dry-run")
        assert told("media_purged") == {}
        strict_s3.fail("LIST", 503, times=9)
        with pytest.raises(CommandError, match="2 files wait: their store does not answer"):
            purge()
        strict_s3.faults.clear()
        store_backoff._backed_off.clear()
        assert "(media)" in purge()
        assert len(told("media_purged")) == 2
