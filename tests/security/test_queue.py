"""Who may write into the queue wakes the worker, and runs no code in it."""

import os
import pickle
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.signing import BadSignature
from django.db import connection
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from huey.serializer import Serializer, SignedSerializer

from purge.signed_messages import SignedMessages
from purge.worker.jobs import run_policy_task
from tests.infra.servers import until
from tests.purge.worker.consumer import Consumer
from tests.zoo.models import Spark

Start = Callable[..., Consumer]


class Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


def put(table: str, data: bytes) -> None:
    columns, values = ("queue, data", "%s, %s")
    parameters: list[Any] = [HUEY.storage.name, data]
    if table == "huey_schedule":
        columns, values = (f"{columns}, timestamp", f"{values}, 0")
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", parameters)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["huey_task", "huey_schedule"])
def test_a_forged_message_runs_nothing_and_stops_nothing(
    consumer: Start,
    tmp_path: Path,
    table: str,
) -> None:
    touched = tmp_path / "touched"
    forged = pickle.dumps(Touch(touched))
    started = consumer()
    for data in (forged, b"\0" * 32 + forged, b"", b"x"):
        put(table, data)
    Spark.objects.create(flash=True, expires_at=timezone.now() + timedelta(seconds=2))
    until(lambda: not Spark.objects.exists())
    until(lambda: "was not signed by this site" in started.log.read_text())
    assert not touched.exists()
    assert str(touched) not in started.log.read_text()


def test_keys_that_were_and_keys_that_are(settings: Any) -> None:
    message = HUEY._registry.create_message(run_policy_task.s("tokens", "2026-01-01"))
    written = SignedMessages().serialize(message)
    assert SignedMessages().deserialize(written) == message
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert SignedMessages().deserialize(written) == message
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(BadSignature):
        SignedMessages().deserialize(written)


def test_every_byte_is_signed() -> None:
    written = bytearray(SignedMessages().serialize("tokens"))
    for place in range(len(written)):
        written[place] ^= 1
        with pytest.raises(BadSignature):
            SignedMessages().deserialize(bytes(written))
        written[place] ^= 1
    assert SignedMessages().deserialize(bytes(written)) == "tokens"


def test_the_queue_of_tests_is_signed() -> None:
    assert isinstance(HUEY.serializer, SignedMessages)


@pytest.mark.parametrize(
    ("serializer", "found"),
    [
        (Serializer(), True),
        (SignedSerializer(secret="a", salt="b"), False),
        (SignedMessages(), False),
    ],
)
def test_a_queue_of_the_sites_own_is_checked(
    monkeypatch: pytest.MonkeyPatch, serializer: Any, found: bool
) -> None:
    monkeypatch.setattr(HUEY, "serializer", serializer)
    ids = {message.id for message in run_checks(tags=["lifecycle"])}
    assert ("purge.W006" in ids) is found
