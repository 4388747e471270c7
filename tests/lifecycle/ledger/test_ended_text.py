"""The kept text of `live()`: the same rows wherever a query has it, and built once."""

import pickle
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from lifecycle import expire_now, hold, live, restore, tombstoned
from lifecycle.ledger import ended
from lifecycle.policy.registry import all_policies
from tests.zoo.models import Contract, Draft, Picture, Token

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
REST = (":past", ":live", ":kept", ":held", ":restored", ":by hand")


def rows() -> set[Draft]:
    """One of each standing; the live ones."""
    past = timezone.now() - 2 * DAY
    made = {name: Draft.objects.create(title=f"%{name}", created_at=past) for name in REST}
    Draft.objects.filter(title="%:live").update(created_at=timezone.now())
    Draft.objects.filter(title="%:by hand").update(created_at=timezone.now())
    Picture.objects.create(draft=made[":kept"])
    hold(made[":held"])
    restore(made[":restored"])
    expire_now(made[":by hand"])
    return {made[name] for name in (":live", ":kept", ":held", ":restored")}


def inside(depth: int) -> QuerySet[Draft]:
    found = live(Draft)
    for _ in range(depth):
        found = Draft.objects.filter(pk__in=found.values("pk"))
    return found


def by_exists(depth: int) -> QuerySet[Draft]:
    found: Any = live(Draft).filter(pk=OuterRef("pk"))
    for _ in range(depth):
        found = Draft.objects.filter(Exists(found), pk=OuterRef("pk"))
    return Draft.objects.filter(Exists(found))


PLACES: dict[str, Callable[[], Any]] = {
    "itself": lambda: live(Draft),
    "over a join": lambda: live(Draft.objects.filter(Q(picture=None) | ~Q(picture=None))),
    "twice": lambda: live(live(Draft)),
    "by what is not tombstoned": lambda: Draft.objects.exclude(pk__in=tombstoned(Draft)),
    "live in a subquery of live": lambda: live(Draft).filter(pk__in=live(Draft).values("pk")),
    "tombstoned in an exclusion of live": lambda: live(Draft).exclude(pk__in=tombstoned(Draft)),
    "a union": lambda: live(Draft).union(live(Draft).filter(pk__gt=0)),
    "an or": lambda: live(Draft) | live(Draft).filter(picture=None),
    "an and": lambda: live(Draft.objects.filter(pk__gt=0)) & live(Draft),
    "a joined or": lambda: (live(Draft) | live(Draft.objects.filter(picture__pk__gt=0))).distinct(),
    "a pickled query": lambda: _pickled(live(Draft)),
    **{f"a subquery, {n} deep": lambda n=n: inside(n) for n in range(1, 6)},
    **{f"EXISTS, {n} deep": lambda n=n: by_exists(n) for n in range(4)},
    "an annotation": lambda: Draft.objects.annotate(
        one=Exists(live(Draft).filter(pk=OuterRef("pk")))
    ).filter(one=True),
    "an annotated and sliced one": lambda: live(Draft.objects.annotate(same=F("pk"))).order_by(
        "same"
    )[:9],
}


def _pickled(rows: QuerySet[Draft]) -> QuerySet[Draft]:
    again = Draft.objects.all()
    again.query = pickle.loads(pickle.dumps(rows.query))
    return again


def test_the_same_rows_in_every_place() -> None:
    wanted = rows()
    for name, place in PLACES.items():
        assert set(place()) == wanted, name
        assert place().count() == len(wanted), name
    assert set(tombstoned(Draft)) == set(Draft.objects.all()) - wanted


def test_through_another_table() -> None:
    wanted = rows()
    for row in Draft.objects.all():
        Contract.objects.create(draft=row)
    found = Contract.objects.filter(draft__in=live(Draft)).select_related("draft")
    assert {each.draft for each in found} == wanted


def test_built_once_for_a_policy() -> None:
    """However many queries there are of it."""
    list(live(Token))
    with mock.patch.object(ended, "_condition", side_effect=AssertionError("built again")):
        assert not live(Token).exists()
        assert not tombstoned(Token.objects.filter(pk__gt=3)).exists()


@pytest.mark.parametrize("policy", [p for p in all_policies() if p.disposition.hides], ids=str)
def test_kept_text_is_of_the_condition(policy: Any) -> None:
    """Whichever policy: the text finds the rows that the condition built by Django finds."""
    rows = policy.model._meta.concrete_model._base_manager.all()
    assert str(rows.filter(ended._condition(policy)).query)
    assert list(rows.filter(ended.ended_by(policy))) == list(rows.filter(ended._condition(policy)))


def test_time_zone_of_the_moment() -> None:
    """Django compiles days by the zone under way: a text of another zone is not used."""
    before = ended._text.cache_info().misses
    for zone in ("Asia/Tokyo", "America/New_York", "Asia/Tokyo"):
        with timezone.override(zone):
            str(live(Draft).query)
    assert ended._text.cache_info().misses == before + 2


def test_exceptions_are_asked_only_where_there_are_any() -> None:
    """Of other policies there may be some."""
    Token.objects.create(expires_at=timezone.now() - DAY)
    hold(Draft.objects.create(created_at=timezone.now()))

    def asked() -> int:
        lines = live(Token).explain(analyze=True).splitlines()
        scans = [line for line in lines if " on lifecycle_exception" in line]
        return len([line for line in scans if "never executed" not in line])

    looks = asked()
    hold(Token.objects.create(expires_at=timezone.now() + DAY))
    assert looks <= 4 < asked()
