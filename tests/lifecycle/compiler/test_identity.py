"""What the ledger keeps of a row that ended, so that it is known again."""

import hashlib
import struct
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from lifecycle.compiler.identity import hashed, identity_of, identity_sql, is_key_alone
from lifecycle.compiler.identity_forms import LARGE
from lifecycle.models import Event
from lifecycle.policy.capture_modes import Capture, Signals, Window
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import policies_of
from purge.runner import run_due
from tests.clock import pass_time
from tests.zoo.models import Coupon, Member, Preference, Report, Sensor, Ticket, Token, Visit

PAST = timezone.now() - timedelta(days=2)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def salt() -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT salt FROM lifecycle.salt")
        return bytes(cursor.fetchone()[0])


def identity_in_python(member: Member) -> bytes:
    """The same eight bytes, worked out once more."""
    stamp = (member.joined_at - EPOCH) // timedelta(microseconds=1)
    return hashlib.sha256(salt() + struct.pack(">qq", stamp, member.pk)).digest()[:8]


def run(text: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, params or None)
        return cursor.fetchall() if cursor.description else []


def ending() -> Event:
    return Event.objects.filter(kind__in=("purged", "deleted", "updated")).get()


def test_identity_of_a_table() -> None:
    assert identity_of(Member) == ("pk", "joined_at")
    assert identity_of(Visit) == ("pk", "made_at", "seq")
    assert identity_of(Ticket) == identity_of(Coupon) == identity_of(Sensor) == ("*",)
    assert hashed(Ticket) == "*,expires_at"
    assert identity_of(Token) == ()
    assert not is_key_alone(Token)


def test_identity_is_the_union_of_what_the_policies_of_a_table_declare(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = Policy("planted", Member, on_request=True, identity=["email"])
    whole = Policy("planted-whole", Member, on_request=True, identity=["*"])
    also: list[Policy] = [other]
    monkeypatch.setattr(
        "lifecycle.compiler.identity.policies_of", lambda model: [*policies_of(model), *also]
    )
    assert "email" in identity_of(Member)
    also.append(whole)
    assert identity_of(Member) == ("*",)
    assert hashed(Member, {"email"}).split(",")[0] == "*"
    assert "email" in hashed(Member).split(",")
    assert "email" not in hashed(Member, {"email"}).split(",")


def test_a_parents_stamp_is_no_identity() -> None:
    assert Policy("planted", Report, expires="expires_at").identity == ()


def test_no_bytes_for_a_field_that_is_no_more() -> None:
    assert identity_sql(Member, "joined_at")
    assert identity_sql(Member, "joined_at,gone") is None
    assert identity_sql(Token, hashed(Token)) is None


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_hosts_delete_records_identities(zone: str) -> None:
    rows = [Member.objects.create() for _ in range(3)]
    wanted = [identity_in_python(row) for row in rows]
    run("SELECT set_config('timezone', %s, true), set_config('datestyle', 'SQL, DMY', true)", zone)
    run("DELETE FROM zoo_member")
    run("SELECT set_config('datestyle', 'ISO', true)")
    event = ending()
    assert event.kind == "deleted"
    assert event.detail["identity"] == "joined_at timestamp with time zone"
    assert bytes(event.identities) == b"".join(wanted)


@pytest.mark.django_db(transaction=True)
def test_purge_and_update_record_identities() -> None:
    gone = Member.objects.create(expires_at=PAST)
    Member.objects.filter(pk=gone.pk).update(joined_at=PAST)
    gone.refresh_from_db()
    wanted = identity_in_python(gone)
    mailed = Member.objects.create(status="live", email="a@b.c", left_at=PAST)
    Visit.objects.create(member=gone)
    run_due()
    (updated,) = Event.objects.filter(kind="updated")
    assert bytes(updated.identities) == identity_in_python(mailed)
    pass_time(hours=2)
    gone.refresh_from_db()
    assert identity_in_python(gone) != wanted  # its stamp has become older too
    wanted = identity_in_python(gone)
    run_due()
    purged = Event.objects.get(kind="purged", model="zoo.member")
    assert bytes(purged.identities) == wanted
    along = Event.objects.get(kind="purged", model="zoo.visit")
    assert (along.cause, len(along.identities)) == ("cascade", 8)


@pytest.mark.slow
@pytest.mark.django_db
def test_a_set_shared_with_an_earlier_event_and_chunks_have_identities_in_key_order() -> None:
    run(
        "INSERT INTO zoo_member (email, status, joined_at)"
        " SELECT '', 'live', timestamptz '2020-01-01' + i * interval '1 s' * (i % 7)"
        " FROM generate_series(1, 10500) AS i"
    )
    rows = list(Member.objects.order_by("pk"))
    run("DELETE FROM zoo_member")
    stored = [bytes(e.identities) for e in Event.objects.filter(kind="deleted").order_by("id")]
    assert [len(each) for each in stored] == [80_000, 4_000]
    assert b"".join(stored) == b"".join(map(identity_in_python, rows))


@pytest.mark.django_db
def test_nulls_and_values_are_told_apart() -> None:
    member = Member.objects.create()
    for seq in (None, 0, 1):
        Visit.objects.create(pk=1, member=member, seq=seq)
        Visit.objects.update(made_at=PAST)
        Visit.objects.all().delete()
    found = [bytes(e.identities) for e in Event.objects.filter(kind="deleted")]
    assert len(set(found)) == 3


@pytest.mark.django_db
def test_tables_without_an_identity_pay_nothing() -> None:
    Token.objects.create()
    Token.objects.all().delete()
    assert ending().identities is None
    assert "identity" not in ending().detail


@pytest.mark.django_db
def test_a_hosts_delete_does_not_fail_because_of_an_identity() -> None:
    Member.objects.create()
    run("ALTER TABLE zoo_member RENAME joined_at TO came_at")
    run("DELETE FROM zoo_member")
    assert ending().identities is None


@pytest.mark.django_db
def test_a_row_under_a_uuid_is_hashed_whole() -> None:
    ticket = Ticket.objects.create(pk=uuid.uuid4())
    Ticket.objects.all().delete()
    wanted = hashlib.sha256(salt() + b"\x00" + ticket.pk.bytes).digest()[:8]
    assert bytes(ending().identities) == wanted
    assert ending().detail["identity"] == "*,expires_at"


def test_only_triggers_see_whole_rows() -> None:
    def declared(model: type[Model], capture: Capture) -> Sequence[str]:
        return Policy("planted", model, expires="expires_at", capture=capture).identity

    assert declared(Ticket, Signals()) == ("pk",)
    assert declared(Coupon, Signals()) == ()
    assert declared(Coupon, Window(record_subjects=False)) == ()
    assert declared(Coupon, Window()) == ("*",)


@pytest.mark.django_db
def test_other_roles_cannot_read_the_salt_nor_make_hashes() -> None:
    Member.objects.create()
    run("CREATE ROLE lc_stranger; GRANT SELECT, DELETE ON zoo_member TO lc_stranger")
    run("SET LOCAL ROLE lc_stranger")
    for text in (
        "SELECT salt FROM lifecycle.salt",
        "SELECT lifecycle.identities_v1(ARRAY['a'::bytea])",
    ):
        with pytest.raises(Exception, match="permission denied") as caught, transaction.atomic():
            run(text)
        assert isinstance(caught.value.__cause__, psycopg.errors.InsufficientPrivilege)
    run("DELETE FROM zoo_member")
    run("RESET ROLE")
    assert len(ending().identities) == 8
    run("DROP OWNED BY lc_stranger; DROP ROLE lc_stranger")


def hash_of(model: Any, names: str, table: str) -> bytes:
    made = f"lifecycle.identities_v1(ARRAY[{identity_sql(model, names)}])"
    return bytes(run(f"SELECT {made} FROM {table}")[0][0])


@pytest.mark.django_db
def test_a_migration_leaves_whole_rows_that_ended_before_as_they_are() -> None:
    """Another order, a new column, another width: the same. A column that is no more: none."""
    member = Member.objects.create(email="a@b.c")
    names = "*,email,status,joined_at"
    before = hash_of(Member, names, "zoo_member")
    run("CREATE TEMP TABLE later (status text, joined_at timestamptz, email text, id int, new int)")
    run(
        "INSERT INTO later SELECT status, joined_at, email, id, 1 FROM zoo_member WHERE id = %s",
        member.pk,
    )
    assert hash_of(Member, names, "later") == before
    run("UPDATE later SET email = 'a@b.d'")
    assert hash_of(Member, names, "later") != before
    assert identity_sql(Member, "*,email,gone") is None


@pytest.mark.django_db
def test_long_values_stand_for_themselves_by_their_size() -> None:
    upload = Preference.objects.create(created_at=PAST, data={"days": 1})
    names = hashed(Ticket).replace("expires_at", "data")
    short = hash_of(Preference, names, "zoo_preference")
    Preference.objects.filter(pk=upload.pk).update(data={"days": 2})
    assert hash_of(Preference, names, "zoo_preference") != short
    long = {"text": "".join(map(str, range(20_000)))}
    Preference.objects.filter(pk=upload.pk).update(data=long)
    size = run("SELECT pg_column_size(data) FROM zoo_preference")[0][0]
    assert size > LARGE
    made = hashlib.sha256(salt() + b"\x02" + struct.pack(">iq", size, upload.pk)).digest()[:8]
    assert hash_of(Preference, names, "zoo_preference") == made
