"""By which columns archived rows are somebody's: what can be said, and what the checks refuse."""

from typing import Any

import pytest

from lifecycle import Archive
from lifecycle.exceptions import LifecycleError, PolicyError
from lifecycle.policy.registry import get_policy
from purge.erasure.archived import archiving_of, links, links_to
from purge.rewrite_check import check_erased_with, check_kept
from tests.purge.archive.engine import archiving
from tests.zoo.models import Client, Member, Person, Visit

pytestmark = pytest.mark.django_db


def told(policy: str, erased_with: Any) -> list[str]:
    """What the check says."""
    with archiving(policy, checked=False, erased_with=erased_with):
        assert all(each.id == "purge.E010" for each in check_erased_with())
        return [str(each.msg) for each in check_erased_with()]


def test_a_foreign_key_the_own_key_and_a_column() -> None:
    with archiving("visits", checked=False, erased_with=("member", "id")) as policy:
        assert [(each.column, each.target) for each in links(policy)] == [
            ("member_id", Member),
            ("id", Visit),
        ]
        assert [each.column for each in links_to(policy, Member)] == ["member_id"]
        assert archiving_of(Visit, "default") == [policy]
        assert archiving_of(Person, "default") == []
    wanted = {"label": Person, "former_label": "zoo.Person"}
    with archiving("tokens", checked=False, erased_with=wanted) as policy:
        assert [(each.column, each.field, each.target) for each in links(policy)] == [
            ("label", "label", Person),
            ("former_label", "", Person),
        ]
    assert links(get_policy("people")) == []


def test_what_the_check_refuses() -> None:
    assert told("tokens", {"label": "zoo.Person"}) == []
    for erased_with, why in (
        (("nothing",), "has no column of 'nothing'"),
        (("label",), "refers to no model"),
        ({"label": "zoo.Nobody"}, "names no model"),
        ({"label": 7}, "names no model"),
        ({"label": "zoo.Token"}, "nobody is erased"),
    ):
        (text,) = told("tokens", erased_with)
        assert why in text
    with (
        archiving("tokens", checked=False, erased_with=("nothing",)),
        pytest.raises(LifecycleError, match="has no column"),
    ):
        archiving_of(Client, "default")


@pytest.mark.parametrize("wrong", ["label", (1,), ("",), {1: "zoo.Person"}, None])
def test_what_cannot_be_declared(wrong: Any) -> None:
    with pytest.raises(PolicyError, match="erased_with must be some names"):
        Archive("old/", erased_with=wrong)


def test_a_bucket_with_object_lock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.AWS_STORAGE_BUCKET_NAME = "b"
    monkeypatch.setattr("purge.archive.bucket.ArchiveBucket.has_lock", lambda bucket: True)
    assert check_kept() == []
    with archiving("tokens", checked=False, erased_with={"label": Person}):
        (told,) = check_kept()
    assert (told.id, "tokens" in told.msg) == ("purge.W015", True)
