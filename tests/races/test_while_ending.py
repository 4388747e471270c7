"""What people and other transactions say while a batch is under way, its rows locked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.signals import post_delete
from django.utils import timezone

from lifecycle import hold, live, release, restore
from lifecycle.exceptions import RowMissing
from lifecycle.ledger.policy_states import pause, resume
from lifecycle.models import RowException
from purge.runner import run_due
from tests.races.gates import closed_gate
from tests.support import (
    Background,
    events_of,
    let_pass,
    run_until_idle,
    wait_until,
    waiting,
    waits_for,
)
from tests.zoo.factories import (
    AttachmentFactory,
    ExpiredDraftFactory,
    ExpiredReportFactory,
    ExpiredTokenFactory,
)
from tests.zoo.models import Attachment, Comment, Document, Draft, Report, Token

pytestmark = pytest.mark.django_db(transaction=True)


def test_restored_and_extended_while_it_is_being_tombstoned() -> None:
    draft = ExpiredDraftFactory()
    with closed_gate("tombstoned") as gate:
        worker = Background(run_due)
        wait_until(lambda: waits_for(gate.info.backend_pid), "the tombstone")
        host = Background(lambda: restore_and_extend(draft))
        wait_until(lambda: waiting() == 2, "the host to wait for the row")
        gate.rollback()
        worker.result()
        host.result()
    let_pass(timedelta(hours=2))
    run_until_idle()
    assert events_of(draft) == ["expiry_scheduled", "tombstoned", "restored", "expiry_scheduled"]
    assert draft in Draft.objects.live()


def test_restored_only_while_it_is_being_tombstoned() -> None:
    draft = ExpiredDraftFactory()
    with closed_gate("tombstoned") as gate:
        worker = Background(run_due)
        wait_until(lambda: waits_for(gate.info.backend_pid), "the tombstone")
        host = Background(lambda: restore(draft))
        wait_until(lambda: waiting() == 2, "the host to wait for the row")
        gate.rollback()
        worker.result()
        host.result()
    let_pass(timedelta(hours=2))
    run_until_idle()
    assert events_of(draft)[-1] == "restored"
    assert draft in Draft.objects.live()


def restore_and_extend(draft: Draft) -> None:
    with transaction.atomic():
        restore(draft)
        Draft.objects.filter(pk=draft.pk).update(created_at=timezone.now())


@pytest.mark.parametrize("action", [restore, hold], ids=["restore", "hold"])
def test_what_comes_while_the_row_is_being_purged_is_refused(action) -> None:
    token = ExpiredTokenFactory()
    with closed_gate("purged") as gate:
        worker = Background(run_due)
        wait_until(lambda: waits_for(gate.info.backend_pid), "the purge")
        host = Background(lambda: action(token))
        wait_until(lambda: waiting() == 2, "the host to wait for the row")
        gate.rollback()
        worker.result()
        with pytest.raises(RowMissing):
            host.result()
    assert not RowException.objects.exists()
    assert events_of(token) == ["expiry_scheduled", "purged"]


def test_an_extension_of_a_parents_column_waits_for_the_purge_of_its_child() -> None:
    """The row that decides is another table's; the purge must hold that one too."""
    report = ExpiredReportFactory()
    late = timezone.now() + timedelta(days=9)
    with closed_gate("purged") as gate:
        worker = Background(run_due)
        wait_until(lambda: waits_for(gate.info.backend_pid), "the purge")
        host = Background(lambda: Document.objects.filter(pk=report.pk).update(expires_at=late))
        wait_until(lambda: waiting() == 2 or not host.thread.is_alive(), "the host to wait")
        gate.rollback()
        worker.result()
        changed = host.result()
    assert (changed, Report.objects.count(), Document.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("stop", [pause, hold], ids=["pause", "hold"])
def test_stopping_a_policy_waits_for_the_batch_under_way(stop) -> None:
    before = ExpiredTokenFactory()
    with closed_gate("purged") as gate:
        worker = Background(run_due)
        wait_until(lambda: waits_for(gate.info.backend_pid), "the purge")
        stopper = Background(lambda: stop("tokens"))
        wait_until(lambda: waiting() == 2, "the stop to wait for the batch")
        gate.rollback()
        worker.result()
        stopper.result()
    after = ExpiredTokenFactory()
    run_until_idle()
    assert list(Token.objects.all()) == [after]
    assert events_of(before, "purged") == ["purged"]
    {pause: resume, hold: release}[stop]("tokens")
    run_until_idle()
    assert not Token.objects.exists()


def test_a_batch_waits_for_nobody_while_a_policy_is_being_stopped() -> None:
    """The stop is not committed yet; a batch that would pass it does nothing."""
    token = ExpiredTokenFactory()
    with transaction.atomic():
        pause("tokens")
        worker = Background(run_due)
        worker.result()
    assert live(Token).count() == 0
    assert Token.objects.filter(pk=token.pk).exists()
    resume("tokens")
    run_until_idle()
    assert not Token.objects.exists()


def test_a_child_moved_to_another_parent_while_the_purge_collects_stays() -> None:
    """Django's collector deletes what it has read; the attachment has a receiver, so it is read."""
    attachment, other = AttachmentFactory(), Comment.objects.create()
    old = attachment.comment

    def receiver(**kwargs: Any) -> None:
        """Only has to be there."""

    def move() -> None:
        Attachment.objects.filter(pk=attachment.pk).update(comment=other)

    post_delete.connect(receiver, Attachment)
    try:
        with once_before_locking(move):
            run_until_idle()
    finally:
        post_delete.disconnect(receiver, Attachment)
    assert list(Attachment.objects.values_list("comment", flat=True)) == [other.pk]
    assert events_of(old, "purged") == ["purged"]


@contextmanager
def once_before_locking(call: Callable[[], None]) -> Iterator[None]:
    """Run the call, in a session of its own, just before children are locked the first time."""
    calls = [call]

    def wrap(execute: Any, sql: str, *rest: Any) -> Any:
        if calls and "zoo_attachment" in sql and "FOR UPDATE" in sql:
            Background(calls.pop()).result()
        return execute(sql, *rest)

    with connection.execute_wrapper(wrap):
        yield
    assert not calls
