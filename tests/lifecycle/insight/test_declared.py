"""A declaration in words."""

from datetime import timedelta

import pytest
from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Now

from lifecycle.insight import declared
from lifecycle.insight.words import condition, moment, span
from lifecycle.policy.registry import all_policies, get_policy
from tests.zoo.models import Draft, Picture

DAY = timedelta(days=1)
PICTURED = Exists(Picture.objects.filter(draft=OuterRef("pk")))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Q(), ""),
        (Q(paid=False), "paid is false"),
        (Q(owner__name="jo", seen=None), "owner.name is 'jo' and seen is empty"),
        (Q(a__isnull=True) | Q(b__isnull=False), "a is empty or b is not empty"),
        (~Q(status="new"), "not (status is 'new')"),
        (Q(n__gte=3) & (Q(a=1) | Q(b=2)), "n is at least 3 and (a is 1 or b is 2)"),
        (Q(kind__in=["x", "y"]), "kind is one of 'x', 'y'"),
        (Q(end__lt=F("start") - DAY), "end is below 1 day before start"),
        (Q(n__regex="^a"), "n.regex is '^a'"),
        (PICTURED, "a row of zoo.Picture belongs to it"),
        (~PICTURED, "not (a row of zoo.Picture belongs to it)"),
        (Q(PICTURED, paid=True), "a row of zoo.Picture belongs to it and paid is true"),
    ],
)
def test_conditions(asked: object, said: str) -> None:
    assert condition(asked) == said


@pytest.mark.parametrize(
    ("expires", "said"),
    [
        ("ends_at", "ends_at"),
        (F("made_at") + timedelta(hours=36), "1 day 12 hours after made_at"),
        (F("made_at") - DAY, "1 day before made_at"),
        (F("made_at") + -DAY, "1 day before made_at"),
        (F("made_at") + F("age"), "made_at + age"),
        (Coalesce("used_at", Now()), "Coalesce(used_at, Now())"),
        (ExpressionWrapper(Value(DAY) * F("n"), DurationField()), "1 day * n"),
    ],
)
def test_moments(expires: object, said: str) -> None:
    assert moment(expires) == said


def test_spans() -> None:
    assert span(timedelta(0)) == "0 seconds"
    assert span(timedelta(days=2, hours=1, seconds=5)) == "2 days 1 hour 5 seconds"


def test_a_long_expression_is_cut() -> None:
    assert len(condition(Coalesce(*(f"column_{n}" for n in range(99))))) < 310


def test_of_each_policy_something_is_said() -> None:
    for policy in all_policies():
        for say in (*WHAT, declared.brakes, declared.seen):
            assert say(policy).endswith("."), (policy, say)
            assert "object at" not in say(policy), (policy, say)


WHAT = (declared.which, declared.when, declared.grace, declared.ending, declared.kept)


def test_of_one_policy() -> None:
    assert get_policy("drafts").model is Draft
    assert [say(get_policy("drafts")) for say in WHAT] == [
        "Rows of zoo.Draft where status is 'draft'.",
        "At 1 day after created_at; where that is empty, never.",
        "1 hour. So long a row that is past its end is tombstoned, and can be restored.",
        "The row is deleted, with what goes along by on_delete.",
        "While a row of zoo.Picture belongs to it. Looked at again every 1 day.",
    ]
    assert "Rows of one day of UTC end together" in declared.when(get_policy("audit-logs"))
    assert "archive under audit-archives/" in declared.ending(get_policy("audit-logs"))
    assert "active, deactivated_at are set" in declared.ending(get_policy("soft-bounces"))
