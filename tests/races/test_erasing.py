"""An erasure that has to wait for its row, and what is committed meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

import purge
from lifecycle import hold
from lifecycle.exceptions import RowMissing
from lifecycle.models import RowException
from purge.exceptions import ErasureRefused
from purge.runner import run_due
from tests.races.gates import closed_gate
from tests.support import (
    Background,
    Holding,
    events_of,
    kinds,
    let_pass,
    session,
    wait_until,
    waiting,
    waits_for,
)
from tests.zoo.factories import PersonFactory
from tests.zoo.models import Person, Photo

HOLD = """
SELECT lifecycle.write_v1('hold_placed', '', 'zoo.photo', lifecycle.one_v1('bigint', '77'), 1,
    NULL, NULL, NULL, '{"reason": "court"}', NULL)"""
pytestmark = pytest.mark.django_db(transaction=True)


def erase(row: Any, **options: Any) -> Any:
    given = {"reference": "DSR-12", "grace": timedelta(0), "actor": "ann"}
    return purge.erase(row, **(given | options))


def test_a_hold_placed_while_it_waits_for_the_row() -> None:
    person = PersonFactory()
    holder = Holding(person)
    worker = Background(lambda: erase(person))
    wait_until(lambda: waiting() == 1, "the erasure to wait for the row")
    number = holder.commit()
    with pytest.raises(ErasureRefused, match=rf"hold {number} on .*CASE-9"):
        worker.result()
    assert events_of(person) == ["hold_placed"]


def test_a_child_inserted_while_it_waits_for_the_row() -> None:
    """The key-share lock of the child's foreign key is what it waits for."""
    person = PersonFactory()
    with session() as host:
        host.execute("SET CONSTRAINTS ALL IMMEDIATE")
        host.execute("INSERT INTO zoo_photo (person_id, file) VALUES (%s, 'late.jpg')", [person.pk])
        worker = Background(lambda: erase(person))
        wait_until(lambda: waits_for(host.info.backend_pid), "the erasure to wait for the row")
        host.commit()
    receipt = worker.result()
    assert (receipt.cascade, receipt.media) == ({"zoo.photo": 1}, ["late.jpg"])
    assert not Photo.objects.exists()


def test_a_held_child_inserted_while_it_waits_for_the_row() -> None:
    person = PersonFactory()
    with session() as host:
        host.execute("SET CONSTRAINTS ALL IMMEDIATE")
        host.execute("INSERT INTO zoo_photo (id, person_id, file) VALUES (77, %s, '')", [person.pk])
        host.execute(HOLD)
        worker = Background(lambda: erase(person))
        wait_until(lambda: waits_for(host.info.backend_pid), "the erasure to wait for the row")
        host.commit()
    with pytest.raises(ErasureRefused, match=r"zoo\.photo:77 \(reason court\)"):
        worker.result()
    assert Photo.objects.count() == 1


def test_deleted_by_the_site_while_it_waits_for_the_row() -> None:
    person = PersonFactory()
    with session() as host:
        host.execute("DELETE FROM zoo_person WHERE id = %s", [person.pk])
        worker = Background(lambda: erase(person))
        wait_until(lambda: waits_for(host.info.backend_pid), "the erasure to wait for the row")
        host.commit()
    with pytest.raises(RowMissing):
        worker.result()
    assert events_of(person) == ["deleted"]


def test_a_child_that_somebody_else_has_is_not_waited_for_long() -> None:
    """The host has the child and may want the parent: it must not be the victim of a deadlock."""
    person = PersonFactory()
    photo = Photo.objects.create(person=person)
    with session() as host:
        host.execute("SELECT FROM zoo_photo WHERE id = %s FOR UPDATE", [photo.pk])
        with pytest.raises(ErasureRefused, match="somebody else is writing rows that go along"):
            erase(person)
        host.execute("SELECT FROM zoo_person WHERE id = %s FOR UPDATE NOWAIT", [person.pk])
    assert kinds() == []


def test_two_at_once_give_one_end_and_the_same_receipt() -> None:
    person = PersonFactory()
    with closed_gate("purged") as gate:
        first = Background(lambda: erase(person))
        wait_until(lambda: waits_for(gate.info.backend_pid), "the purge")
        second = Background(lambda: erase(person))
        wait_until(lambda: waiting() == 2, "the second to wait for the row")
        gate.rollback()
        assert first.result() == second.result()
    assert events_of(person) == ["expired_by_hand", "purged"]


def test_a_hold_that_comes_while_it_ends_finds_no_row() -> None:
    person = PersonFactory()
    with closed_gate("purged") as gate:
        worker = Background(lambda: erase(person))
        wait_until(lambda: waits_for(gate.info.backend_pid), "the purge")
        holder = Background(lambda: hold(person))
        wait_until(lambda: waiting() == 2, "the hold to wait for the row")
        gate.rollback()
        worker.result()
        with pytest.raises(RowMissing):
            holder.result()
    assert not RowException.objects.exists()


def test_the_worker_comes_to_its_end_while_it_is_erased_at_once() -> None:
    person = PersonFactory()
    erase(person, grace=None)
    let_pass(timedelta(hours=2))
    with closed_gate("purged") as gate:
        worker = Background(run_due)
        wait_until(lambda: waits_for(gate.info.backend_pid), "the purge")
        hand = Background(lambda: erase(person))
        wait_until(lambda: waiting() == 2, "the erasure to wait for the row")
        gate.rollback()
        worker.result()
        assert hand.result().state == "purged"
    assert events_of(person, "purged") == ["purged"]
    assert not Person.objects.exists()
