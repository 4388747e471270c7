"""`manage.py lifecycle plan` and `apply`, as docs/how-to/act-on-many-rows.md types them."""

import json
import sys
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.db.models import BooleanField
from django.utils import timezone

from lifecycle import holds
from lifecycle.exceptions import LifecycleError
from lifecycle.models import Event
from purge.models import Plan
from purge.plans import where
from tests.commands.documented import assert_documented
from tests.lifecycle.management.test_commands import fails, manage
from tests.zoo.models import Draft, Person, Token

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


def tokens(count: int, label: str = "a") -> list[Token]:
    later = timezone.now() + 30 * DAY
    return [Token.objects.create(expires_at=later, label=label) for _ in range(count)]


def made(*words: str) -> int:
    told = manage("lifecycle", "plan", *words, "--reason", "case", "--actor", "jo", "--json")
    return int(json.loads(told)["number"])


def test_rows_are_held_by_a_plan() -> None:
    tokens(2)
    other = tokens(1, "b")[0]
    told = manage(
        "lifecycle", "plan", "hold", "zoo.Token", "--where", "label=a", "--where", "active=true",
        "--reason", "claim", "--reference", "CASE-12", "--actor", "jo",
    )  # fmt: skip
    number = Plan.objects.get().pk
    assert told.startswith(f"Plan {number}: hold 2 rows of zoo.Token\n")
    assert "where     label__exact=a, active__exact=true" in told
    assert holds() == []
    shown = manage("lifecycle", "apply", str(number), "--confirm", "2", "--actor", "jo", "--now")
    assert "done " in shown
    assert ": 2 of 2 rows" in shown
    (held,) = holds()
    assert (held.rows, held.reference) == (2, "CASE-12")
    assert other.pk not in Event.objects.get(kind="hold_placed").subjects


def test_what_is_left_out_is_listed() -> None:
    first, second = tokens(2)
    number = made("purge", "zoo.Token", "--where", "label=a", "--policy", "tokens")
    first.save()
    manage("lifecycle", "apply", str(number), "--confirm", "2", "--now")
    shown = manage("lifecycle", "plan", "show", str(number))
    assert "1 of 2 rows" in shown
    assert f"changed: zoo.Token:{first.pk}" in shown
    data = json.loads(manage("lifecycle", "plan", "show", str(number), "--json"))
    assert_documented("lifecycle plan", data)
    assert (data["acted"], data["left"]) == (1, {"changed": 1})
    assert data["left_out"] == {"changed": [f"zoo.Token:{first.pk}"]}
    assert not Token.objects.filter(pk=second.pk).exists()


def test_what_goes_along_is_shown() -> None:
    draft = Draft.objects.create(created_at=timezone.now())
    number = made("purge", "zoo.Draft", "--all")
    shown = manage("lifecycle", "plan", "show", str(number))
    assert "would     1 purged, of the first 1" in shown
    assert f"rows      zoo.Draft:{draft.pk}" in shown


@pytest.mark.slow
def test_a_second_person(settings: Any) -> None:
    settings.LIFECYCLE_TWO_PERSON = True
    tokens(1)
    number = str(made("hold", "zoo.Token", "--all"))
    assert "waits for a second person" in manage("lifecycle", "plan", "show", number)
    assert "second person" in fails("lifecycle", "apply", number, "--confirm", "1")
    assert "approved  by kim" in manage("lifecycle", "plan", "approve", number, "--actor", "kim")
    manage("lifecycle", "apply", number, "--confirm", "1", "--now")
    assert len(holds()) == 1


def test_the_worker_does_it_and_it_is_listed() -> None:
    tokens(1)
    assert manage("lifecycle", "plan", "list") == "There is no plan.\n"
    number = made("hold", "zoo.Token", "--all")
    assert "being applied" in manage("lifecycle", "apply", str(number), "--confirm", "1")
    assert holds() == []
    manage("purge")
    assert len(holds()) == 1
    assert manage("lifecycle", "plan", "list") == f"{number}: hold 1 rows of zoo.token: done\n"
    (data,) = every = json.loads(manage("lifecycle", "plan", "list", "--json"))
    assert_documented("lifecycle plan", every)
    assert data["state"] == "done"


def test_one_is_withdrawn() -> None:
    tokens(1)
    number = str(made("hold", "zoo.Token", "--all"))
    assert "withdrawn" in manage("lifecycle", "plan", "withdraw", number)
    assert "withdrawn" in fails("lifecycle", "apply", number, "--confirm", "1")


class Terminal(StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


def test_the_count_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens(2)
    number = str(made("hold", "zoo.Token", "--all"))
    assert "say --confirm" in fails("lifecycle", "apply", number)
    monkeypatch.setattr(sys, "stdin", Terminal("1\n"))
    assert "has not 1 rows" in fails("lifecycle", "apply", number)
    monkeypatch.setattr(sys, "stdin", Terminal("all\n"))
    assert "nothing was begun" in fails("lifecycle", "apply", number)
    monkeypatch.setattr(sys, "stdin", Terminal("2\n"))
    assert "Type the number of rows" in manage("lifecycle", "apply", number)


@pytest.mark.parametrize(
    ("model", "condition"),
    [
        ("Sensor", "address=ann"),
        ("Sensor", "address__in=ann,ben"),
        ("Order", "grace=99999999999999999999ann"),
        ("Order", "grace=99999999999999999999999"),
    ],
)
def test_a_value_that_no_row_can_have_is_refused_unread(model: str, condition: str) -> None:
    """Without the value, which may be of a person; nor does a traceback have it."""
    told = fails("lifecycle", "plan", "hold", f"zoo.{model}", "--where", condition, "--reason", "r")
    assert "no value" in told
    assert "ann" not in told


def test_an_empty_value_is_not_none() -> None:
    """What a script's empty variable leaves must not mean every row without one."""
    with pytest.raises(LifecycleError, match="no value"):
        where._one(BooleanField(null=True, name="asked"), "exact", "")


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("label", "is written as field__lookup=value"),
        ("=a", "is written as field__lookup=value"),
        ("lable=a", "Did you mean 'label'"),
        ("draft__title=a", "has no column 'draft'"),
        ("label__regex=a", "is no lookup"),
        ("expires_at__year=2030", "is no lookup"),
        ("expires_at__date__gt=2030-01-01", "is no lookup"),
        ("id=secret", "no value for id"),
        ("active__isnull=perhaps", "is true or false"),
        ("id__range=1", "takes two values"),
        ("expires_at__lt=soon", "no value for expires_at: write 2030-12-31"),
        ("id__contains__in=1", "is no lookup"),
    ],
)
def test_a_condition_is_one_on_a_column(condition: str, says: str) -> None:
    tokens(1)
    told = fails("lifecycle", "plan", "hold", "zoo.Token", "--where", condition, "--reason", "r")
    assert says in told
    assert "secret" not in told
    assert not Plan.objects.exists()


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("label=a", 3), ("label__in=a,b", 4), ("id__gt=0", 4), ("label__startswith=b", 1),
        ("expires_at__gt=2020-01-01", 4), ("expires_at__isnull=true", 0), ("active=false", 0),
        ("id__range=0,1000000000", 4),
    ],
)  # fmt: skip
def test_conditions(condition: str, count: int) -> None:
    tokens(3)
    tokens(1, "b")
    words = ("hold", "zoo.Token", "--where", condition, "--reason", "r")
    if count:
        assert f"hold {count} rows" in manage("lifecycle", "plan", *words)
    else:
        assert "No row of zoo.Token matches" in fails("lifecycle", "plan", *words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("hold",), "Say of which model"),
        (("hold", "zoo.Token"), "Say which rows"),
        (("hold", "zoo.Token", "--all", "--where", "id=1"), "Say which rows"),
        (("hold", "zoo.Nothing", "--all"), "There is no model"),
        (("purge", "zoo.Person", "--all"), "only on request"),
        (("show",), "by its number"),
        (("show", "99999999"), "There is no plan 99999999"),
        (("approve", "99999999"), "There is no plan 99999999"),
    ],
)
def test_refused(words: tuple[str, ...], says: str) -> None:
    Person.objects.create()
    assert says in fails("lifecycle", "plan", *words, "--reason", "r")
    assert "There is no plan" in fails("lifecycle", "apply", "99999999", "--confirm", "1")
