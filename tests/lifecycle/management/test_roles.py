"""`lifecycle roles`: groups for those who come to the admin, made once, never made smaller."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError
from django.test import Client

from demo.models import User
from lifecycle.management.groups import BUNDLES, VIEWS
from tests.commands.documented import assert_documented
from tests.lifecycle.management.test_commands import manage

pytestmark = pytest.mark.django_db(transaction=True)


def member(group: str) -> Client:
    user = User.objects.create_user(group.replace(" ", "-"), is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def test_it_shows_and_makes_them() -> None:
    text = manage("lifecycle", "roles")
    assert "retention operator (not made yet): keeps it going" in text
    assert "`manage.py lifecycle roles --create` makes them." in text
    assert not Group.objects.exists()
    text = manage("lifecycle", "roles", "--create")
    assert "retention counsel (0 members)" in text
    assert "(missing)" not in text
    assert Group.objects.count() == len(BUNDLES) == 4
    again = manage("lifecycle", "roles", "--create")
    assert again == text


def test_it_gives_what_is_missing_and_takes_nothing() -> None:
    manage("lifecycle", "roles", "--create")
    group = Group.objects.get(name="retention viewer")
    own = Permission.objects.get(codename="view_draft")
    group.permissions.set([own])
    (viewer,) = (one for one in data() if one["group"] == "retention viewer")
    assert viewer["missing"] == sorted(VIEWS)
    assert viewer["others"] == ["zoo.view_draft"]
    manage("lifecycle", "roles", "--create")
    assert group.permissions.count() == len(VIEWS) + 1


def data() -> Any:
    found = json.loads(manage("lifecycle", "roles", "--json"))
    assert_documented("lifecycle roles", found)
    return found


def test_every_permission_is_one_and_each_action_is_in_a_bundle() -> None:
    manage("lifecycle", "roles", "--create")
    given = {name for bundle in BUNDLES for name in bundle.permissions}
    ours = Permission.objects.filter(content_type__app_label__in=("lifecycle", "purge"))
    every = {
        f"{p.content_type.app_label}.{p.codename}" for p in ours.select_related("content_type")
    }
    assert {each for each in every if ".view_" not in each} <= given


def test_a_permission_that_is_not_there_yet() -> None:
    Permission.objects.filter(codename="hold_row").delete()
    with pytest.raises(CommandError, match=r"lifecycle\.hold_row yet: `manage.py migrate`"):
        manage("lifecycle", "roles", "--create")
    assert not Group.objects.exists()
    manage("migrate", "--verbosity=0")  # as it was, for the others


@pytest.mark.parametrize(
    ("group", "may", "not_"),
    [
        ("operator", "Pause a policy", "lifecycle.hold_row"),
        ("officer", "Restore a tombstoned row", "lifecycle.pause_policy"),
        ("counsel", "Hold a row", "lifecycle.restore_row"),
        ("viewer", "Look at policies", "lifecycle.release_row"),
    ],
)
def test_each_sees_what_it_may_do_and_what_not(group: str, may: str, not_: str) -> None:
    manage("lifecycle", "roles", "--create")
    text = member(f"retention {group}").get("/admin/lifecycle/").text
    assert f">{may}</a>" in text
    assert f"Needs the permission {not_}" in text
