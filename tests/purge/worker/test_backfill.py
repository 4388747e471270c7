"""The worker, and the command, list the rows from before a policy; killed, others go on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from lifecycle.models import Backfill, Event
from tests.backfills import declare, listed, scheduled, write
from tests.infra.servers import ROOT, until
from tests.purge.worker.consumer import Consumer, address
from tests.zoo.models import Ticket

pytestmark = pytest.mark.django_db(transaction=True)

ROWS, CHUNK = 1_800, 1_000
SLOWLY = {"DJANGO_SETTINGS_MODULE": "tests.purge.worker.slow_backfill"}


@pytest.fixture
def filled(transactional_db: None) -> None:
    """A table with rows from before its policy."""
    write(Ticket, *[timedelta(days=1)] * ROWS)
    declare("tickets")


def has_read() -> int:
    return Backfill.objects.get(policy="tickets").read


def is_read() -> bool:
    return Backfill.objects.get(policy="tickets").finished_at is not None


def each_row_is_listed_once() -> None:
    assert listed("tickets") == ROWS
    assert scheduled("tickets") == 2
    keys = [key for event in Event.objects.filter(policy="tickets") for key in event.subjects]
    assert len(set(keys)) == len(keys) == ROWS


@pytest.mark.slow
@pytest.mark.usefixtures("filled")
def test_a_killed_worker_is_followed_by_another(consumer: Callable[..., Consumer]) -> None:
    killed = consumer("killed", **SLOWLY)
    until(lambda: has_read() == CHUNK, 30)
    killed.kill()
    assert (listed("tickets"), is_read()) == (CHUNK, False)
    consumer("one", **SLOWLY), consumer("two", **SLOWLY)
    until(is_read, 30)
    each_row_is_listed_once()


@pytest.mark.slow
@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_command_is_followed_by_another(by: signal.Signals) -> None:
    first = run("--rate", "100")
    until(lambda: has_read() == CHUNK, 30)
    first.send_signal(by)
    _, told = first.communicate(timeout=30)
    if by == signal.SIGINT:
        assert first.returncode == 130
        assert f"tickets: {CHUNK} of about " in told
        assert "goes on from there" in told
    assert not is_read()
    second = run()
    out, told = second.communicate(timeout=30)
    assert second.returncode == 0, told
    assert out == f"tickets: {ROWS} rows read, {ROWS} listed.\n"
    each_row_is_listed_once()


def run(*options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "manage.py", "lifecycle", "backfill", *options]
    known: dict[str, Any] = os.environ | SLOWLY | {"DATABASE_URL": address()}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=known, stdout=pipe, stderr=pipe, text=True)
