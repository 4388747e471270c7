"""Due times: the ends of time, sessions in other zones, many at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from lifecycle import live
from lifecycle.models import AgendaEntry, Event
from tests.clock import pass_time
from tests.support import database_now, events_of, let_pass, run_until_idle, session
from tests.zoo.factories import ExpiredPreferenceFactory
from tests.zoo.models import Draft, Preference, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)

INSERT = "INSERT INTO zoo_token (label, active, expires_at) VALUES ('{label}', true, '{moment}')"


def execute(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)


def insert(moment: str, label: str = "") -> None:
    execute(INSERT.format(moment=moment, label=label))


@pytest.mark.parametrize("moment", ["infinity", "10000-01-01 00:00+00", "294276-12-31 00:00+00"])
def test_what_comes_after_all_time_never_ends(moment: str) -> None:
    insert(moment, label="short")
    run_until_idle()
    assert Token.objects.count() == 1
    assert live(Token).count() == 1
    assert not AgendaEntry.objects.exists()


@pytest.mark.parametrize("moment", ["-infinity", "4714-11-24 00:00+00 BC", "0001-01-01 00:00+00"])
def test_what_came_before_all_time_ends_now(moment: str) -> None:
    insert(moment)
    assert live(Token).count() == 0
    entry = AgendaEntry.objects.select_related("event").get()
    assert entry.due_at == entry.event.recorded_at  # looked at now, not 2,000 years ago
    assert all(event.due_at is None or event.due_at.year == 1 for event in Event.objects.all())
    run_until_idle()
    assert not Token.objects.exists()


@pytest.mark.parametrize("moment", ["-infinity", "0044-03-15 00:00+00 BC", "infinity"])
def test_the_ends_of_time_by_update(moment: str) -> None:
    execute(INSERT.format(moment="2100-01-01 00:00+00", label="short"))
    execute(f"UPDATE zoo_token SET expires_at = '{moment}'")
    run_until_idle()
    assert Token.objects.count() == (1 if moment == "infinity" else 0)
    execute("UPDATE zoo_token SET expires_at = now() - interval '1 hour'")
    run_until_idle()
    assert not Token.objects.exists()


def test_the_last_second_that_python_knows() -> None:
    insert("9998-12-31 23:59:59.999999+00")
    assert AgendaEntry.objects.get().due_at == datetime(9999, 1, 1, tzinfo=UTC)


def test_due_times_are_listed_rounded_up() -> None:
    insert("2100-01-01 00:00:00.000001+00")
    insert("2100-01-01 00:00:01+00")
    dues = AgendaEntry.objects.values_list("due_at", flat=True)
    assert {*dues} == {datetime(2100, 1, 1, 0, 0, 1, tzinfo=UTC)}


# The clocks of New York: an hour is missing on 14 March, and comes twice on 7 November 2100.
CHANGES = ["2100-03-13 12:00-05", "2100-11-06 12:00-04"]


@pytest.mark.parametrize("created", CHANGES)
def test_a_day_is_86_400_seconds_in_new_york(created: str) -> None:
    with session(options="-c timezone=America/New_York") as other:
        other.execute(
            "INSERT INTO zoo_draft (title, status, created_at) VALUES ('', 'draft', %s)", [created]
        )
        other.execute("UPDATE zoo_draft SET created_at = created_at + interval '1 minute'")
        other.execute("UPDATE zoo_draft SET created_at = created_at - interval '1 minute'")
    draft = Draft.objects.get()
    due = Event.objects.filter(kind="expiry_scheduled").latest("id").due_at
    assert due - draft.created_at == timedelta(seconds=86_400)


@pytest.fixture
def new_york() -> Iterator[None]:
    """This process's own sessions, as a site whose database is not on UTC has them."""
    use_zone("America/New_York")
    yield
    use_zone(None)


def use_zone(name: str | None) -> None:
    connection.close()
    connection.settings_dict["TIME_ZONE"] = name
    for cached in ("timezone", "timezone_name"):
        vars(connections["default"]).pop(cached, None)


@pytest.mark.usefixtures("new_york")
@pytest.mark.parametrize("created", CHANGES)
def test_the_stored_definition_counts_seconds_in_new_york(created: str) -> None:
    execute(f"INSERT INTO zoo_draft (title, status, created_at) VALUES ('', 'draft', '{created}')")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('timezone')")
        assert cursor.fetchone() == ("America/New_York",)
        cursor.execute("SELECT state_sql, due_sql FROM lifecycle_policy WHERE name = 'drafts'")
        for code in cursor.fetchone():
            cursor.execute(
                f"SELECT extract(epoch FROM due - '{created}'::timestamptz) FROM ({code}) AS t"
            )
            assert cursor.fetchone() == (86_400,)
    assert "86400" in str(live(Draft).query)
    assert "1 day" not in str(live(Draft).query)


@pytest.mark.usefixtures("new_york")
def test_the_whole_life_in_new_york() -> None:
    day = timedelta(seconds=86_400)
    fresh = Draft.objects.create(created_at=timezone.now() - day + timedelta(minutes=1))
    over = Draft.objects.create(created_at=timezone.now() - day - timedelta(seconds=1))
    run_until_idle()
    assert set(live(Draft)) == {fresh}
    let_pass(timedelta(hours=1, seconds=5))
    run_until_idle()
    assert events_of(over) == ["expiry_scheduled", "tombstoned", "purged"]
    assert events_of(fresh) == ["expiry_scheduled", "tombstoned"]


@pytest.mark.slow
def test_more_than_a_hundred_due_times_in_one_statement_are_few_events_and_none_is_late() -> None:
    start = database_now() + timedelta(hours=1)
    Ticket.objects.bulk_create(
        [Ticket(expires_at=start + timedelta(minutes=minute)) for minute in range(1_000)]
    )
    assert Event.objects.filter(kind="expiry_scheduled").count() <= 101
    for minutes in (1, 60, 7, 500, 432):
        pass_time(minutes=minutes)
        run_until_idle()
        due = Ticket.objects.filter(expires_at__lte=database_now())
        assert not due.exists()
    assert 0 <= Ticket.objects.count() < 100
    pass_time(minutes=100)
    run_until_idle()
    assert not Ticket.objects.exists()
    assert Event.objects.filter(kind="purged").count() >= 5


def test_rows_that_never_end_among_many_due_times() -> None:
    start = timezone.now() - timedelta(hours=1)
    Ticket.objects.bulk_create(
        [
            Ticket(expires_at=None if n % 3 else start + timedelta(seconds=n - 400))
            for n in range(900)
        ]
    )
    run_until_idle()
    assert Ticket.objects.count() == 600
    assert not Ticket.objects.exclude(expires_at=None).exists()


def test_an_end_in_json() -> None:
    over = ExpiredPreferenceFactory()
    never = ExpiredPreferenceFactory(data={})
    later = ExpiredPreferenceFactory(data={"days": 3})
    run_until_idle()
    assert set(Preference.objects.all()) == {never, later}
    assert events_of(over) == ["expiry_scheduled", "purged"]
