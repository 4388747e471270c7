"""The queue is written by others: what this site has not signed runs nothing, and stops nothing."""

import logging
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.signing import BadSignature
from django.test import override_settings
from django.utils import timezone
from huey import PostgresHuey as Plain
from huey import RedisHuey as PlainRedis
from huey.serializer import Serializer
from huey.serializer import SignedSerializer as HueysOwn
from huey.utils import load_class

from lifecycle.models import AgendaEntry
from purge import signed_queue
from purge.checks import check_queue
from purge.queue import queue
from tests.infra.servers import until
from tests.places.servers import redis
from tests.purge.worker.consumer import Consumer, ask
from tests.zoo.models import Spark

pytestmark = pytest.mark.django_db(transaction=True)
Start = Callable[..., Consumer]
OTHER_KEY = "another key, as of another site or of one who guesses"


class Touch:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def signed(value: Any, key: str = "") -> bytes:
    if not key:
        return signed_queue.SignedSerializer().serialize(value)
    with override_settings(SECRET_KEY=key):
        return signed_queue.SignedSerializer().serialize(value)


#: what somebody may put into a queue in the place of a message
FORGED: dict[str, Callable[[Any], bytes]] = {
    "unsigned": pickle.dumps,
    "other key": lambda value: signed(value, OTHER_KEY),
    "Huey's own": lambda value: HueysOwn(OTHER_KEY).serialize(value),
    "signature of another": lambda value: pickle.dumps(value) + signed(1)[-signed_queue.LENGTH :],
    "cut off": lambda value: signed(value)[:-1],
    "changed": lambda value: b"\x00" + signed(value)[1:],
    "longer": lambda value: pickle.dumps(value) + signed(value),
    "signature only": lambda value: signed(value)[-signed_queue.LENGTH :],
    "one byte": lambda value: b"\x80",
    "empty": lambda value: b"",
}


@pytest.fixture
def touched(tmp_path: Path) -> Path:
    return tmp_path / "touched"


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_nothing_is_unpickled_that_is_not_signed(
    forged: Callable[[Any], bytes], touched: Path
) -> None:
    data = forged(Touch(touched))
    with pytest.raises(BadSignature):
        signed_queue.SignedSerializer().deserialize(data)
    assert not touched.exists()
    signed_queue.SignedSerializer().deserialize(signed(Touch(touched)))
    assert touched.exists()  # so it could have been


def test_a_key_may_change(settings: Any) -> None:
    old = signed("a task")
    settings.SECRET_KEY_FALLBACKS = [OTHER_KEY, settings.SECRET_KEY]
    settings.SECRET_KEY = "the new one"
    assert signed_queue.SignedSerializer().deserialize(old) == "a task"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(BadSignature):
        signed_queue.SignedSerializer().deserialize(old)


def test_an_older_consumer_reads_what_a_newer_one_signs() -> None:
    assert Serializer().deserialize(signed(("a task", 1))) == ("a task", 1)


@pytest.fixture(params=["postgres", "redis"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Makes a Huey of each kind as Django's app does; of the class given, on the same storage."""
    with ExitStack() as closed:
        if request.param == "postgres":
            yield _maker(queue(), Plain, closed)
        else:
            address = closed.enter_context(redis(tmp_path))
            yield _maker(queue(redis_url=address), PlainRedis, closed)


def _maker(setting: dict[str, Any], plain: type, closed: ExitStack) -> Callable[..., Any]:
    ours = {key: setting[key] for key in ("immediate", "utc")} | setting["connection"]

    def make(signed: bool = True) -> Any:
        kind = load_class(setting["huey_class"]) if signed else plain
        made = kind("other", **ours)
        made.task()(note)
        closed.callback(made.storage.close)
        return made

    return make


noted: list[str] = []


def note(word: str) -> str:
    noted.append(word)
    return word


def enqueue(of: Any, word: str, eta: datetime | None = None) -> Any:
    kind = of._registry.string_to_task(f"{__name__}.note")
    return of.enqueue(kind((word,), eta=eta))


def test_each_storage_drops_the_forged_and_goes_on(
    made: Callable[..., Any], touched: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours, old = made(), made(signed=False)
    for forge in FORGED.values():
        ours.storage.enqueue(forge(Touch(touched)))
        ours.storage.add_to_schedule(forge(Touch(touched)), datetime(2000, 1, 1))
    enqueue(old, "unsigned")
    result = enqueue(ours, "good")
    tasks = [ours.dequeue() for _ in range(len(FORGED) + 2)]
    assert [task.args for task in tasks if task] == [("good",)]
    enqueue(ours, "later", datetime(2000, 1, 1))
    ours.add_schedule(ours.dequeue())
    assert [task.args for task in ours.read_schedule()] == [("later",)]
    ours.execute(next(task for task in tasks if task))
    assert result.get() == "good"
    assert ours.pending_count() == ours.scheduled_count() == 0
    assert not touched.exists()
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.action, record.cause) for record in told] == [
        ("message_dropped", "BadSignature")
    ]  # type: ignore[attr-defined]
    assert all(record.exc_info is None for record in told)


WAITING = "SELECT (SELECT count(*) FROM huey_task) + (SELECT count(*) FROM huey_schedule)"


def test_an_immediate_queue_is_signed_too(touched: Path) -> None:
    """Tasks run in the caller; what waits does so in its memory, and nothing in the database."""
    before = ask(WAITING)
    setting = queue()
    kind = load_class(setting["huey_class"])
    ours = kind("other", immediate=True, utc=True, **setting["connection"])
    ours.task()(note)
    noted.clear()
    assert enqueue(ours, "now").get() == "now"
    for forge in FORGED.values():
        ours.storage.enqueue(forge(Touch(touched)))
        ours.storage.add_to_schedule(forge(Touch(touched)), datetime(2000, 1, 1))
    enqueue(ours, "later", datetime(2100, 1, 1))
    assert [ours.dequeue() for _ in FORGED] == [None] * len(FORGED)
    assert ours.read_schedule() == []
    assert [task.args for task in ours.read_schedule(datetime(2200, 1, 1))] == [("later",)]
    assert noted == ["now"]
    assert not touched.exists()
    assert ask(WAITING) == before  # other tests may have left some


def test_a_result_of_others_is_refused(made: Callable[..., Any], touched: Path) -> None:
    ours = made()
    result = enqueue(ours, "good")
    ours.storage.put_data(result.id, pickle.dumps(Touch(touched)), is_result=True)
    with pytest.raises(BadSignature):
        result.get()
    assert not touched.exists()
    ours.storage.flush_queue()


def test_a_revocation_of_others_revokes_nothing(made: Callable[..., Any]) -> None:
    ours, old = made(), made(signed=False)
    enqueue(ours, "runs")
    task = ours.dequeue()
    old.revoke(task)
    assert not ours.is_revoked(task)
    ours.revoke_all(type(task))  # the forged one does not hide it
    assert ours.is_revoked(task)
    ours.restore_all(type(task))
    ours.restore(task)


def test_it_is_told_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dropped, clock = signed_queue.Dropped(), time.monotonic()
    monkeypatch.setattr(signed_queue.time, "monotonic", lambda: clock)
    for _ in range(3):
        dropped.note(BadSignature("a secret"))
    dropped.note(KeyError("a secret"))
    clock += signed_queue.PERIOD
    dropped.note(BadSignature("a secret"))
    counts = [(record.cause, record.count) for record in caplog.records]  # type: ignore[attr-defined]
    assert counts == [("BadSignature", 1), ("KeyError", 1), ("BadSignature", 3)]
    assert "secret" not in caplog.text


def test_a_consumer_runs_nothing_of_others(consumer: Start, touched: Path) -> None:
    """Inserted as by one who may write into the queue, before it starts and while it works."""
    forged = [forge(Touch(touched)) for forge in FORGED.values()]
    stays = Spark.objects.create(expires_at=timezone.now() + timedelta(hours=1))
    insert_all(forged)
    started = consumer()
    insert_all(forged)
    Spark.objects.create(flash=True, expires_at=timezone.now())
    until(lambda: Spark.objects.count() == 1)
    until(lambda: not ask("SELECT count(*) FROM huey_task WHERE data = ANY (%s)", forged))
    until(lambda: not ask("SELECT count(*) FROM huey_schedule"))
    assert not touched.exists()
    assert Spark.objects.get() == stays
    assert not started.has_ended()
    log = started.log.read_text()
    assert log.count("BadSignature") == 1
    assert "Traceback" not in log


def insert_all(forged: list[bytes]) -> None:
    for data in forged:
        ask("INSERT INTO huey_task (queue, data) VALUES ('tombstone', %s)", data)
        ask("INSERT INTO huey_schedule (queue, data, timestamp) VALUES ('tombstone', %s, 0)", data)


@pytest.mark.slow
def test_wake_ups_of_an_older_version_are_made_again(consumer: Start) -> None:
    """It has enqueued without a signature what is due; nothing is lost with that."""
    from huey.contrib.djhuey import HUEY

    from purge.worker.jobs import run_policy_task

    Spark.objects.create(flash=True, expires_at=timezone.now())
    task = run_policy_task.s("flashes", "2000-01-01T00:00:00+00:00")
    data = Serializer().serialize(HUEY._registry.create_message(task))
    insert_all([data])
    consumer()
    until(lambda: not Spark.objects.exists())
    until(lambda: not AgendaEntry.objects.exists())


def test_check_names_a_queue_that_is_not_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    from huey.contrib.djhuey import HUEY

    assert check_queue() == []
    monkeypatch.setattr(HUEY, "serializer", Serializer())
    assert [message.id for message in check_queue()] == ["purge.W006"]
    monkeypatch.setattr(HUEY, "serializer", HueysOwn("secret"))
    assert check_queue() == []
