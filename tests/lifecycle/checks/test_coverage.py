"""Every model of a site has a policy or a reason, or a check says which has none."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test.utils import isolate_apps

from lifecycle import Policy, Update, keep_forever
from lifecycle.checks.coverage import check_coverage
from lifecycle.exceptions import PolicyError
from lifecycle.policy import coverage
from lifecycle.policy.coverage import taken_along, uncovered
from tests.lifecycle.checks.test_declarations import declared
from tests.zoo.models import Token


@pytest.fixture(autouse=True)
def reasons(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[Any, str]]:
    monkeypatch.setattr(coverage, "_kept", {})
    return coverage._kept


def told() -> list[str]:
    return [model.__name__ for model in uncovered()]


def ends(name: str = "E", **fields: Any) -> Any:
    """A model of the zoo, with a column to end by."""
    plain = {"ends_at": models.DateTimeField(), "__module__": "tests.zoo.models"}
    return type(name, (models.Model,), plain | fields)


def key(to: Any, null: bool = False, on_delete: Any = models.CASCADE) -> Any:
    return models.ForeignKey(to, on_delete, null=null)


def family() -> tuple[Any, Policy]:
    """A parent with a policy, and what hangs on it; those called Left... stay behind."""
    parent = ends("Parent")
    child = ends("Child", parent=key(parent))
    ends("Grandchild", child=key(child))
    ends("LeftNull", parent=key(parent, null=True))
    ends("LeftAlone", parent=key(parent, null=True, on_delete=models.SET_NULL))
    ends("LeftProtected", parent=key(parent, on_delete=models.PROTECT))
    type("Heir", (parent,), {"__module__": "tests.zoo.models"})
    return parent, Policy("planted", parent, expires="ends_at")


class TestCoverage:
    """Sites of a few models of their own."""

    @pytest.fixture(autouse=True)
    def site(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with isolate_apps("tests.zoo") as own:
            monkeypatch.setattr(coverage, "apps", own)
            yield

    def test_what_goes_along_with_every_row_is_covered(self) -> None:
        _, policy = family()
        everything = ["Child", "Grandchild", "Heir", "LeftAlone", "LeftNull", "LeftProtected"]
        assert told() == sorted([*everything, "Parent"])
        with declared(policy):
            assert told() == ["LeftAlone", "LeftNull", "LeftProtected"]

    def test_columns_that_are_set_take_nothing_along(self) -> None:
        parent, _ = family()
        sets = Policy("planted", parent, expires="ends_at", disposition=Update(ends_at=None))
        with declared(sets):
            assert "Parent" not in told()
            assert "Child" in told()

    def test_a_childs_policy_does_not_cover_its_parent(self) -> None:
        parent = ends("Parent")
        heir = type("Heir", (parent,), {"__module__": "tests.zoo.models"})
        ends("OfParent", parent=key(parent))
        ends("OfHeir", heir=models.ForeignKey(heir, models.CASCADE, related_name="+"))
        with declared(Policy("planted", heir, expires="ends_at")):
            assert told() == ["OfParent", "Parent"]

    def test_who_is_asked(self) -> None:
        other = ends("Other")
        ends("Many", others=models.ManyToManyField(other))
        meta = {"proxy": True, "app_label": "zoo"}
        type("Proxy", (other,), {"__module__": "x", "Meta": type("Meta", (), meta)})
        meta = {"managed": False, "app_label": "zoo"}
        ends("Unmanaged", Meta=type("Meta", (), meta))
        assert told() == ["Many", "Other", "Unmanaged"]

    def test_a_policy_on_a_proxy_covers_the_table(self) -> None:
        other = ends("Other")
        meta = {"proxy": True, "app_label": "zoo"}
        proxy = type("Proxy", (other,), {"__module__": "x", "Meta": type("Meta", (), meta)})
        with declared(Policy("planted", proxy, expires="ends_at")):
            assert told() == []

    def test_kept_and_taken_along(self) -> None:
        parent = ends("Parent")
        tag = ends(
            "Tag",
            content_type=models.ForeignKey(ContentType, models.PROTECT),
            object_id=models.IntegerField(),
            of=GenericForeignKey(),
        )
        heir = type("Heir", (parent,), {"__module__": "x", "Meta": type("M", (), ZOO)})
        child = ends("Child", parent=key(heir, null=True), tags=GenericRelation(tag))
        policy = Policy("planted", heir, expires="ends_at")
        assert taken_along(policy) == {parent, child, tag}
        for model in (parent, child, tag):
            keep_forever(model, "of the books")
        with declared(policy):
            assert [message.id for message in check_coverage()] == ["lifecycle.W043"] * 3


ZOO = {"app_label": "zoo"}


def test_nothing_is_asked_by_default() -> None:
    assert check_coverage() == []


def test_the_message_can_be_pasted(settings: Any) -> None:
    settings.LIFECYCLE_REQUIRE_COVERAGE = True
    (message,) = check_coverage()
    assert message.id == "lifecycle.E040"
    names = {model._meta.label for model in uncovered()}
    assert {"auth.Group", "contenttypes.ContentType"} <= names
    assert "zoo.Token" not in names
    assert not any(name.startswith(("lifecycle.", "purge.")) for name in names)
    assert all(name in message.msg for name in names)

    lines = str(message.hint).partition("\n\n")[2].rpartition("\n\n")[0]
    exec(lines, {})
    found = check_coverage()
    assert {message.id for message in found} == {"lifecycle.W041", "lifecycle.W043"}
    assert len([m for m in found if m.id == "lifecycle.W041"]) == len(names)
    assert uncovered() == []


def test_two_models_of_one_name_can_be_pasted() -> None:
    from lifecycle.checks.coverage import _paste

    class Token(models.Model):
        class Meta:
            app_label, managed = "auth", False

    Token.__module__ = "elsewhere.models"
    from tests.zoo.models import Token as ZooToken

    text = _paste([Token, ZooToken])
    assert "from tests.zoo.models import Token as ZooToken" in text
    assert "keep_forever(ZooToken, " in text


def test_kept_for_ever_and_a_policy() -> None:
    keep_forever(Token, "for fun")
    assert {message.id for message in check_coverage()} == {"lifecycle.E042"}


def test_apps_that_are_asked_for(settings: Any) -> None:
    from django.apps import apps

    settings.LIFECYCLE_REQUIRE_COVERAGE = True
    (message,) = check_coverage([apps.get_app_config("contenttypes")])
    assert message.msg == "1 model has neither a policy nor keep_forever: contenttypes.ContentType."
    assert check_coverage([apps.get_app_config("purge")]) == []


@pytest.mark.parametrize(
    ("model", "reason", "told"),
    [
        (Token, "", "wants a reason"),
        (Token, " ... ", "wants a reason"),
        (Token, None, "wants a reason"),
        ("zoo.Token", "for fun", "takes a concrete model class"),
        (models.Model, "for fun", "takes a concrete model class"),
    ],
)
def test_declarations_that_say_nothing(model: Any, reason: Any, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        keep_forever(model, reason)


def test_declared_twice() -> None:
    keep_forever(Token, "for fun")
    with pytest.raises(PolicyError, match="twice"):
        keep_forever(Token, "for fun")
