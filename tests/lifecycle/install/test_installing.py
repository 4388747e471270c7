"""Triggers come onto tables of a site that never stops writing, one table a transaction."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lifecycle.capture.triggers import registered
from lifecycle.db import table_lock as tablelock
from lifecycle.insight.status import statuses
from lifecycle.install import triggers as installing
from lifecycle.install.after_migrate import store, sync
from lifecycle.install.triggers import install, missing
from lifecycle.models import PolicyState
from lifecycle.policy.policy import Policy
from tests.support import Background, kinds, session, wait_until, waits_for
from tests.zoo.models import Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)

TICKET = "INSERT INTO zoo_ticket (id, expires_at) VALUES (gen_random_uuid(), '2100-01-01')"
TOKEN = "INSERT INTO zoo_token (label, active, expires_at) VALUES ('', true, '2100-01-01')"


def sql(statement: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return [row[0] for row in cursor.fetchall()] if cursor.description else []


def triggers(table: str) -> list[str]:
    """The capture triggers of a table."""
    return sql(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal"
        " AND tgname LIKE 'pgtrigger\\_lc\\_%%' ORDER BY 1",
        table,
    )


def migrated(name: str) -> Any:
    """A trigger as migrations have it."""
    compiled = (trigger.compile(model) for model, trigger in registered())
    return next(code for code in compiled if code.sql.pgid == name)


def strip(*tables: str) -> dict[str, list[str]]:
    """The tables as a migration leaves them that adds triggers: the functions are there."""
    before = {table: triggers(table) for table in tables}
    for table, names in before.items():
        for name in names:
            sql(f"DROP TRIGGER {name} ON {table}")
    return before


@pytest.fixture(autouse=True)
def _whole_again() -> Iterator[None]:
    yield
    connection.close()  # also when a test has failed in a transaction
    assert install("default") == {}


@pytest.mark.slow
def test_what_a_migration_made_is_put_on_the_tables() -> None:
    before = strip("zoo_ticket", "zoo_token", "zoo_reading_low")
    assert {table for _, table in missing("default")} == set(before)
    sync("default")
    assert {table: triggers(table) for table in before} == before
    assert missing("default") == {}


def test_where_all_is_in_place_three_questions_are_asked() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert install("default") == {}
    assert not [each for each in asked if "TRIGGER" in each["sql"]]


@pytest.mark.slow
def test_a_trigger_whose_migration_has_not_run_is_not_made() -> None:
    name = triggers("zoo_ticket")[0]
    sql(f"COMMENT ON FUNCTION {name}() IS 'of another kind'")
    strip("zoo_ticket")
    install("default")
    assert name not in triggers("zoo_ticket")
    sql(f"COMMENT ON FUNCTION {name}() IS 'lifecycle {name}'")


@pytest.mark.slow
def test_others_write_on_while_the_installer_waits_for_a_long_writer() -> None:
    """It would be enough to be put on: the test is that nobody queues for long."""
    before = strip("zoo_ticket")
    with session() as long, session(autocommit=True) as others:
        long.execute(TICKET)
        installer = Background(lambda: install("default"))
        wait_until(lambda: waits_for(long.info.backend_pid), "the installer")
        for _ in range(20):
            others.execute(TICKET)  # returns when the installer's wait has been cut short
        assert not triggers("zoo_ticket")
        long.commit()
        assert installer.result() == {}
    assert triggers("zoo_ticket") == before["zoo_ticket"]


@pytest.mark.slow
def test_a_busy_table_is_left_out_and_said(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tablelock, "WAITS", (0.01, 0.01))
    monkeypatch.setattr(tablelock, "PAUSE", 0.01)
    before = strip("zoo_ticket", "zoo_token")
    PolicyState.objects.filter(name__in=["tickets", "tokens"]).delete()
    with session(application_name="the nightly job") as long:
        long.execute(TICKET)
        call_command("migrate", verbosity=0)
        with pytest.raises(CommandError, match=r"zoo_ticket.*the nightly job.*Run it again"):
            call_command("lifecycle", "install")
        long.commit()
    assert "zoo_ticket" in capfd.readouterr().err
    assert triggers("zoo_token") == before["zoo_token"], "the other tables are done"
    names = {*PolicyState.objects.values_list("name", flat=True)}
    assert "tokens" in names
    assert "tickets" not in names, "no policy before all that is written is recorded"
    assert problems("tickets")[0].startswith("not in the database")
    call_command("lifecycle", "install")
    assert triggers("zoo_ticket") == before["zoo_ticket"]
    assert PolicyState.objects.get(name="tickets").state == "observe"


@pytest.mark.parametrize("first", [False, True])
def test_how_a_policy_on_an_empty_table_starts(first: bool) -> None:
    policy = Policy("first", Token, expires="expires_at", observe_first=first)
    store(policy, "default")
    try:
        state = PolicyState.objects.get(name="first").state
        assert state == ("observe" if first else "enabled")
    finally:
        PolicyState.objects.filter(name="first").delete()


@pytest.mark.slow
def test_install_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    strip("zoo_ticket", "zoo_reading_low")
    call_command("lifecycle", "install")
    call_command("lifecycle", "install")
    said = capsys.readouterr().out.splitlines()
    assert said == ["Triggers changed on zoo_reading, zoo_ticket.", "Nothing to do."]


def problems(policy: str) -> list[str]:
    """What `status` says is wrong with it."""
    return next(each.problems for each in statuses("default") if each.policy == policy)


def test_status_says_which_writes_are_not_recorded() -> None:
    strip("zoo_reading_low")
    assert problems("readings") == [
        "writes to zoo_reading are not recorded: run `manage.py lifecycle install`"
    ]
    assert problems("tickets") == []


@pytest.mark.slow
def test_killed_after_one_table_the_next_call_does_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = strip("zoo_ticket", "zoo_token")
    real, done = installing.locked, []

    def one(using: str, table: Any, mode: Any, act: Any) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(table)
        real(using, table, mode, act)

    monkeypatch.setattr(installing, "locked", one)
    with pytest.raises(KeyboardInterrupt):
        install("default")
    monkeypatch.undo()
    assert triggers("zoo_ticket") == before["zoo_ticket"]
    assert triggers("zoo_token") == []
    install("default")
    assert triggers("zoo_token") == before["zoo_token"]


def test_a_removed_trigger_records_until_its_successor_is_there() -> None:
    """Both change places in one transaction: no write goes by unrecorded."""
    name = next(n for n in triggers("zoo_token") if "tokens_i" in n)
    sql(f"COMMENT ON FUNCTION {name}() IS 'lifecycle removed'")
    Token.objects.create(expires_at="2100-01-01T00:00Z")
    assert kinds() == ["expiry_scheduled"]
    install("default")
    assert name not in triggers("zoo_token")
    assert sql("SELECT to_regproc(%s)", name) == [None]
    Token.objects.create(expires_at="2100-01-01T00:00Z")
    assert kinds() == ["expiry_scheduled"]
    sql(migrated(name).install_sql)


def test_a_migration_takes_no_lock_of_the_table() -> None:
    """Replacing the function of a changed policy waits for nobody."""
    before = strip("zoo_ticket")["zoo_ticket"]
    with session() as long:
        long.execute(TICKET)
        with session() as migration:
            migration.execute("SET lock_timeout = '10ms'")
            for name in before:
                migration.execute(migrated(name).install_sql)
                migration.execute(migrated(name).uninstall_sql)
                migration.execute(migrated(name).install_sql)
    assert Ticket.objects.count() == 1


def test_a_table_that_the_migration_has_to_itself_gets_its_trigger_there() -> None:
    before = strip("zoo_ticket")["zoo_ticket"]
    with session() as migration:
        migration.execute("LOCK TABLE zoo_ticket")
        for name in before:
            migration.execute(migrated(name).install_sql)
    assert triggers("zoo_ticket") == before
