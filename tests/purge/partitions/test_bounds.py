"""Bounds as the catalogue has them: zones, dates, no end, and names that want quotes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, models
from django.db.models import F, Q
from django.test.utils import CaptureQueriesContext

from lifecycle import hold
from lifecycle.ledger.partitions_due import look_at
from lifecycle.models import AgendaEntry, Event
from purge.runner import run_due
from tests.keys.hostile import database
from tests.purge.partitions import tables
from tests.purge.partitions.tables import DAYS, run

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def table(moment: str = "timestamptz", **partitions: tuple[str, str]) -> Iterator[None]:
    tables.make(moment=moment, **partitions)
    try:
        yield
    finally:
        run("DROP TABLE IF EXISTS zoo_ping")


def dues() -> dict[str, str | None]:
    text = (
        "SELECT low, to_json(due AT TIME ZONE 'UTC') #>> '{}' FROM lifecycle.partitions_v1('pings')"
    )
    return dict(run(f"{text} WHERE problem = ''"))


def left() -> list[str]:
    return [str(low) for low in sorted(dues(), key=str)]


@pytest.mark.parametrize(("moment", "hours"), [("timestamptz", 0), ("timestamp", 12), ("date", 12)])
def test_a_partition_is_due_when_its_last_row_is_past_its_end_in_every_zone(
    moment: str, hours: int
) -> None:
    field = models.DateField() if moment == "date" else models.DateTimeField()
    with (
        table(moment, old=("2020-01-01", "2020-02-01")),
        tables.declared(tables.model(created=field)),
    ):
        run("INSERT INTO zoo_ping (created) VALUES ('2020-01-31')")
        run("SET timezone = 'Pacific/Kiritimati'")
        (due,) = dues().values()
        run("SET timezone = 'UTC'")
        assert due == f"2020-05-01T{hours:02}:00:00"
        run_due()
        assert left() == []


def test_what_has_no_end_never_goes() -> None:
    with (
        table(
            first=("MINVALUE", "2020-01-01"),
            ever=("2020-01-01", "infinity"),
        ),
        tables.declared(tables.model()),
    ):
        run(
            "INSERT INTO zoo_ping (created) VALUES ('-infinity'), ('0044-03-15 BC'), ('2020-01-02')"
        )
        run_due()
        assert run("SELECT count(*) FROM zoo_ping") == [(1,)]
        assert left() == ["2020-01-01 00:00:00+00"]
        run("INSERT INTO zoo_ping (created) VALUES ('2021-01-01')")
        run_due()
        assert not AgendaEntry.objects.exists()


def test_the_last_one_up_to_maxvalue_never_goes() -> None:
    with table(ever=("2020-01-01", "MAXVALUE")), tables.declared(tables.model()):
        run("INSERT INTO zoo_ping (created) VALUES ('2020-01-02')")
        run_due()
        assert run("SELECT count(*) FROM zoo_ping") == [(1,)]


def test_bounds_within_a_second() -> None:
    low, high = "2020-01-01 00:00:00.25+00", "2020-01-01 00:00:00.75+00"
    with table(old=(low, high)), tables.declared(tables.model()):
        run("INSERT INTO zoo_ping (created) VALUES ('2020-01-01 00:00:00.5+00')")
        run_due()
        assert left() == []


def test_names_that_want_quotes_and_another_schema() -> None:
    strange = '"Par""t\'s 100%%".";DROP TABLE zoo_ping; --"'
    with table(), tables.declared(tables.model()):
        run('CREATE SCHEMA "Par""t\'s 100%%"')
        run(
            f"CREATE TABLE {strange} PARTITION OF zoo_ping"
            " FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')",
            "INSERT INTO zoo_ping (created) VALUES ('2020-01-15')",
        )
        run_due()
        assert run("SELECT count(*) FROM zoo_ping") == [(0,)]
        assert Event.objects.get(kind="purged").detail["partition"] == strange
        run('DROP SCHEMA "Par""t\'s 100%%"')


def test_settings_of_the_database_change_nothing() -> None:
    with table(old=("2020-01-01", "2020-02-01")), database(), tables.declared(tables.model()):
        run("INSERT INTO zoo_ping (created) VALUES ('2020-01-15')")
        run("SET quote_all_identifiers = on")
        run_due()
        assert left() == []
        assert Event.objects.get(kind="purged").detail["partition"] == "public.zoo_ping_old"


def test_a_row_that_when_leaves_out_or_keep_while_keeps_keeps_all() -> None:
    kept = {"when": ~Q(note="stay"), "keep_while": Q(note="keep"), "expires": F("created") + DAYS}
    parts: dict[str, Any] = {
        "a": ("2020-01-01", "2020-02-01"), "b": ("2020-02-01", "2020-03-01"),
        "c": ("2020-03-01", "2020-04-01"),
    }  # fmt: skip
    with table(**parts), tables.declared(tables.model(), **kept):
        rows = "('2020-01-15', 'keep'), ('2020-01-15', ''), ('2020-02-15', 'stay')"
        rows += ", ('2020-02-15', ''), ('2020-03-15', '')"
        run(f"INSERT INTO zoo_ping (created, note) VALUES {rows}")
        run_due()
        assert run("SELECT count(*) FROM zoo_ping") == [(4,)]
        kinds = [each.event.kind for each in AgendaEntry.objects.order_by("event_id")]
        assert kinds == ["kept", "blocked"]
        assert Event.objects.get(kind="blocked").detail["error"] == "left_out"


def test_uuid_keys_can_be_held() -> None:
    tables.make(key="uuid DEFAULT gen_random_uuid()", old=("2020-01-01", "2020-02-01"))
    own = tables.model(id=models.UUIDField(primary_key=True))
    try:
        with tables.declared(own):
            run("INSERT INTO zoo_ping (created) VALUES ('2020-01-15'), ('2020-01-15')")
            hold(own.objects.first())
            run_due()
            assert own.objects.count() == 2
    finally:
        run("DROP TABLE zoo_ping")


def test_a_look_reads_no_other_partition() -> None:
    parts: dict[str, Any] = {"a": ("2020-01-01", "2020-02-01"), "b": ("2020-02-01", "2020-03-01")}
    with table(**parts), tables.declared(tables.model(), when=~Q(note="stay")) as policy:
        with CaptureQueriesContext(connection) as asked:
            found = look_at(policy, "2020-01-01 00:00:00+00", "2020-02-01 00:00:00+00", "default")
        assert found == (0, 0, 0, 0)
        plan = "\n".join(line for (line,) in run(f"EXPLAIN {asked[0]['sql']}"))
        assert "zoo_ping_a" in plan
        assert "zoo_ping_b" not in plan
