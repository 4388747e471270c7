"""What people are told of partitions: status, why, forecast, checks; and what is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import models
from django.db.models import F
from django.db.models.signals import post_delete

from lifecycle import Partitions, Policy, expire_now, hold, hold_rows, restore
from lifecycle.exceptions import LifecycleError, PolicyError
from lifecycle.insight.forecast import forecast
from lifecycle.insight.status import statuses
from lifecycle.insight.why import why
from lifecycle.models import Event
from lifecycle.policy.partitions import why_unfit
from lifecycle.policy.registry import get_policy
from purge import erase
from purge.runner import run_due
from tests.purge.partitions import tables
from tests.purge.partitions.tables import run, there, write

pytestmark = pytest.mark.django_db(transaction=True)
OLD, OLDER, LATE = "2020-01-15T00:00Z", "2019-12-15T00:00Z", "2020-02-15T00:00Z"


def status() -> Any:
    return next(each for each in statuses() if each.policy == "pings")


def says(row: Any) -> str:
    return why(type(row), str(row.pk)).verdicts[0].says


def ids() -> list[str | None]:
    found = run_checks(databases=["default"])
    return sorted(str(m.id) for m in found if getattr(m.obj, "name", "") == "pings")


def test_status_and_why(pings: Any) -> None:
    old, late, held = (pings.objects.get(pk=pk) for pk in write(OLD, LATE, OLDER))
    assert says(old) == "is past its end, and goes with its partition: " + (
        "it is put on the agenda within a minute"
    )
    hold(held, reference="CASE-1")
    run_due()
    assert says(late) == "is past its end, and goes with its partition: it is not over yet"
    told = status()
    assert (told.capture, told.scheduled, told.problems) == ("partitions", 1, [])
    assert "held (hold" in says(held)
    call_command("lifecycle", "status")
    call_command("lifecycle", "why", f"zoo.Ping:{held.pk}")


def test_why_says_when_a_partition_goes_that_is_not_listed_yet(pings: Any) -> None:
    (old,), (late,), (new,) = write(OLD), write(LATE), write("2998-12-31T00:00Z")

    def next_of(pk: int) -> str:
        return str(why(pings, str(pk)).says).removeprefix("It is in the database. ")

    assert next_of(old).startswith("Next: pings, at ")
    assert next_of(late) == next_of(new) == "Next: pings, at 2999-04-01 00:00:00 UTC."
    run("ALTER TABLE zoo_ping DETACH PARTITION zoo_ping_late", "DROP TABLE zoo_ping_late")
    tables.partition("late", "2020-02-01", "MAXVALUE")
    (never,) = write(LATE)
    assert next_of(never) == "Nothing will end it."


def test_a_partition_that_a_row_keeps_says_so(pings: Any) -> None:
    other, held = (pings.objects.get(pk=pk) for pk in write(OLD, OLD))
    hold(held, reference="CASE-1")
    run_due()
    told = says(other)
    assert told.startswith("is past its end, and its partition waits: a row of it is held")


def test_the_forecast_counts_what_is_due(pings: Any) -> None:
    write(OLD, OLDER, LATE)
    call_command("purge", "--dry-run")
    found = forecast(get_policy("pings"))
    assert found.past == 3
    assert not found.over


def test_no_row_ends_or_comes_back_by_itself(pings: Any) -> None:
    (pk,) = write(OLD)
    row = pings.objects.get(pk=pk)
    for act in (expire_now, restore, lambda row: erase(row, reference="R-1", actor="jo")):
        with pytest.raises(LifecycleError, match="end with their partitions"):
            act(row)


def test_what_the_catalogue_says_is_told(pings: Any) -> None:
    run("CREATE TABLE zoo_ping_rest PARTITION OF zoo_ping DEFAULT")
    assert ids() == ["lifecycle.W055"]
    assert status().problems == [
        "public.zoo_ping_rest stays: it is the default partition: what is in it never ends"
    ]
    run("CREATE TABLE zoo_pong (id bigint, at timestamptz)")
    run("ALTER TABLE zoo_pong ADD FOREIGN KEY (id, at) REFERENCES zoo_ping")
    assert status().problems[-1].endswith("stays: a foreign key refers to the table")
    write(OLD)
    run_due()
    assert len(there()) == 4
    run("DROP TABLE zoo_pong")


def test_a_receiver_keeps_partitions(pings: Any) -> None:
    write(OLD)

    def heard(**kwargs: Any) -> None: ...

    post_delete.connect(heard, sender=pings)
    try:
        assert ids() == ["lifecycle.E056"]
        run_due()
        assert len(there()) == 3
        assert "post_delete" in status().problems[-1]
    finally:
        post_delete.disconnect(heard, sender=pings)


@pytest.mark.slow
def test_another_model_of_the_table_is_asked_too(pings: Any) -> None:
    """The site's own, of which the policy's is a copy with a simple key."""

    def heard(**kwargs: Any) -> None: ...

    with beside() as other:
        post_delete.connect(heard, sender=other)
        try:
            assert ids() == ["lifecycle.E056"]
            write(OLD)
            run_due()
            assert len(there()) == 3
            (told,) = Event.objects.filter(kind="blocked", count=1)[:1]
            assert told.detail["error"] == "unfit"
        finally:
            post_delete.disconnect(heard, sender=other)


@contextmanager
def beside(**fields: Any) -> Iterator[Any]:
    """Another model of the table, on which no policy is."""
    other = tables.model(__qualname__="Pong", **fields)
    other._meta.model_name, other._meta.object_name = "pong", "Pong"
    apps.all_models["zoo"]["pong"] = other
    apps.clear_cache()
    try:
        yield other
    finally:
        del apps.all_models["zoo"]["pong"]
        apps.clear_cache()


def test_a_hold_that_the_policy_would_not_ask_for_is_refused(pings: Any) -> None:
    """Of another model of the table: under its name the policy finds no hold."""
    write(OLD)
    with beside() as other:
        for act in (lambda: hold(other.objects.get()), lambda: hold_rows(other.objects.all())):
            with pytest.raises(LifecycleError, match="policy on its table"):
                act()
    composite = {"pk": models.CompositePrimaryKey("id", "created"), "id": models.BigIntegerField()}
    with (
        beside(**composite) as other,
        pytest.raises(LifecycleError, match="policy on its table"),
    ):
        hold(other.objects.get())
    hold(pings.objects.get())
    run_due()
    assert "zoo_ping_old" in there()


def test_a_preview_does_not_promise_what_backfill_does_not_do(
    pings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write(LATE)
    call_command("lifecycle", "enable", "pings", "--dry-run")
    told = capsys.readouterr().out
    assert "At least 1 rows with an end are in partitions that are not listed" in told
    assert "backfill" not in told


def test_a_cap_that_no_partition_fits_is_told(pings: Any, policy_with: Any) -> None:
    write(*[OLD] * 9)
    run("ANALYZE zoo_ping_old")
    policy_with(cap_rows=8, cap_fraction=0)
    assert ids() == ["lifecycle.W056"]


@pytest.mark.parametrize(
    ("options", "why_not"),
    [
        ({"grace": tables.DAYS}, "goes at once"),
        ({"expires": F("created") + timedelta(days=400_000)}, "a thousand years"),
        ({"expires": F("created") + timedelta(days=-1)}, "of zero to"),
        ({"identity": ["pk"]}, "counted"),
        ({"holds": "enforced"}, "needs triggers"),
    ],
)
def test_what_a_policy_cannot_say(options: Any, why_not: str) -> None:
    with pytest.raises(PolicyError, match=why_not), tables.declared(tables.model(), **options):
        pass


@pytest.mark.parametrize(
    ("key", "fits"),
    [
        (models.PositiveIntegerField, True),
        (models.PositiveSmallIntegerField, True),
        (models.SmallAutoField, True),
        (models.UUIDField, True),
        (models.TextField, False),
    ],
)
def test_its_key_is_a_whole_number_or_a_uuid(key: type[Any], fits: bool) -> None:
    own = tables.model(id=key(primary_key=True))
    policy = Policy("pings", own, expires=F("created") + tables.DAYS, capture=Partitions())
    assert ("its key" not in why_unfit(policy)) is fits
