"""What is wrong with a database is told with a command, and the command mends it."""

from collections.abc import Callable
from contextlib import suppress
from unittest.mock import Mock

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from lifecycle.db.version import mismatch
from lifecycle.insight.status import statuses
from lifecycle.install import everything
from lifecycle.models import Backfill
from tests.lifecycle.install.project import advised
from tests.support import kinds
from tests.zoo.models import Ticket

pytestmark = pytest.mark.django_db

SOME_TRIGGER = """
DO $$ DECLARE each text; BEGIN
    FOR each IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'zoo_ticket'::regclass
        AND tgname LIKE 'pgtrigger\\_lc\\_%' LOOP
        EXECUTE format('{}', each);
    END LOOP;
END $$
"""
PLANTED = {
    "triggers dropped": SOME_TRIGGER.format("DROP TRIGGER %I ON zoo_ticket"),
    "triggers disabled": SOME_TRIGGER.format("ALTER TABLE zoo_ticket DISABLE TRIGGER %I"),
    "triggers of replicas": SOME_TRIGGER.format("ALTER TABLE zoo_ticket ENABLE REPLICA TRIGGER %I"),
    "triggers outdated": SOME_TRIGGER.format("COMMENT ON FUNCTION %I() IS ''lifecycle old''"),
    "trigger functions dropped": SOME_TRIGGER.format("DROP FUNCTION %I() CASCADE"),
    "guard dropped": "DROP TRIGGER lifecycle_event_guard_rows ON lifecycle_event",
    "guard disabled": "ALTER TABLE lifecycle_event DISABLE TRIGGER lifecycle_event_guard_rows",
    "function dropped": "DROP FUNCTION lifecycle.tick_v1",
    "function replaced": "CREATE OR REPLACE FUNCTION lifecycle.setting_v1(name text) RETURNS text"
    " LANGUAGE sql AS 'SELECT NULL::text'",
    "function of its caller": "ALTER FUNCTION lifecycle.scheduled_v1 SECURITY INVOKER",
    "search path of its caller": "ALTER FUNCTION lifecycle.ended_v1 RESET search_path",
    "schema dropped": "DROP SCHEMA lifecycle CASCADE",
    "comments lost": "COMMENT ON SCHEMA lifecycle IS NULL;"
    + SOME_TRIGGER.format("COMMENT ON FUNCTION %I() IS NULL"),
    "not in use": "ALTER SEQUENCE lifecycle.in_use RESTART",
    "policy not stored": "DELETE FROM lifecycle_policy WHERE name = 'tickets'",
    "policy stored otherwise": "UPDATE lifecycle_policy SET fingerprint = ''",
}


def wrong() -> str:
    """What the checks and `status` say; '' where all is well."""
    found = run_checks(tags=["database"], databases=["default"])
    ours = [m for m in found if str(m.id).startswith("lifecycle.") and not m.is_silenced()]
    told = [f"{m.msg} {m.hint}" for m in ours]
    if not mismatch("default") and not any(m.id == "lifecycle.W130" for m in ours):
        told += [problem for each in statuses("default") for problem in each.problems]
    return "\n".join(told)


def sql(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(text)


def refused(act: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            act()
    except Exception as error:
        return "append-only" in str(error)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("state", PLANTED)
def test_what_is_advised_mends_it(state: str) -> None:
    assert wrong() == ""
    sql(PLANTED[state])
    told = wrong()
    commands = advised(told)
    assert commands, told
    for command in commands:
        call_command(
            *command.split(),
            verbosity=0,
            **({"dry_run": True} if command == "makemigrations" else {}),
        )
    assert wrong() == ""
    before = kinds()
    Ticket.objects.create(expires_at="2100-01-01T00:00Z")
    assert kinds()[len(before) :] == ["expiry_scheduled"]
    assert refused(lambda: sql("UPDATE lifecycle_event SET count = 7"))
    assert refused(lambda: sql("DELETE FROM lifecycle_event"))


@pytest.mark.slow
@pytest.mark.parametrize("state", ["schema dropped", "function dropped", "not in use"])
def test_what_was_written_unseen_is_read_also_after_a_kill(
    monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    Ticket.objects.create(expires_at="2100-01-01T00:00Z")
    Backfill.objects.filter(policy="tickets").update(finished_at=timezone.now())
    sql(PLANTED[state])
    with monkeypatch.context() as killed, suppress(KeyboardInterrupt):
        killed.setattr(everything, "put_on", Mock(side_effect=KeyboardInterrupt))
        everything.install_everything("default")
    assert everything.install_everything("default").busy == {}
    assert Backfill.objects.get(policy="tickets").finished_at is None


@pytest.mark.slow
def test_triggers_that_pgtrigger_has_uninstalled() -> None:
    call_command("pgtrigger", "uninstall")
    call_command("migrate", verbosity=0)
    told = wrong()
    assert "writes to zoo_ticket are not recorded" in told
    call_command("lifecycle", "install")
    assert wrong() == ""


def test_without_migrations_of_triggers_none_is_advised(settings: object) -> None:
    settings.PGTRIGGER_MIGRATIONS = False  # type: ignore[attr-defined]
    sql(PLANTED["trigger functions dropped"])
    assert "makemigrations" not in wrong()
    assert advised(wrong())[-1] == "lifecycle install"


@pytest.mark.slow
def test_a_table_of_the_package_that_is_gone() -> None:
    sql("DROP TABLE lifecycle_lock, lifecycle_pending, lifecycle_agenda, purge_run")
    call_command("lifecycle", "install")
    assert wrong() == ""
    Ticket.objects.create(expires_at="2100-01-01T00:00Z")
    assert kinds()[-1] == "expiry_scheduled"
