"""All clean-ups in one command."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, get_commands

from demo.cleanups import maintenance
from demo.factories import PendingRegistrationFactory, RefusedTokenFactory, UserFactory
from demo.models import PendingRegistration, RefusedToken, User
from tests.demo.golden import assert_golden, manage

pytestmark = pytest.mark.django_db(transaction=True)
ONLY = [
    "cleanup_pending_registrations",
    "cleanup_expired_tokens",
    "cleanup_draft_services",
    "cleanup_unverified_users",
    "clearsessions",
]


def maintain(**options: Any) -> str:
    return manage("run_maintenance", **({"only": ONLY, "actor": "jo"} | options))


@pytest.fixture
def rows() -> None:
    PendingRegistrationFactory.create(unconfirmed=True)
    RefusedTokenFactory.create(expired=True)
    UserFactory.create(forgotten=True)


@pytest.mark.usefixtures("rows")
def test_each_is_run_and_told() -> None:
    dry = maintain(dry_run=True)
    assert User.objects.count() == RefusedToken.objects.count() == 1
    assert_golden("maintenance", dry + maintain())
    assert not RefusedToken.objects.exists()
    assert User.objects.tombstoned().count() == 1
    maintain(purge_now=True, yes=True)
    assert not User.objects.exists()


@pytest.mark.usefixtures("rows")
def test_one_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    run = maintenance._run

    def failing(name: str, options: dict[str, Any]) -> Any:
        if name == "cleanup_expired_tokens":
            raise OSError("the disk is full\nand more")
        return run(name, options)

    monkeypatch.setattr(maintenance, "_run", failing)
    with pytest.raises(CommandError, match=r"Failed: cleanup_expired_tokens\. The others"):
        maintain()
    assert RefusedToken.objects.exists()
    assert not PendingRegistration.objects.exists()
    assert User.objects.tombstoned().exists()


@pytest.mark.usefixtures("rows")
def test_json_and_skip() -> None:
    told = json.loads(maintain(json=True, skip=["clearsessions", "cleanup_draft_services"]))
    commands = {each["command"]: each for each in told["commands"]}
    assert list(commands) == [name for name in ONLY if "draft" not in name and "clear" not in name]
    assert [part["purged"] for part in commands["cleanup_expired_tokens"]["parts"]] == [1, 0]
    assert not any(each["failed"] for each in commands.values())


def test_wrong() -> None:
    with pytest.raises(CommandError, match="Nothing is left to run"):
        maintain(only=["clearsessions"], skip=["clearsessions"])
    with pytest.raises(CommandError, match="invalid choice: 'cleanup'"):
        manage("run_maintenance", "--only", "cleanup")
    with pytest.raises(CommandError, match="say --yes"):
        maintain(purge_now=True)


def test_every_command_is_there() -> None:
    assert set(maintenance.COMMANDS) <= get_commands().keys()
