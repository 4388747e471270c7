"""Every way to write a row reaches the ledger."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from lifecycle.models import AgendaEntry, Event
from tests.support import events_of, kinds, run_until_idle, session
from tests.zoo.factories import ExpiredTokenFactory, LiveTokenFactory
from tests.zoo.models import Odd, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)

SOON = datetime(2100, 1, 1, tzinfo=UTC)
LATER = datetime(2101, 1, 1, tzinfo=UTC)


def scheduled(policy: str = "tokens") -> list[tuple[datetime | None, list[str]]]:
    """What the ledger says is due when, by policy."""
    told = Event.objects.filter(kind="expiry_scheduled", policy=policy).order_by("id")
    return [(event.due_at, event.subjects) for event in told]


def execute(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)


INSERT = "INSERT INTO zoo_token (label, active, expires_at) VALUES "


def by_save() -> None:
    Token(expires_at=SOON).save()


def by_bulk_create() -> None:
    Token.objects.bulk_create([Token(expires_at=SOON)])


def by_raw_sql() -> None:
    execute(INSERT + "('', true, %s)", SOON)


def by_copy() -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY zoo_token (label, active, expires_at) FROM STDIN") as copy,
    ):
        copy.write_row(("", True, SOON))


def by_select_into() -> None:
    execute(INSERT.replace("VALUES", "SELECT '', true, %s::timestamptz"), SOON)


def by_cte() -> None:
    execute(f"WITH made AS ({INSERT} ('', true, %s) RETURNING id) SELECT * FROM made", SOON)


def by_other_session() -> None:
    with session() as other:
        other.execute(INSERT + "('', true, %s)", [SOON])


INSERTS = [
    by_save, by_bulk_create, by_raw_sql, by_copy, by_select_into, by_cte, by_other_session,
]  # fmt: skip


@pytest.mark.parametrize("insert", INSERTS, ids=lambda call: call.__name__)
def test_every_insert_is_recorded(insert) -> None:
    insert()
    assert scheduled() == [(SOON, [str(Token.objects.get().pk)])]
    assert AgendaEntry.objects.get(policy="tokens").due_at == SOON


def update_by_save(token: Token) -> None:
    token.expires_at = LATER
    token.save()


def update_by_queryset(token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(expires_at=LATER)


def update_by_bulk(token: Token) -> None:
    token.expires_at = LATER
    Token.objects.bulk_update([token], ["expires_at"])


def update_by_raw_sql(token: Token) -> None:
    execute("UPDATE zoo_token SET expires_at = %s WHERE id = %s", LATER, token.pk)


def update_by_upsert(token: Token) -> None:
    execute(
        "INSERT INTO zoo_token (id, label, active, expires_at) VALUES (%s, '', true, %s)"
        " ON CONFLICT (id) DO UPDATE SET expires_at = EXCLUDED.expires_at",
        token.pk, LATER,
    )  # fmt: skip


def update_by_merge(token: Token) -> None:
    execute(
        "MERGE INTO zoo_token USING (VALUES (%s::bigint, %s::timestamptz)) AS t (id, moment)"
        " ON zoo_token.id = t.id WHEN MATCHED THEN UPDATE SET expires_at = moment",
        token.pk, LATER,
    )  # fmt: skip


UPDATES = [
    update_by_save, update_by_queryset, update_by_bulk, update_by_raw_sql, update_by_upsert,
    update_by_merge,
]  # fmt: skip


@pytest.mark.parametrize("update", UPDATES, ids=lambda call: call.__name__)
def test_every_update_is_recorded(update) -> None:
    token = LiveTokenFactory(expires_at=SOON)
    update(token)
    assert scheduled() == [(SOON, [str(token.pk)]), (LATER, [str(token.pk)])]


def test_merge_records_inserts_updates_and_deletes() -> None:
    changed, removed = LiveTokenFactory(expires_at=SOON), LiveTokenFactory(expires_at=SOON)
    execute(
        "MERGE INTO zoo_token USING (VALUES (%s::bigint, 'u'), (%s::bigint, 'd'), (0, 'i')) AS t"
        " (id, act) ON zoo_token.id = t.id"
        " WHEN MATCHED AND act = 'u' THEN UPDATE SET expires_at = %s"
        " WHEN MATCHED AND act = 'd' THEN DELETE"
        " WHEN NOT MATCHED THEN INSERT (id, label, active, expires_at) VALUES (0, '', true, %s)",
        changed.pk, removed.pk, LATER, SOON,
    )  # fmt: skip
    assert (LATER, [str(changed.pk)]) in scheduled()
    assert (SOON, ["0"]) in scheduled()
    assert Event.objects.get(kind="deleted").subjects == [str(removed.pk)]


@pytest.mark.parametrize("raw", [False, True], ids=["queryset", "raw"])
def test_a_delete_by_the_host_is_recorded(raw: bool) -> None:
    tokens = LiveTokenFactory.create_batch(3)
    if raw:
        execute("DELETE FROM zoo_token")
    else:
        Token.objects.all().delete()
    told = Event.objects.get(kind="deleted")
    assert told.subjects == [str(token.pk) for token in tokens]
    assert (told.policy, told.model, told.run) == ("", "zoo.token", None)


def test_statements_that_touch_no_row_write_nothing() -> None:
    Token.objects.filter(pk=0).update(expires_at=SOON)
    Token.objects.filter(pk=0).delete()
    execute(INSERT.replace("VALUES", "SELECT '', true, now() WHERE false"))
    assert kinds() == []


def test_columns_that_decide_nothing_write_nothing() -> None:
    LiveTokenFactory(expires_at=SOON)
    Token.objects.update(label="other", expires_at=SOON)
    assert kinds() == ["expiry_scheduled"]


def test_a_row_that_never_ends_is_not_listed() -> None:
    Token.objects.create(expires_at=None)
    Token.objects.create(expires_at=SOON, active=False)
    assert kinds() == []


def test_a_condition_that_becomes_true_is_recorded() -> None:
    token = Token.objects.create(expires_at=SOON, active=False)
    Token.objects.update(active=True)
    assert scheduled() == [(SOON, [str(token.pk)])]


def test_a_rolled_back_write_leaves_nothing() -> None:
    with transaction.atomic():
        LiveTokenFactory()
        transaction.set_rollback(True)
    assert (kinds(), AgendaEntry.objects.count()) == ([], 0)


def test_a_rolled_back_savepoint_leaves_nothing() -> None:
    with transaction.atomic():
        stays = LiveTokenFactory(expires_at=SOON)
        with transaction.atomic():
            LiveTokenFactory()
            transaction.set_rollback(True)
    assert scheduled() == [(SOON, [str(stays.pk)])]


def test_a_changed_key_is_listed_under_its_new_name() -> None:
    ticket = Ticket.objects.create(expires_at=timezone.now() - timedelta(seconds=1))
    token = ExpiredTokenFactory()
    Token.objects.update(id=token.pk + 1000)
    Ticket.objects.update(id="00000000-0000-0000-0000-000000000001")
    run_until_idle()
    assert (Token.objects.count(), Ticket.objects.count()) == (0, 0)
    assert "purged" not in events_of(ticket)


def test_truncate_is_recorded() -> None:
    LiveTokenFactory()
    execute("TRUNCATE zoo_token")
    assert Event.objects.filter(kind="truncated", model="zoo.token").exists()
    run_until_idle()


def test_several_policies_each_record_what_concerns_them() -> None:
    token = Token.objects.create(label="short", expires_at=SOON)
    assert scheduled("tokens") == [(SOON, [str(token.pk)])]
    assert scheduled("tokens-short") == [(SOON - timedelta(hours=1), [str(token.pk)])]
    Token.objects.update(label="long")
    assert len(scheduled("tokens")) == 1


def test_quoted_names() -> None:
    gone, stays = (
        Odd.objects.create(select=timezone.now() - timedelta(seconds=9)),
        Odd.objects.create(select=SOON),
    )
    Odd.objects.filter(pk=stays.pk).update(select=LATER)
    run_until_idle()
    assert list(Odd.objects.all()) == [stays]
    assert events_of(gone) == ["expiry_scheduled", "purged"]
