"""What the database has against what the code declares; each difference planted by hand."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.expressions import RawSQL
from django.test.utils import CaptureQueriesContext

from lifecycle import Policy
from lifecycle.checks import installed
from lifecycle.policy.registry import _policies
from tests.zoo.models import Photo, Token

pytestmark = pytest.mark.django_db

W113 = "lifecycle.W113"


def ids() -> list[str | None]:
    """The ids of what `manage.py check --database default` finds, without those of declarations."""
    found = run_checks(tags=["database"], databases=["default"])
    return [m.id for m in found if str(m.id).startswith("lifecycle.") and not m.is_silenced()]


def sql(statement: str, *params: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return cursor.fetchone()[0] if cursor.description else None


def trigger_of(table: str, operation: str) -> str:
    """The name of the capture trigger of one operation."""
    like = f"pgtrigger_lc_%{operation}_%"
    return str(
        sql(
            "SELECT min(tgname) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s",
            f'"{table}"',
            like,
        )
    )


def test_migrated_database_is_clean() -> None:
    assert ids() == []


def test_the_triggers_of_all_tables_are_asked_for_at_once() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert ids() == []
    about = [each["sql"] for each in asked if "pg_partition_tree" in each["sql"]]
    assert len([text for text in about if "Where triggers of tables go" in text]) == 1
    assert len([text for text in about if "Triggers on tables" in text]) == 2  # and the ledger's


def test_nothing_is_asked_without_a_database() -> None:
    assert installed.check_database() == []
    assert installed.check_database(databases=None) == []


def test_missing_trigger() -> None:
    sql(f"DROP TRIGGER {trigger_of('zoo_ticket', 'i')} ON zoo_ticket")
    assert ids() == ["lifecycle.W105"]


def test_missing_trigger_that_a_migration_is_about_to_make(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`migrate` asks before it runs; what no migration makes, or makes otherwise, is told."""
    ours, others = trigger_of("zoo_coupon", "delete"), trigger_of("demo_user", "i")
    sql(f"DROP TRIGGER {ours} ON zoo_coupon")
    assert ids() == ["lifecycle.W105"]
    for name in ("0015_notices", "0014_stages", "0013_periods", "0012_groups", "0011_whole_rows"):
        MigrationRecorder(connection).record_unapplied("zoo", name)
    assert ids() == []
    sql(f"DROP TRIGGER {others} ON demo_user")
    assert ids() == ["lifecycle.W105"]
    monkeypatch.setattr(installed, "pending_marks", lambda using: {ours: "lifecycle other"})
    assert ids() == ["lifecycle.W105"] * 2


def test_missing_trigger_on_a_table_whose_name_has_to_be_quoted() -> None:
    table = "Zoo; it's an odd table"
    sql(f'DROP TRIGGER {trigger_of(table, "u")} ON "{table}"')
    assert ids() == ["lifecycle.W105"]


def test_missing_trigger_on_the_parent_of_a_child_table() -> None:
    sql(f"DROP TRIGGER {trigger_of('zoo_document', 'u')} ON zoo_document")
    assert ids() == ["lifecycle.W105"]


def test_new_partition_without_triggers() -> None:
    sql("CREATE TABLE planted (LIKE zoo_reading)")
    sql("ALTER TABLE zoo_reading DETACH PARTITION zoo_reading_high")
    sql("ALTER TABLE zoo_reading ATTACH PARTITION planted FOR VALUES FROM (1000) TO (MAXVALUE)")
    assert ids() == ["lifecycle.W105"] * 4
    call_command("migrate", verbosity=0)
    assert ids() == []


def test_outdated_trigger() -> None:
    sql(f"COMMENT ON FUNCTION {trigger_of('zoo_ticket', 'i')}() IS 'lifecycle older'")
    assert ids() == ["lifecycle.W106"]


@pytest.mark.parametrize("table", ["zoo_ticket", "zoo_reading_low"])
def test_disabled_trigger(table: str) -> None:
    sql(f"ALTER TABLE {table} DISABLE TRIGGER {trigger_of(table, 'u')}")
    assert ids() == ["lifecycle.W107"]


def test_trigger_for_replicas_only_counts_as_disabled() -> None:
    sql(f"ALTER TABLE zoo_ticket ENABLE REPLICA TRIGGER {trigger_of('zoo_ticket', 'u')}")
    assert ids() == ["lifecycle.W107"]


def test_policy_is_not_stored() -> None:
    sql("DELETE FROM lifecycle_policy WHERE name = 'tickets'")
    assert ids() == ["lifecycle.W103"]


def test_fingerprint_differs() -> None:
    sql("UPDATE lifecycle_policy SET fingerprint = 'other' WHERE name = 'tickets'")
    assert ids() == ["lifecycle.W104"]


def test_policy_in_code_only(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = Policy("planted", Token, expires="expires_at")
    monkeypatch.setitem(_policies, "planted", planted)
    assert ids() == ["lifecycle.W103"]


@pytest.mark.parametrize("expression", ["no_such_column", "label + 1", "no_such_function(label)"])
def test_sql_that_the_database_refuses(expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = Policy("planted", Token, expires=RawSQL(expression, ()))
    monkeypatch.setitem(_policies, "planted", planted)
    assert ids() == ["lifecycle.W103", "lifecycle.W108"]


def test_function_of_the_site_that_is_volatile(monkeypatch: pytest.MonkeyPatch) -> None:
    create = "CREATE FUNCTION later(timestamptz) RETURNS timestamptz LANGUAGE sql {} AS 'SELECT $1'"
    planted = Policy("planted", Token, expires=RawSQL("later(expires_at)", ()))
    monkeypatch.setitem(_policies, "planted", planted)
    sql(create.format("VOLATILE"))
    assert ids() == ["lifecycle.W103", "lifecycle.W109"]
    sql("DROP FUNCTION later(timestamptz)")
    sql(create.format("IMMUTABLE"))
    assert ids() == ["lifecycle.W103"]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE lifecycle_event DISABLE TRIGGER lifecycle_event_guard_rows",
        "DROP TRIGGER lifecycle_event_guard_rows ON lifecycle_event",
        "ALTER TABLE lifecycle_pending DISABLE TRIGGER lifecycle_pending_guard_rows",
    ],
)
def test_ledger_guard(change: str) -> None:
    sql(change)
    assert ids() == ["lifecycle.W102"]


def test_rows_held_under_the_name_of_no_model() -> None:
    sql(
        "INSERT INTO lifecycle_exception (event_id, kind, policy, model, key, since)"
        " VALUES (1, 'hold', '', 'zoo.gone', '1', now()), (2, 'hold', '', 'zoo.line', '1', now())"
    )
    assert ids() == ["lifecycle.W112"]


def test_truncate_guard_is_wanted_outside_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "is_test_database", lambda connection: False)
    assert ids() == ["lifecycle.W102", "lifecycle.W102"]
    for table in ("lifecycle_event", "lifecycle_pending"):
        sql(f"ALTER TABLE {table} ENABLE TRIGGER {table}_guard_truncate")
    assert ids() == []


def test_server_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "OLDEST", 99)
    assert ids() == ["lifecycle.E101"]


def test_before_the_first_migrate() -> None:
    sql("ALTER TABLE lifecycle_policy RENAME TO elsewhere")
    assert ids() == []


def test_warnings_do_not_keep_migrate_from_mending() -> None:
    sql("UPDATE lifecycle_policy SET fingerprint = 'other' WHERE name = 'tickets'")
    call_command("migrate", verbosity=0, skip_checks=False)
    assert ids() == []


def ties() -> dict[str, tuple[Any, str, str]]:
    """What W113 says of each table: its model, what is wrong, how to mend it."""
    found = [m for m in run_checks(tags=["database"], databases=["default"]) if m.id == W113]
    return {m.msg.split("rows of ")[1].split("'")[1]: (m.obj, m.msg, str(m.hint)) for m in found}


def test_cascades_that_no_model_declares() -> None:
    before = ties()
    sql("CREATE TABLE planted (token_id bigint REFERENCES zoo_token ON DELETE SET NULL)")
    sql("ALTER TABLE zoo_photo ADD token_id bigint REFERENCES zoo_token ON DELETE CASCADE")
    sql("ALTER TABLE cascades_visit ADD photo_id bigint REFERENCES zoo_photo ON DELETE SET DEFAULT")
    found = {table: told for table, told in ties().items() if table not in before}
    assert sorted(found) == ["cascades_visit", "planted", "zoo_photo"]
    model, text, hint = found["planted"]
    assert model is None
    assert "planted_token_id_fkey empties the links of" in text
    assert "Declare a model" in hint
    model, text, hint = found["zoo_photo"]
    assert model is Photo
    assert "zoo.Photo does not say so" in text
    assert "DB_CASCADE" in hint


@pytest.mark.parametrize("action", ["NO ACTION", "RESTRICT"])
def test_a_foreign_key_without_an_action_is_no_tie(action: str) -> None:
    before = ties()
    sql(f"CREATE TABLE planted (token_id bigint REFERENCES zoo_token ON DELETE {action})")
    assert ties() == before


def test_what_a_model_declares_is_not_told() -> None:
    told = ties()
    assert "cascades_mid" in told  # by the keys that SQL has made
    assert ("cascades_scrap" in told) is not hasattr(models, "DB_CASCADE")
    text = "".join(text for _, text, _ in told.values())
    assert "cascades_mid_sql_" in text
    assert "_db_cascade_" not in text


def test_files_that_nobody_watches_are_told_of() -> None:
    for table in ("zoo_legacy", "zoo_photo", "cascades_left"):
        sql(f"ALTER TABLE {table} ADD token_id bigint REFERENCES zoo_token ON DELETE CASCADE")
    hints = {table: "track_media(" in hint for table, (_, _, hint) in ties().items()}
    assert (hints["zoo_legacy"], hints["zoo_photo"], hints["cascades_left"]) == (True, False, False)


def test_tables_that_inherit_are_named() -> None:
    sql("CREATE TABLE zoo_heir () INHERITS (zoo_ticket)")
    sql('CREATE TABLE "Zoo heir" () INHERITS (zoo_ticket)')
    assert sorted(map(str, ids())) == ["lifecycle.W114", "lifecycle.W124", "lifecycle.W124"]
    told = [m for m in installed.check_database(databases=["default"]) if "inherits" in m.msg]
    assert [m.msg.split(" inherits")[0] for m in told] == ['"Zoo heir"', "zoo_heir"]
    assert "policy 'tickets' ends nothing" in told[0].msg
    sql("ALTER TABLE zoo_heir NO INHERIT zoo_ticket")
    sql('ALTER TABLE "Zoo heir" NO INHERIT zoo_ticket')
    assert ids() == []
