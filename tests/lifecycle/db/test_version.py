"""Code of one version of the package on the database of another: nothing ends, nothing breaks."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from lifecycle.db.version import VERSION
from lifecycle.install.after_migrate import sync
from lifecycle.models import PolicyState
from lifecycle.operations import FUNCTIONS
from lifecycle.policy.registry import get_policy
from purge.batch import brakes
from purge.passes.runs import close_interrupted
from purge.runner import run_due, run_policy
from purge.worker import pulse
from tests.support import kinds, run_until_idle
from tests.zoo.models import Legacy, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


def execute(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def _due(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(brakes, "_warned", {})
    Ticket.objects.create(expires_at=timezone.now() - timedelta(days=1))
    yield
    execute(f"COMMENT ON SCHEMA lifecycle IS '{VERSION}'")


@pytest.fixture(params=["version 0", "version 99"])
def stamp(request: pytest.FixtureRequest, _due: None) -> str:
    """What the database of an older, and of a newer, version of the package says."""
    execute(f"COMMENT ON SCHEMA lifecycle IS '{request.param}'")
    return str(request.param)


def test_the_worker_ends_nothing_and_says_so(stamp: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "purge"):
        assert run_due() == {}
        assert pulse.tick("default") == []
        assert close_interrupted() == 0
    assert stamp in run_policy(get_policy("tickets")).stopped
    said = [(r.action, r.database) for r in caplog.records if r.name == "purge"]  # type: ignore[attr-defined]
    assert said == [("version", "default")], "once, and not with every beat"
    assert Ticket.objects.count() == 1


def test_the_host_writes_and_the_triggers_record(stamp: str) -> None:
    Ticket.objects.create(expires_at=timezone.now())
    Ticket.objects.all().delete()
    Legacy.objects.create(expires_at=timezone.now())
    assert kinds() == ["expiry_scheduled", "expiry_scheduled", "deleted"]


@pytest.mark.parametrize("command", [["lifecycle", "status"], ["lifecycle", "pause", "tickets"],
                                     ["purge"], ["purge", "--policy", "tickets"]])  # fmt: skip
def test_commands_refuse_and_say_what_to_do(stamp: str, command: list[str]) -> None:
    with pytest.raises(
        CommandError, match="manage.py migrate" if stamp == "version 0" else "newer code"
    ):
        call_command(*command)
    assert PolicyState.objects.get(name="tickets").state == "enabled"


def test_code_of_another_version_stores_no_policies(stamp: str) -> None:
    PolicyState.objects.filter(name="tickets").update(fingerprint="of the other version")
    sync("default")
    assert PolicyState.objects.get(name="tickets").fingerprint == "of the other version"


def test_the_check_tells(stamp: str) -> None:
    found = run_checks(tags=["database"], databases=["default"])
    assert [m.id for m in found if str(m.id).startswith("lifecycle.")] == ["lifecycle.W111"]


def test_after_migrate_it_goes_on(stamp: str) -> None:
    assert run_due() == {}
    execute(f"COMMENT ON SCHEMA lifecycle IS '{VERSION}'")
    call_command("migrate", verbosity=0)
    run_until_idle()
    assert not Ticket.objects.exists()


@pytest.mark.usefixtures("_due")
def test_without_the_functions_the_host_writes_and_nothing_ends() -> None:
    execute("ALTER SCHEMA lifecycle RENAME TO gone")
    try:
        ticket = Ticket.objects.create(expires_at=timezone.now())
        Ticket.objects.filter(pk=ticket.pk).update(expires_at=None)
        ticket.delete()
        row = Legacy.objects.create(expires_at=timezone.now())
        row.save()
        row.delete()
        assert run_due() == {}
        with pytest.raises(CommandError, match="lifecycle install"):
            call_command("lifecycle", "status")
    finally:
        execute("ALTER SCHEMA gone RENAME TO lifecycle")
    assert Ticket.objects.count() == 1


def test_the_stamp_is_that_of_the_code() -> None:
    """Raise both together, in the migration that changes what the code relies on."""
    assert FUNCTIONS[-1] == "version_stamp"
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description('lifecycle'::regnamespace)")
        assert cursor.fetchone()[0] == VERSION
