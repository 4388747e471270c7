"""Subscribers are told what was purged: after the commit, at least once, until they answer."""

import asyncio
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

import purge
from lifecycle.exceptions import LifecycleError, PolicyError
from lifecycle.insight.overview import overview
from lifecycle.insight.status import statuses
from lifecycle.install.roles import WRITE, rights_on
from lifecycle.models import Event
from purge.alerts import watch
from purge.models import Delivery
from purge.outbox import deliver as outbox
from purge.outbox import subscribers
from purge.outbox.backlog import oldest
from purge.outbox_check import check_told
from purge.proof import prune
from purge.runner import run_due
from purge.worker import deliver, whole_pass
from purge.worker.threads import Threads
from purge.worker.whole_pass import run_all
from tests.infra.servers import ROOT
from tests.support import Background, let_pass, run_until_idle, together, wait_until
from tests.zoo.models import (
    Attachment,
    Badge,
    Comment,
    Coupon,
    Draft,
    Person,
    Picture,
    Ticket,
    Token,
)

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


class Copies:
    """A copy elsewhere of rows: what it was told, and what it does about it."""

    def __init__(self) -> None:
        self.told: list[purge.Purged] = []
        self.does: Callable[[purge.Purged], Any] = lambda purged: None

    def __call__(self, purged: purge.Purged) -> None:
        self.told.append(purged)
        self.does(purged)

    @property
    def keys(self) -> list[Any]:
        return [key for each in self.told for key in each.keys]


@pytest.fixture
def subscribe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Copies]]:
    """Declares subscribers for the time of a test."""
    monkeypatch.setattr(subscribers, "_subscribers", {})

    def subscribed(model: Any, name: str = "search-index", **options: Any) -> Copies:
        copies = Copies()
        purge.on_purge(model, name=name, **options)(copies)
        return copies

    yield subscribed
    Delivery.objects.all().delete()


def expired(*labels: str) -> list[Token]:
    past = timezone.now() - timedelta(hours=1)
    return Token.objects.bulk_create(Token(label=label, expires_at=past) for label in labels)


def fail(purged: purge.Purged) -> None:
    raise ConnectionError("https://index.example/secret")


def test_told_by_keys_after_the_purge_and_gone_with_the_answer(subscribe: Any) -> None:
    index = subscribe(Token)
    rows = expired("a", "b", "c")
    run_due()
    assert not index.told
    (line,) = Delivery.objects.all()
    event = Event.objects.get(kind="purged")
    assert (line.event, line.rows, line.policy, line.model) == (event.pk, 3, "tokens", "zoo.token")
    assert line.made_at == event.recorded_at  # the event is not older than what it needs
    assert outbox.deliver("default") == 1
    (told,) = index.told
    assert sorted(told.keys) == sorted(row.pk for row in rows)
    assert (told.model, told.policy, told.event, told.attempt) == (Token, "tokens", event.pk, 1)
    assert told.purged_at == event.recorded_at
    assert not Delivery.objects.exists()
    assert outbox.deliver("default") == 0


@pytest.mark.parametrize("make", [1, 3], ids=["one", "several"])
@pytest.mark.parametrize("model", [Ticket, Coupon])
def test_keys_are_those_of_the_model(subscribe: Any, model: Any, make: int) -> None:
    index, past = subscribe(model), timezone.now() - DAY
    extra = {"code": "it's"} if model is Coupon else {}
    rows = [model.objects.create(expires_at=past, **extra)]
    if not extra:
        rows += [model.objects.create(expires_at=past) for _ in range(make - 1)]
    run_until_idle()
    outbox.deliver("default")
    assert sorted(index.keys) == sorted(row.pk for row in rows)


def test_the_guide_is_as_it_says(subscribe: Any) -> None:
    """Its blocks, with a search index and a provider that are lists."""
    gone, asked, page = [], [], ROOT / "docs/how-to/tell-copies-elsewhere.md"
    answer = SimpleNamespace(status_code=404)
    requests = SimpleNamespace(delete=lambda url, timeout: gone.append(url) or answer)
    payments = SimpleNamespace(request_deletion=lambda **said: asked.append(said))
    site: dict[str, Any] = {"Customer": Token, "payments": payments, "requests": requests}
    site["timedelta"] = timedelta
    for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        exec(block.replace("import requests\n", ""), site)
    (row,) = expired("a")
    run_due()
    assert outbox.deliver("default") == 2
    assert gone == [f"https://search.internal/customers/{row.pk}"]
    assert asked[0]["customer"] == str(row.pk)
    site["deleted"](SimpleNamespace(POST={"reference": asked[0]["reference"]}))
    assert not Delivery.objects.exists()


def test_what_is_taken_back_is_not_told(subscribe: Any) -> None:
    index = subscribe(Token)
    expired("a")
    purge.run("tokens", within=timedelta(0), actor="jo", dry_run=True)
    assert not Delivery.objects.exists()
    run_due()
    assert Delivery.objects.count() == 1
    outbox.deliver("default")
    assert len(index.told) == 1


def test_the_sites_own_deletes_and_updates_are_not_told(subscribe: Any) -> None:
    subscribe(Token)
    Token.objects.bulk_create(Token(label=label) for label in "ab")
    Token.objects.update(label="c")
    Token.objects.all().delete()
    run_until_idle()
    assert not Delivery.objects.exists()


def test_rows_that_go_along_are_told_where_they_have_a_policy(subscribe: Any) -> None:
    index = subscribe(Attachment)
    comment = Comment.objects.create(expires_at=timezone.now() - DAY)
    rows = [Attachment.objects.create(comment=comment) for _ in range(2)]
    run_until_idle()
    outbox.deliver("default")
    assert sorted(index.keys) == [row.pk for row in rows]
    assert {each.policy for each in index.told} == {"comments"}


def test_a_row_that_is_erased_on_request_is_told(subscribe: Any) -> None:
    index = subscribe(Person)
    person = Person.objects.create()
    key = person.pk
    purge.erase(person, actor="jo", reference="R-1", grace=timedelta(0))
    run_until_idle()
    outbox.deliver("default")
    assert index.keys == [key]


def test_a_row_that_a_backup_brought_back_is_told_once_more(subscribe: Any) -> None:
    index = subscribe(Token)
    (row,) = expired("a")
    run_due()
    outbox.deliver("default")
    with connection.cursor() as cursor:  # as `pg_restore --disable-triggers` writes it
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "INSERT INTO zoo_token (id, label, active, expires_at) VALUES (%s, 'a', true, %s)",
            [row.pk, row.expires_at],
        )
        cursor.execute("SET session_replication_role = origin")
    call_command("purge", replay=True, yes=True, stdout=StringIO())
    assert not Token.objects.exists()
    outbox.deliver("default")
    assert index.keys == [row.pk] * 2
    assert index.told[0].token != index.told[1].token


def test_after_an_error_it_is_told_again_later_and_others_are_told(subscribe: Any) -> None:
    index, payment = subscribe(Token), subscribe(Token, "payment")
    index.does = fail
    expired("a")
    run_due()
    assert outbox.deliver("default") == 1
    assert (len(index.told), len(payment.told)) == (1, 1)
    (line,) = Delivery.objects.all()
    assert (line.subscriber, line.attempts, line.error) == ("search-index", 1, "ConnectionError")
    assert timedelta(seconds=5) < line.due_at - timezone.now() <= outbox.FIRST_WAIT
    assert outbox.deliver("default") == 0
    for _ in range(3):
        let_pass(timedelta(hours=1))
        outbox.deliver("default")
    assert [each.attempt for each in index.told] == [1, 2, 3, 4]
    index.does = lambda purged: None
    let_pass(timedelta(hours=1))
    assert outbox.deliver("default") == 1
    assert not Delivery.objects.exists()
    assert len({each.token for each in index.told}) == 1


def test_an_error_inside_of_a_transaction_of_the_function_does_no_harm(subscribe: Any) -> None:
    index = subscribe(Token)

    def broken(purged: purge.Purged) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    index.does = broken
    expired("a")
    run_due()
    outbox.deliver("default")
    assert Delivery.objects.get().error == "DataError"


def test_a_function_that_ends_the_process_does_not(subscribe: Any) -> None:
    index = subscribe(Token)
    index.does = lambda purged: sys.exit(3)
    expired("a")
    run_due()
    assert outbox.deliver("default") == 0
    assert Delivery.objects.get().error == "SystemExit"


@pytest.mark.parametrize("error", [asyncio.CancelledError, type("Timeout", (BaseException,), {})])
def test_an_error_of_another_sort_is_one_too(subscribe: Any, error: type[BaseException]) -> None:
    """That of a loop which was cancelled, and timeouts of gevent, are no `Exception`."""
    index = subscribe(Token)
    index.does = lambda purged: (_ for _ in ()).throw(error)
    expired("a")
    run_due()
    assert outbox.deliver("default") == 0
    assert Delivery.objects.get().error == error.__name__


def test_a_name_that_another_model_has_now_is_not_told_of_its_rows(subscribe: Any) -> None:
    subscribe(Token)
    expired("a")
    run_due()
    subscribers._subscribers.clear()
    other = subscribe(Comment)
    assert outbox.deliver("default") == 0
    assert not other.told
    assert Delivery.objects.get().error == "OtherModel"
    subscribers._subscribers.clear()
    index = subscribe(Token)
    let_pass(timedelta(minutes=1))
    assert outbox.deliver("default") == 1
    assert len(index.keys) == 1


def test_a_model_that_was_renamed_with_its_policy_is_the_same(subscribe: Any) -> None:
    subscribe(Token)
    expired("a")
    run_due()
    subscribers._subscribers.clear()
    index = subscribe(Comment)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lifecycle.write_v1('policy_changed', 'comments', 'zoo.comment', NULL, 0, NULL,"
            """ NULL, NULL, '{"formerly": "zoo.token"}', NULL)"""
        )
    assert outbox.deliver("default") == 1
    assert len(index.keys) == 1


def test_answered_later_by_its_token(subscribe: Any) -> None:
    index = subscribe(Token, within=2 * DAY, answers_later=True)
    expired("a")
    run_due()
    assert outbox.deliver("default") == 1
    assert Delivery.objects.get().sent_at
    let_pass(DAY)
    assert outbox.deliver("default") == 0
    let_pass(DAY)
    assert outbox.deliver("default") == 1  # told again, for nobody has answered
    assert [each.attempt for each in index.told] == [1, 2]
    with pytest.raises(LifecycleError, match="takes the token"):
        purge.acknowledge("x' OR true --")
    assert not purge.acknowledge(str(uuid.uuid4()))
    assert purge.acknowledge(index.told[0].token)
    assert not purge.acknowledge(index.told[0].token)
    assert not Delivery.objects.exists()


def test_an_answer_that_comes_before_the_function_returns(subscribe: Any) -> None:
    index = subscribe(Token, answers_later=True)
    index.does = lambda purged: purge.acknowledge(purged.token)
    expired("a")
    run_due()
    outbox.deliver("default")
    assert not Delivery.objects.exists()


def test_whoever_is_killed_while_telling_has_it_told_again(subscribe: Any) -> None:
    index = subscribe(Token)
    index.does = lambda purged: (_ for _ in ()).throw(KeyboardInterrupt)
    expired("a")
    run_due()
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver("default")
    index.does = lambda purged: None
    assert outbox.deliver("default") == 0
    let_pass(outbox.LEASE + timedelta(seconds=1))
    assert outbox.deliver("default") == 1
    assert len(index.told) == 2


def test_after_its_deadline_nobody_is_told(subscribe: Any) -> None:
    index, clock = subscribe(Token), [time.monotonic()]
    for label in "ab":
        expired(label)
        run_due()
    deadline = time.monotonic() + 30
    with patch.object(outbox.time, "monotonic", lambda: clock[0]):
        index.does = lambda purged: clock.append(clock.pop() + 60)
        assert outbox.deliver("default", deadline) == 1
        assert outbox.deliver("default", deadline) == 0
    assert Delivery.objects.count() == 1
    assert outbox.deliver("default") == 1


def test_of_an_event_that_is_gone_no_keys_are_told(subscribe: Any) -> None:
    index = subscribe(Token)
    expired("a")
    run_due()
    Delivery.objects.update(event=0)
    assert outbox.deliver("default") == 0
    assert not index.told
    assert Delivery.objects.get().error == "LookupError"


@pytest.mark.parametrize("fails", [False, True])
def test_who_returns_when_another_has_taken_the_line_changes_nothing(
    subscribe: Any, fails: bool
) -> None:
    index = subscribe(Token, answers_later=True)
    taken = timezone.now() + timedelta(minutes=9)

    def late(purged: purge.Purged) -> None:
        Delivery.objects.update(attempts=F("attempts") + 1, due_at=taken)  # as another claims it
        if fails:
            raise ConnectionError

    index.does = late
    expired("a")
    run_due()
    assert outbox.deliver("default") == (0 if fails else 1)
    line = Delivery.objects.get()
    assert (line.attempts, line.due_at, line.sent_at, line.error) == (2, taken, None, "")


@pytest.mark.parametrize(("attempts", "most"), [(0, 10), (1, 20), (4, 160), (40, 3600)])
def test_after_each_error_it_waits_longer(subscribe: Any, attempts: int, most: int) -> None:
    index = subscribe(Token)
    index.does = fail
    expired("a")
    run_due()
    Delivery.objects.update(attempts=attempts)
    outbox.deliver("default")
    waits = Delivery.objects.get().due_at - timezone.now()
    assert most / 2 - 3 < waits.total_seconds() <= most


@pytest.mark.slow
def test_two_workers_tell_each_line_once(subscribe: Any) -> None:
    index = subscribe(Token)
    for number in range(12):
        expired(str(number))
        run_due()
    assert sum(together(*[lambda: outbox.deliver("default")] * 3)) == 12
    assert len(index.keys) == len(set(index.keys)) == 12


def test_a_function_that_hangs_stops_no_purge(subscribe: Any) -> None:
    index, called, go_on = subscribe(Token), threading.Event(), threading.Event()
    index.does = lambda purged: (called.set(), go_on.wait(30))
    expired("a")
    run_due()
    telling = Background(lambda: outbox.deliver("default"))
    assert called.wait(15)
    expired("b")
    run_until_idle()
    assert not Token.objects.exists()
    go_on.set()
    assert telling.result() == 2


@pytest.mark.slow
def test_what_is_not_answered_in_time_is_listed(subscribe: Any) -> None:
    index = subscribe(Token, within=2 * DAY)
    index.does = fail
    expired("a", "b")
    run_due()
    outbox.deliver("default")
    assert not fact()[0]
    assert "search-index: 2 rows of 1 events since" in fact()[1]
    assert "fails by ConnectionError" in fact()[1]
    assert problems() == []
    let_pass(2 * DAY)
    assert fact()[0]
    assert any("copies elsewhere: search-index" in each for each in problems())
    out = StringIO()
    with pytest.raises(CommandError, match="1 subscribers have not answered in time"):
        call_command("lifecycle", "verify", promise=[7], stdout=out)
    assert "not answered: tokens: search-index: 2 rows of 1 events" in out.getvalue()
    assert "secret" not in out.getvalue() + fact()[1]
    index.does = lambda purged: None
    outbox.deliver("default")
    call_command("lifecycle", "verify", promise=[7], stdout=StringIO())
    assert fact() == (False, "All that were told have answered.")


def test_of_a_subscriber_that_is_declared_no_more_it_is_said(
    subscribe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(Token)
    expired("a")
    run_due()
    monkeypatch.setattr(subscribers, "_subscribers", {})
    assert outbox.deliver("default") == 0
    assert fact()[0]
    assert "which no code declares any more" in fact()[1]
    assert purge.acknowledge(str(Delivery.objects.get().token))


def test_nothing_is_said_or_written_where_nobody_asks(subscribe: Any) -> None:
    expired("a")
    run_due()
    assert not Delivery.objects.exists()
    assert "Copies elsewhere" not in [each.part for each in overview("default").facts]


def test_events_that_are_to_be_told_stay_in_the_ledger(
    subscribe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, asked = subscribe(Token), []
    index.does = fail
    expired("a")
    run_due()

    def places(using: str, options: Any, before: Any, first: int, last: int) -> int:
        asked.append(before)
        return 0

    monkeypatch.setattr(prune, "_by_steps", places)
    monkeypatch.setattr(prune, "fetch", lambda *args: [(1, 2)])
    options: Any = type("Options", (), {"keep": -DAY})
    prune.prune("default", options)
    assert asked == [oldest("default")]


def test_a_pass_tells_what_it_has_purged(subscribe: Any) -> None:
    index = subscribe(Token)
    (first,) = expired("a")
    call_command("purge", stdout=StringIO())
    (second,) = expired("b")
    run_all()
    assert index.keys == [first.pk, second.pk]


def test_a_pass_in_which_a_policy_fails_tells_the_others(
    subscribe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(options: Any) -> Any:
        run_due(options)
        raise ZeroDivisionError

    index = subscribe(Token)
    (row,) = expired("a")
    monkeypatch.setattr(whole_pass, "run_due", failing)
    with pytest.raises(ZeroDivisionError):
        run_all()
    assert index.keys == [row.pk]


@pytest.mark.parametrize("make", [lambda: call_command("purge", stdout=StringIO()), run_all])
def test_mails_of_a_pass_wait_for_no_subscriber(
    subscribe: Any, monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]
) -> None:
    index, order = subscribe(Token), []
    index.does = lambda purged: order.append("told")
    monkeypatch.setattr(watch, "watch", lambda using: order.append("watched"))
    expired("a")
    make()
    assert order == ["watched", "told"]


@pytest.mark.slow
def test_the_worker_tells_by_a_thread_of_its_own(
    subscribe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "threads", Threads("test-outbox", deliver._run))
    index, called = subscribe(Token), threading.Event()
    index.does = lambda purged: called.set()
    expired("a")
    run_due()
    deliver.start()
    assert called.wait(30)
    wait_until(lambda: not Delivery.objects.exists(), "the answer")
    (thread,) = deliver.threads.running()
    assert thread.is_alive()
    assert thread.daemon
    deliver.start()
    assert deliver.threads.running() == [thread]
    deliver.threads.stop()
    assert not thread.is_alive()


@pytest.mark.slow
def test_a_function_that_ends_its_process_does_not_end_the_thread(
    subscribe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "threads", Threads("test-outbox", deliver._run))
    index, payment = subscribe(Token), subscribe(Token, "payment")
    index.does = lambda purged: (_ for _ in ()).throw(SystemExit)
    expired("a")
    run_due()
    deliver.start()
    wait_until(lambda: len(index.told) and len(payment.told), "both")
    (thread,) = deliver.threads.running()
    assert thread.is_alive()
    deliver.threads.stop()


def test_an_error_of_the_database_is_logged_and_tried_again(
    subscribe: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*args: Any) -> int:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(deliver, "tell", away)
    assert not deliver.step("default")
    assert [each.action for each in caplog.records] == ["deliveries_failed"]  # type: ignore[attr-defined]


def test_a_subscriber_that_would_never_be_told_is_told_so(subscribe: Any) -> None:
    assert check_told() == []
    subscribe(Token)
    assert check_told() == []
    subscribe(Picture, "pictures")
    subscribe(Badge, "badges")
    assert [each.id for each in check_told()] == ["purge.E008"] * 2
    assert "on which no policy stands" in check_told()[0].msg


@pytest.mark.parametrize(
    "options",
    [
        {"name": "Search Index"},
        {"within": timedelta(0)},
        {"answers_later": "yes"},
        {"model": Token.objects},
        {"name": "taken"},
    ],
)
def test_what_cannot_be_is_refused(subscribe: Any, options: dict[str, Any]) -> None:
    subscribe(Draft, "taken")
    with pytest.raises(PolicyError):
        subscribe(**({"model": Token} | options))


def fact() -> tuple[bool, str]:
    (found,) = (each for each in overview("default").facts if each.part == "Copies elsewhere")
    return found.problem, found.says


def problems() -> list[str]:
    return [line for each in statuses("default") for line in each.problems]


def test_the_site_takes_lines_away_and_adds_none() -> None:
    assert rights_on("site", "purge_delivery") == "SELECT, DELETE"
    assert rights_on("worker", "purge_delivery") == WRITE
    assert rights_on("reader", "purge_delivery") == "SELECT"
