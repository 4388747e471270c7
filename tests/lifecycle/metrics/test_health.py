"""What a load balancer is told, by the status alone, and how soon."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from lifecycle.db.connection import fetch
from lifecycle.policy.registry import get_policy
from lifecycle.sealing import log as logs
from lifecycle.sealing.seal import seal_all
from purge.alerts.watch import watch
from purge.exceptions import Halt
from purge.passes import runs
from purge.passes.options import PassOptions
from purge.proof.detect import State, decide
from tests.clock import pass_time
from tests.lifecycle.metrics.away import away
from tests.lifecycle.sealing.support import write
from tests.purge.proof.support import ORIGIN, USING, in_folder, options, publish
from tests.zoo.factories import ExpiredTokenFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls(f"{__package__}.health_urls"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def asked() -> tuple[int, dict[str, str]]:
    """The status, and what is wrong by the name of its check."""
    found = Client().get("/health/retention?format=json")
    said = {name.partition("(")[0]: text for name, text in json.loads(found.content).items()}
    return found.status_code, {name: text for name, text in said.items() if text != "OK"}


def test_all_is_well() -> None:
    watch("default")
    assert asked() == (200, {})


def test_no_worker() -> None:
    status, wrong = asked()
    assert (status, [*wrong]) == (500, ["RetentionWorker"])
    assert "no worker has been here yet" in wrong["RetentionWorker"]


def test_a_worker_that_stopped() -> None:
    watch("default")
    pass_time(seconds=290)
    assert asked() == (200, {})
    pass_time(seconds=20)
    status, wrong = asked()
    assert (status, [*wrong]) == (500, ["RetentionWorker"])
    call_command("purge", verbosity=0)  # a pass by a scheduler is one too
    assert asked() == (200, {})


def test_a_halted_policy() -> None:
    watch("default")
    run = runs.start("drafts", PassOptions())
    runs.halt(get_policy("drafts"), Halt("cap", "too many"), PassOptions(), run)
    status, wrong = asked()
    assert (status, [*wrong]) == (500, ["RetentionHalted"])
    assert "drafts" not in json.dumps(wrong)


def test_events_that_wait_to_be_published(tmp_path: Path) -> None:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    with in_folder(tmp_path):
        publish()
        pass_time(minutes=16)
        watch("default")
        assert asked() == (200, {})  # all is published, long ago
        ExpiredTokenFactory()
        seal_all(USING)
        watch("default")
        assert asked() == (200, {})
        pass_time(minutes=16)
        watch("default")
        status, wrong = asked()
        assert (status, [*wrong]) == (500, ["RetentionPublished"])


def test_a_restored_backup(back_up: Any, tmp_path: Path) -> None:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    with in_folder(tmp_path):
        restore = back_up()
        write(3)
        publish()
        watch("default")
        assert asked() == (200, {})
        restore()
        assert decide(USING, options()).state is State.RESTORED
        status, wrong = asked()
        assert (status, [*wrong]) == (500, ["RetentionRestored"])
        fetch(USING, "DELETE FROM lifecycle_log")


@pytest.mark.parametrize("silent", [False, True])
def test_a_database_that_is_away(settings: Any, silent: bool) -> None:
    settings.LIFECYCLE_METRICS_TIMEOUT = 1
    watch("default")
    began = time.monotonic()
    with away(silent):
        status, wrong = asked()
    assert time.monotonic() - began < 10
    assert (status, len(wrong)) == (500, 5)
    assert "127.0.0.1" not in json.dumps(wrong)
