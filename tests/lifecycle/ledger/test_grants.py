"""What a role with rights on its own table, and nothing else, can and cannot do."""

from collections.abc import Iterator

import pytest
from django.db import ProgrammingError, connection, transaction

from lifecycle.models import AgendaEntry, Event, PolicyState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _clerk() -> Iterator[None]:
    """The connection acts as a role that may write `zoo_token` and read nothing of the ledger."""
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS zoo_ledger_clerk")
        cursor.execute("CREATE ROLE zoo_ledger_clerk")
        cursor.execute("GRANT INSERT, UPDATE, DELETE, SELECT ON zoo_token TO zoo_ledger_clerk")
        cursor.execute("SET ROLE zoo_ledger_clerk")
        yield
        cursor.execute("RESET ROLE")
        cursor.execute("DROP OWNED BY zoo_ledger_clerk")
        cursor.execute("DROP ROLE zoo_ledger_clerk")


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.usefixtures("_clerk")
def test_what_a_role_writes_is_recorded_without_rights_on_the_ledger() -> None:
    soon = "now() + interval '1 hour'"
    run(f"INSERT INTO zoo_token (label, active, expires_at) VALUES ('', true, {soon})")
    run("UPDATE zoo_token SET expires_at = expires_at + interval '1 hour'")
    run("DELETE FROM zoo_token")
    run("RESET ROLE")
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert {"expiry_scheduled", "deleted"} <= kinds
    assert AgendaEntry.objects.count() == 2


@pytest.mark.usefixtures("_clerk")
@pytest.mark.parametrize(
    "forgery",
    [
        "SELECT lifecycle.rebuild_v1()",
        "SELECT lifecycle.keys_v1(1)",
        "SELECT lifecycle.write_v1('settled', '', '', NULL, 0, NULL, NULL, NULL, '{}', '{1}')",
        "DELETE FROM lifecycle_agenda",
    ],
)
def test_a_role_cannot_settle_or_read_what_is_not_its_own(forgery: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        run(forgery)


@pytest.mark.usefixtures("_clerk")
def test_a_role_cannot_say_more_than_that_a_row_has_ended() -> None:
    """The setting that names what a DELETE is can be set by anybody."""
    saying = '{"model": "zoo.token", "kind": "halted", "policy": "tokens",'
    saying += ' "detail": {"state": "halted"}}'
    with transaction.atomic():
        run(f"SELECT set_config('lifecycle.ending', '{saying}', true)")
        run("INSERT INTO zoo_token (label, active) VALUES ('', true)")
        run("DELETE FROM zoo_token")
    run("RESET ROLE")
    assert Event.objects.latest("id").kind == "deleted"
    assert PolicyState.objects.get(name="tokens").state == "enabled"
