"""Several ends of the same rows: `Stages`."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.contrib.postgres.functions import TransactionNow
from django.db import connection, models
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Concat, Lower, Now, NullIf
from django.test.utils import isolate_apps
from django.utils import timezone

from lifecycle import Archive, KeepNewest, Policy, Purge, Stage, Stages, Update, Window
from lifecycle.checks.stages import STAGES
from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.exceptions import PolicyError
from lifecycle.insight import declared
from lifecycle.policy.registry import get_policy
from lifecycle.policy.stages import in_turn, stages_of
from tests.lifecycle.checks.test_declarations import declared as registered
from tests.zoo.models import Leaver, Unpaid

DAY = timedelta(days=1)
EMPTY = Stage("empty", 10 * DAY, Update(email=None))
GONE = Stage("go", 20 * DAY)


def some(*stages: Any, **options: Any) -> Stages:
    return Stages("some", Leaver, *(stages or (EMPTY, GONE)), **{"since": "left_at"} | options)


def test_each_stage_is_a_policy_and_shares_what_is_not_its_own() -> None:
    own = Stage("go", 20 * DAY, Archive("leavers/"), cap_rows=5, previously="gone")
    first, last = some(EMPTY, own, basis="Art. 6", cap_rows=7, grace=DAY).policies
    assert (first.name, last.name) == ("some-empty", "some-go")
    assert (first.cap_rows, last.cap_rows) == (7, 5)
    assert (first.grace, last.grace) == (timedelta(0), DAY)
    assert first.basis == last.basis == "Art. 6"
    assert (first.previously, last.previously) == (None, "gone")
    assert isinstance(last.disposition, Archive)
    assert some(EMPTY, GONE).policies[-1].when == Q()


def test_a_new_name_is_one_of_each_stage() -> None:
    found = some(previously="before").policies
    assert [each.previously for each in found] == ["before-empty", "before-go"]


def test_the_declaration_is_the_same_in_each_process() -> None:
    values = {
        "name": Concat(Value("leaver "), "pk"), "email": None,
        "emptied_at": Now(), "regular": Q(name="a"),
    }  # fmt: skip

    def prints(**changed: Any) -> list[str]:
        found = some(Stage("empty", 10 * DAY, Update(**values | changed)), GONE).policies
        return [fingerprint(each) for each in found]

    assert prints() == prints()
    assert prints()[0] != prints(email="")[0]
    assert prints()[1] == prints(email="")[1]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: some(EMPTY), "two or more"),
        (lambda: some(EMPTY, Policy("go", Leaver, expires="left_at")), "two or more"),
        (lambda: some(EMPTY, Stage("go", 10 * DAY)), "go must come later than empty"),
        (lambda: some(EMPTY, Stage("go", 9 * DAY)), "go must come later than empty"),
        (lambda: some(EMPTY, Stage("empty", 20 * DAY)), "two of them are named empty"),
        (lambda: some(Stage("go", DAY), Stage("empty", 9 * DAY, Update(name=""))), "go deletes"),
        (lambda: some(EMPTY, Stage("more", 9 * DAY, Update(name="")), GONE), "later than empty"),
        (lambda: some(EMPTY, Stage("more", 20 * DAY, Update(name="")), grace=DAY), "no grace"),
        (lambda: some(since=""), "since is the name"),
        (lambda: some(when="regular"), "when must be a Q"),
        (lambda: some(expires="left_at"), "no option 'expires'"),
        (lambda: some(disposition=Purge()), "no option 'disposition'"),
        (lambda: some(on_request=True), "no option 'on_request'"),
        (lambda: some(cap_row=1), "no option 'cap_row'"),
        (lambda: some(cap_rows=0), "'some-empty': cap_rows"),
        (lambda: some(capture=Window("1 day")), "needs Rows"),
        (lambda: some(keep_while=KeepNewest(3, by="left_at")), "cannot be counted"),
        (lambda: some(keep_while={"new": KeepNewest(3, by="left_at")}), "cannot be counted"),
        (lambda: Stage("go", DAY, grace=DAY), "no option 'grace' of its own"),
        (lambda: Stage("go", DAY, when=Q()), "no option 'when' of its own"),
        (lambda: Stage("go", 10), "must be a timedelta"),  # type: ignore[arg-type]
        (lambda: Stage("go", -DAY), "must be a timedelta"),
        (lambda: some(EMPTY, Stage("Go", 20 * DAY)), "name must be"),
        (lambda: some(EMPTY, Stage("go", 20 * DAY, "delete")), "disposition must be"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_is_refused(made: Any, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        made()


def ids(stages: Stages) -> list[str]:
    return [str(m.id) for policy in stages.policies for check in STAGES for m in check(policy)]


SETS = Stage("empty", DAY, Update(email=None, regular=True))
NEWEST = {"new": KeepNewest(1, per="email", by="left_at")}
UNPAID = Exists(Unpaid.objects.filter(leaver=OuterRef("pk")))
MAILED = Exists(Unpaid.objects.filter(leaver=OuterRef("pk"), leaver__email__isnull=False))
SAME = Leaver.objects.filter(pk=OuterRef("pk"))


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (some(), 0),
        (some(keep_while=UNPAID, when=Q(regular=False)), 0),
        (some(Stage("empty", DAY, Update(left_at=None)), GONE), 1),
        (some(SETS, GONE, when=Q(regular=False)), 1),
        (some(keep_while=Q(email="a@example.com")), 1),
        (some(EMPTY, Stage("go", 20 * DAY, keep_while=Q(email="a"))), 1),
        (some(EMPTY, Stage("go", 20 * DAY, keep_while=NEWEST)), 1),
        (some(keep_while=MAILED), 1),
        (some(keep_while={"mailed": MAILED, "unpaid": UNPAID}), 1),
        (some(keep_while=Exists(SAME.filter(email="a"))), 1),
        (some(keep_while=Q(name=Subquery(SAME.values("email")))), 1),
        (some(keep_while=Q(unpaid__leaver__email="a")), 1),
        (some(Stage("empty", DAY, Update(left_at=None)), GONE, since="left_at__date"), 1),
        (some(identity=["pk", "email"]), 1),
        (some(EMPTY, Stage("more", 20 * DAY, Update(email=""))), 1),
        (some(EMPTY, Stage("more", 20 * DAY, Update(name=F("email")))), 1),
        (some(Stage("empty", DAY, Update(name=F("email"), email=None)), GONE), 1),
        (some(Stage("empty", DAY, Update(name=Lower("name"), email=None)), GONE), 0),
        (some(Stage("empty", DAY, Update(regular=~Q(name="a"))), GONE), 0),
        (some(Stage("empty", DAY, Update(regular=Q(name="a"), name="")), GONE), 1),
    ],
)  # fmt: skip
def test_a_stage_that_changes_what_others_go_by_is_an_error(found: Stages, wrong: int) -> None:
    assert ids(found) == ["lifecycle.E050"] * wrong


@isolate_apps("tests.zoo")
def test_a_stage_that_changes_a_generated_column_that_others_go_by_is_an_error() -> None:
    class Generated(models.Model):
        left_at = models.DateTimeField(null=True)
        email = models.EmailField(null=True)  # noqa: DJ001
        label = models.TextField()
        ends_at = models.GeneratedField(
            expression=Case(When(email__isnull=False, then="left_at")),
            output_field=models.DateTimeField(null=True),
            db_persist=True,
        )
        low = models.GeneratedField(
            expression=Lower("email"), output_field=models.TextField(null=True), db_persist=True
        )

        class Meta:
            app_label = "zoo"

    def found(since: str, **values: Any) -> list[str]:
        return ids(Stages("some", Generated, Stage("e", DAY, Update(**values)), GONE, since=since))

    assert found("left_at", email=None) == []
    assert found("ends_at", email=None) == ["lifecycle.E050"]
    assert found("left_at", email=None, label=F("low")) == ["lifecycle.E050"]


def test_a_stage_sets_nothing_that_another_policy_tells_rows_of_the_table_by() -> None:
    other = Policy("other", Leaver, expires="left_at", identity=["pk", "email"])
    assert ids(some()) == []
    with registered(other):
        assert ids(some()) == ["lifecycle.E050"]


def test_what_is_to_be_emptied_comes_before_an_archive_and_after_a_deletion() -> None:
    more = Stage("more", 15 * DAY, Update(name=""))
    archived = Stage("go", 20 * DAY, Archive("leavers/"))

    def order(last: Stage) -> list[str]:
        found = some(EMPTY, more, last).policies
        return [p.name for p in sorted(found, key=lambda each: in_turn(each, each.name))]

    assert order(GONE) == ["some-go", "some-more", "some-empty"]
    assert order(archived) == ["some-empty", "some-more", "some-go"]


@pytest.mark.django_db
def test_an_archive_takes_what_all_stages_before_have_set_and_nothing_else() -> None:
    """NULLs, expressions over the row and moments included: a row is of one side or the other."""
    named = Update(name=Concat(Value("leaver "), Cast("pk", CharField())), emptied_at=Now())
    stages = [EMPTY, Stage("more", 15 * DAY, named), Stage("go", 20 * DAY, Archive("leavers/"))]
    *updates, archive = some(*stages, when=Q(regular=False)).policies
    past = timezone.now() - 30 * DAY
    for name, email, emptied in product(("", "jo"), (None, "jo@example.com"), (None, past)):
        Leaver.objects.create(name=name, email=email, emptied_at=emptied, left_at=past)
    assert not Leaver.objects.filter(archive.when).exists()
    for each in updates:
        Leaver.objects.filter(each.when).update(**each.disposition.values)  # type: ignore[attr-defined]
    assert Leaver.objects.filter(archive.when).count() == Leaver.objects.count() == 8
    Leaver.objects.update(email="jo@example.com")
    assert not Leaver.objects.filter(archive.when).exists()


def test_said_in_words() -> None:
    first, last = get_policy("leavers-anonymise"), get_policy("leavers-delete")
    assert declared.which(first) == declared.which(last)
    assert "regular is false" in declared.which(first)
    assert declared.stages(first) == (
        "1 of 2 ends of leavers: leavers-anonymise 365 days after left_at, then leavers-delete "
        "1095 days after left_at."
    )
    assert declared.stages(last).startswith("2 of 2 ends of leavers: ")
    assert declared.stages(get_policy("errands")) == ""
    stages = stages_of(first)
    assert stages is stages_of(last)
    assert repr(stages) == "<Stages leavers on zoo.Leaver>"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value",
    [
        *(None, Value(None), "", Value("a"), NullIf("name", Value(""))),
        Concat("name", "email", output_field=CharField()),
    ],
)
def test_rows_are_taken_that_an_update_would_change(value: Any) -> None:
    """Whatever is empty or NULL, on either side."""
    for name, email in product(("", "a"), (None, "", "a", "aa")):
        Leaver.objects.create(name=name, email=email)
    (first, _) = some(Stage("empty", DAY, Update(email=value)), GONE).policies
    taken = set(Leaver.objects.filter(first.when).values_list("pk", flat=True))
    before = dict(Leaver.objects.values_list("pk", "email"))
    Leaver.objects.update(email=value)
    after = dict(Leaver.objects.values_list("pk", "email"))
    assert taken == {key for key in before if before[key] != after[key]}
    assert taken != set()


@pytest.mark.django_db
@isolate_apps("tests.zoo")
@pytest.mark.parametrize(
    "value", [Q(name="a"), ~Q(name="a"), Q(name="a") | Q(name__isnull=True), True, None]
)
def test_a_condition_is_compared_with_a_boolean_that_may_be_null(value: Any) -> None:
    class Flagged(models.Model):
        name = models.TextField(null=True)  # noqa: DJ001
        flag = models.BooleanField(null=True)
        left_at = models.DateTimeField(null=True)

        class Meta:
            app_label = "zoo"

    with connection.schema_editor() as editor:
        editor.create_model(Flagged)
    for name, flag in product((None, "a", "b"), (None, False, True)):
        Flagged.objects.create(name=name, flag=flag)
    stage = Stage("flag", DAY, Update(flag=value))
    (first, _) = Stages("some", Flagged, stage, GONE, since="left_at").policies
    taken = set(Flagged.objects.filter(first.when).values_list("pk", flat=True))
    before = dict(Flagged.objects.values_list("pk", "flag"))
    Flagged.objects.update(flag=value)
    after = dict(Flagged.objects.values_list("pk", "flag"))
    assert taken == {key for key in before if before[key] != after[key]}
    assert not Flagged.objects.filter(first.when).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("now", [Now(), TransactionNow()])
def test_a_moment_counts_as_set_when_there_is_one(now: Any) -> None:
    empty, full = (Leaver.objects.create(emptied_at=at) for at in (None, timezone.now()))
    (first, _) = some(Stage("empty", DAY, Update(emptied_at=now)), GONE).policies
    assert list(Leaver.objects.filter(first.when)) == [empty]
    Leaver.objects.filter(pk=empty.pk).update(emptied_at=now)
    assert not Leaver.objects.filter(first.when).exists()
    assert full.emptied_at is not None


JSON_NULL = Value(None, models.JSONField())


@pytest.mark.django_db
@isolate_apps("tests.zoo")
@pytest.mark.parametrize(
    "value", [None, JSON_NULL, {}, "a", Value("a", models.JSONField()), F("other")]
)
def test_null_of_json_is_a_value(value: Any) -> None:
    class Noted(models.Model):
        data = models.JSONField(null=True)
        other = models.JSONField(null=True)
        left_at = models.DateTimeField(null=True)

        class Meta:
            app_label = "zoo"

    with connection.schema_editor() as editor:
        editor.create_model(Noted)
    for data, other in product((None, JSON_NULL, {}, "a"), repeat=2):
        Noted.objects.create(data=data, other=other)

    def stored() -> dict[int, str | None]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, data::text FROM zoo_noted")
            return dict(cursor.fetchall())

    stage = Stage("empty", DAY, Update(data=value))
    (first, _) = Stages("some", Noted, stage, GONE, since="left_at").policies
    taken = set(Noted.objects.filter(first.when).values_list("pk", flat=True))
    before = stored()
    Noted.objects.update(data=value)
    after = stored()
    assert taken == {key for key in before if before[key] != after[key]}
    assert not Noted.objects.filter(first.when).exists()
