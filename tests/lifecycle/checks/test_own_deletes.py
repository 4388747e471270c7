"""Models that delete in a way of their own are named, with the policies that pass it by."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import models
from django.test.utils import isolate_apps

from lifecycle import Policy, Update, ignore_delete
from lifecycle.checks.own_deletes import check_own_deletes
from lifecycle.exceptions import PolicyError
from lifecycle.policy import own_deletes
from tests.lifecycle.checks.test_coverage import ends, key
from tests.lifecycle.checks.test_declarations import declared


class SoftDelete(models.Model):
    """As a site marks rows."""

    class Meta:
        abstract = True

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError


class TreeQuerySet(models.QuerySet):
    """As trees mend themselves."""

    def delete(self) -> Any:
        raise AssertionError


class TreeManager(models.Manager):
    """Gives such a queryset without saying so."""

    def get_queryset(self) -> Any:
        return TreeQuerySet(self.model)


class BrokenManager(models.Manager.from_queryset(TreeQuerySet)):  # type: ignore[misc]
    """Wants something that a check does not have."""

    def get_queryset(self) -> Any:
        raise RuntimeError("no tenant")


#: how a model comes to a delete of its own: its class from a name, and the word that names it
WAYS: dict[str, tuple[Any, str]] = {
    "its own": (lambda: ends("Own", delete=lambda self: None), "Own.delete"),
    "an abstract parent's": (
        lambda: type("Soft", (SoftDelete,), {
            "ends_at": models.DateTimeField(), "__module__": "tests.zoo.models"}),
        "SoftDelete.delete",
    ),
    "a queryset's": (
        lambda: ends("Rows", objects=models.Manager.from_queryset(TreeQuerySet)()),
        "TreeQuerySet.delete",
    ),
    "a manager's": (lambda: ends("Tree", objects=TreeManager()), "TreeQuerySet.delete"),
    "a second manager's": (
        lambda: ends("Second", objects=models.Manager(), trees=TreeManager()),
        "TreeQuerySet.delete",
    ),
    "a manager's that fails": (
        lambda: ends("Broken", objects=BrokenManager()), "TreeQuerySet.delete",
    ),
    "a proxy's": (lambda: _proxied(), "Proxied.delete"),
}  # fmt: skip


def _proxied() -> Any:
    table = ends("Table")
    meta = type("Meta", (), {"proxy": True})
    inner = {"Meta": meta, "delete": lambda self: None, "__module__": "tests.zoo.models"}
    type("Proxied", (table,), inner)
    return table


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(own_deletes, "_ignored", set())
    with isolate_apps("tests.zoo"):
        yield


def told() -> dict[str, str]:
    """What the check says, by model."""
    found = {each.obj.__name__: f"{each.msg} {each.hint}" for each in check_own_deletes()}
    assert {each.id for each in check_own_deletes()} <= {"lifecycle.W048"}
    return found


@pytest.mark.parametrize("way", WAYS)
def test_a_model_that_deletes_by_itself_is_named(way: str) -> None:
    made, words = WAYS[way]
    model = made()
    assert told() == {}
    with declared(Policy("planted", model, expires="ends_at")):
        (text,) = told().values()
        assert words in text
        assert "'planted'" in text
        assert f"ignore_delete({model.__name__})" in text
        ignore_delete(model)
        assert told() == {}


@pytest.mark.parametrize("way", WAYS)
def test_what_only_updates_passes_nothing_by(way: str) -> None:
    model = WAYS[way][0]()
    values = {"expires": "ends_at", "disposition": Update(ends_at=None)}
    with declared(Policy("planted", model, **values)):
        assert told() == {}


def test_rows_that_go_along_are_asked_of_too() -> None:
    parent = ends("Parent")
    child = ends("Child", parent=key(parent))
    ends("Below", child=key(child), delete=lambda self: None)
    ends("Left", parent=key(parent, null=True, on_delete=models.SET_NULL), delete=lambda self: None)
    with declared(Policy("planted", parent, expires="ends_at")):
        assert list(told()) == ["Below"]


def test_plain_models_are_not_named() -> None:
    plain = ends("Plain", objects=models.Manager.from_queryset(models.QuerySet)())
    with declared(Policy("planted", plain, expires="ends_at")):
        assert told() == {}
    with pytest.raises(PolicyError, match="no delete"):
        ignore_delete(plain)
