"""Nobody but the engine aims the ledger: not by calling functions, not by what a session sets."""

import hmac
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from lifecycle import hold
from lifecycle.install.after_migrate import store, sync
from lifecycle.install.triggers import outdated_functions
from lifecycle.models import Event, PolicyState
from lifecycle.policy.registry import get_policy
from tests.security.roles import Roles
from tests.support import kinds, session
from tests.zoo.factories import ExpiredTokenFactory, LiveTokenFactory
from tests.zoo.models import Token, Upload

pytestmark = pytest.mark.django_db(transaction=True)

DENIED = psycopg.errors.InsufficientPrivilege
INSERT = "INSERT INTO zoo_token (label, active, expires_at) VALUES ('', true, '2100-01-01')"
ONE = "ROW(ARRAY[1]::bigint[], NULL, NULL, NULL)::lifecycle.subjects"
FORGERIES = {
    "takes a restore back": f"""scheduled_v1('tokens', 'zoo.token', {ONE}, ARRAY[now()],
        '{{"relisted": "x", "dropped": true}}')""",
    "has a row kept for ever": f"""scheduled_v1('tokens', 'zoo.token', {ONE}, ARRAY[now()],
        '{{"again": true}}')""",
    "skips a grace": f"""scheduled_v1('tokens', 'zoo.token', {ONE}, ARRAY[now()],
        '{{"tombstone": 1}}')""",
    "has a file deleted": "media_orphaned_v1('zoo.upload', 'file', ARRAY['a.txt'], interval '0')",
    "lists keys": "excepted_keys_v1('tokens', '{1}')",
    "asks whether there are any": "excepted_v1('tokens')",
    "has a replay end a live row": f"ended_v1('zoo.token', {ONE}, 1)",
    "hashes a guess": f"ended_v1('zoo.member', {ONE}, 1, ARRAY['a'::bytea], 'email')",
    "hashes it itself": "identities_v1(ARRAY['a'::bytea])",
    "takes all restores of a table": "truncated_v1('zoo.token')",
    "lists windows": "windowed_v1('pings', 'zoo.ping', ARRAY[now()], 'day', NULL, '{}')",
    "has rows tried for ever": f"capture_failed_v1('tokens', 'zoo.token', {ONE}, '22012')",
    "reads what is announced": "ending_v1('zoo.token')",
    "writes what it likes": "write_v1('x', '', '', NULL, 0, NULL, NULL, NULL, '{}', NULL)",
    "reads keys": "keys_v1(1)",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_role_may_call_what_records(roles: Roles, forgery: str) -> None:
    before = Event.objects.count()
    for role in (roles.site, roles.reader, roles.stranger):
        with roles.session(role) as other, pytest.raises(DENIED, match="for function"):
            other.execute(f"SELECT lifecycle.{FORGERIES[forgery]}")
    assert Event.objects.count() == before


def test_nobody_puts_a_trigger_function_on_a_table_of_his_own(roles: Roles) -> None:
    functions = trigger_functions()
    assert len(functions) > 50
    with own_schema(roles) as mine, roles.session(roles.site) as site:
        site.execute(f"CREATE TABLE {mine}.bait (LIKE zoo_token)")
        for name in functions:
            with pytest.raises(DENIED, match="for function"):
                site.execute(
                    f"CREATE TRIGGER t AFTER INSERT ON {mine}.bait"
                    " REFERENCING NEW TABLE AS new_rows"
                    f" FOR EACH STATEMENT EXECUTE FUNCTION public.{name}()"
                )


# What the bodies of triggers call, under the same names, by a writer who wants nothing recorded.
LURES = (
    "FUNCTION to_regnamespace(text) RETURNS regnamespace LANGUAGE sql AS"
    " 'SELECT NULL::regnamespace'",
    "FUNCTION to_regnamespace(unknown_text) RETURNS regnamespace LANGUAGE sql AS"
    " 'SELECT NULL::regnamespace'",
    "FUNCTION array_append(anyarray, anyelement) RETURNS anyarray LANGUAGE sql AS 'SELECT $1'",
    "FUNCTION nothing(anyarray, bigint) RETURNS anyarray LANGUAGE sql AS 'SELECT $1'",
    "AGGREGATE array_agg(bigint) (SFUNC = pg_catalog.array_append, STYPE = bigint[])",
    "FUNCTION cardinality(anyarray) RETURNS int LANGUAGE sql AS 'SELECT 0'",
    "FUNCTION never(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT false'",
    "OPERATOR > (FUNCTION = never, LEFTARG = bigint, RIGHTARG = bigint)",
    "OPERATOR = (FUNCTION = never, LEFTARG = bigint, RIGHTARG = bigint)",
)


@pytest.mark.parametrize("path", ["mine", "mine, public, pg_catalog", "pg_temp, mine, pg_catalog"])
def test_no_search_path_silences_the_ledger(roles: Roles, path: str) -> None:
    with own_schema(roles) as mine, roles.session(roles.site) as site:
        site.execute(f"SET search_path = {mine}")
        site.execute("CREATE DOMAIN unknown_text AS text")
        for lure in LURES:
            site.execute(f"CREATE {lure}")
        site.execute(f"SET search_path = {path.replace('mine', mine)}")
        site.execute(INSERT.replace("zoo", "public.zoo"))
        site.execute("UPDATE public.zoo_token SET expires_at = '2101-01-01'")
        site.execute("DELETE FROM public.zoo_token")
    assert kinds() == ["expiry_scheduled", "expiry_scheduled", "deleted"]


def test_no_search_path_passes_by_an_enforced_hold(
    roles: Roles, enforce: Callable[[str], None]
) -> None:
    enforce("tokens")
    hold(LiveTokenFactory())
    with own_schema(roles) as mine, roles.session(roles.site) as site:
        site.execute(f"SET search_path = {mine}")
        site.execute(f"CREATE {LURES[0]}")
        site.execute(f"SET search_path = {mine}, public, pg_catalog")
        with pytest.raises(psycopg.errors.RestrictViolation, match="is held by hold"):
            site.execute("DELETE FROM zoo_token")
    assert Token.objects.count() == 1


def announcement(**said: Any) -> str:
    base = {"model": "zoo.token", "kind": "purged", "policy": "tokens", "run": 1}
    return json.dumps(base | {"detail": {"reference": "boss", "grace_skipped": True}} | said)


@pytest.mark.parametrize("proof", ["", "0" * 64, "0" * 63, "ab", "é" * 64])
def test_no_setting_passes_a_delete_off_as_the_engines(roles: Roles, proof: str) -> None:
    other = LiveTokenFactory()
    basis = Event.objects.get(kind="expiry_scheduled").pk
    row = LiveTokenFactory()
    Upload.objects.create(file="a.txt")
    with roles.session(roles.site) as site, site.transaction():
        said = proof + announcement(basis=basis, count=1)
        site.execute("SELECT set_config('lifecycle.ending', %s, true)", [said])
        site.execute("DELETE FROM zoo_token WHERE id = %s", [row.pk])
        site.execute("DELETE FROM zoo_upload")
    told = Event.objects.get(kind="deleted", model="zoo.token")
    assert (told.subjects, told.policy, told.run) == ([str(row.pk)], "", None)
    assert told.detail == {"unproven": True}
    orphaned = Event.objects.get(kind="media_orphaned")
    assert orphaned.due_at > orphaned.recorded_at, "its grace is not over"
    assert list(Token.objects.all()) == [other]
    assert "purged" not in kinds()


def test_no_setting_passes_by_an_enforced_hold(
    roles: Roles, enforce: Callable[[str], None]
) -> None:
    enforce("tokens")
    row, other = LiveTokenFactory(), LiveTokenFactory()
    hold(row)
    basis = Event.objects.filter(kind="expiry_scheduled").latest("id").pk
    with roles.session(roles.site) as site:
        for said in (announcement(basis=basis, count=1), announcement(), "nonsense"):
            site.execute("SELECT set_config('lifecycle.ending', %s, false)", [said])
            with pytest.raises(psycopg.errors.RestrictViolation):
                site.execute("DELETE FROM zoo_token WHERE id = %s", [row.pk])
        site.execute("DELETE FROM zoo_token WHERE id = %s", [other.pk])
    assert list(Token.objects.all()) == [row]
    assert kinds() == ["expiry_scheduled", "expiry_scheduled", "hold_placed", "deleted"]


def test_a_proof_is_of_one_transaction_of_one_session_and_one_text(roles: Roles) -> None:
    ExpiredTokenFactory.create_batch(4)
    with session() as worker:
        worker.execute("SELECT lifecycle.announce_v1(%s)", [announcement()])
        (proven,) = worker.execute("SELECT current_setting('lifecycle.ending')").fetchone() or ()
        worker.execute("DELETE FROM zoo_token WHERE id = (SELECT min(id) FROM zoo_token)")
        worker.execute("SELECT set_config('lifecycle.ending', %s, true)", [proven + " "])
        worker.execute("DELETE FROM zoo_token WHERE id = (SELECT min(id) FROM zoo_token)")
        worker.commit()
        worker.execute("SELECT set_config('lifecycle.ending', %s, true)", [proven])
        worker.execute("DELETE FROM zoo_token WHERE id = (SELECT min(id) FROM zoo_token)")
    with roles.session(roles.site) as site, site.transaction():
        site.execute("SELECT set_config('lifecycle.ending', %s, true)", [proven])
        site.execute("DELETE FROM zoo_token")
    assert kinds()[4:] == ["purged", "deleted", "deleted", "deleted"]
    ends = Event.objects.filter(kind="deleted")
    assert [event.detail for event in ends] == [{"unproven": True}] * 3


def test_only_the_engine_makes_a_proof(roles: Roles) -> None:
    for role in (roles.site, roles.reader, roles.stranger):
        with roles.session(role) as other:
            for call in ("announce_v1('{}')", "proof_v1('')", "hmac_v1('', '')"):
                with pytest.raises(DENIED, match="for function"):
                    other.execute(f"SELECT lifecycle.{call}")
            with pytest.raises(DENIED, match="for table salt"):
                other.execute("SELECT * FROM lifecycle.salt")


def test_hmac_is_that_of_the_standard() -> None:
    chance = random.Random(7)
    with connection.cursor() as cursor:
        for length in range(0, 200, 9):
            key, message = chance.randbytes(32), chance.randbytes(length)
            cursor.execute("SELECT lifecycle.hmac_v1(%s, %s)", [key, message])
            assert bytes(cursor.fetchone()[0]) == hmac.digest(key, message, "sha256")


def test_migrate_renews_functions_that_an_older_release_has_made(roles: Roles) -> None:
    """Neither a migration of the host nor a lock on its table is needed."""
    (name,) = (each for each in trigger_functions() if each.startswith("pgtrigger_lc_tokens_i"))
    (mark,) = one(f"SELECT obj_description('{name}'::regproc)")
    made = definition(name)
    for change in (
        f"ALTER FUNCTION {name}() SECURITY INVOKER",
        f"ALTER FUNCTION {name}() RESET search_path",
        f"ALTER FUNCTION {name}() SET search_path = public",
        f"GRANT EXECUTE ON FUNCTION {name}() TO PUBLIC",
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
        " SET search_path = pg_catalog, public, pg_temp AS 'BEGIN RETURN NULL; END'",
    ):
        run(change)
        assert [each.pgid for each in outdated_functions("default")] == [name], change
        with roles.session(roles.site) as site:
            site.execute("BEGIN")
            site.execute("SELECT FROM zoo_token")  # what DDL on the table would wait for
            sync("default")
            site.execute("COMMIT")
        assert definition(name) == made
        assert not outdated_functions("default")
    assert mark.startswith("lifecycle ")


def test_a_function_of_another_declaration_is_not_renewed() -> None:
    """Its migration has not run yet, or is that of newer code: checks tell."""
    (name,) = (each for each in trigger_functions() if each.startswith("pgtrigger_lc_tokens_i"))
    (mark,) = one(f"SELECT obj_description('{name}'::regproc)")
    run(f"COMMENT ON FUNCTION {name}() IS 'lifecycle other'")
    run(f"ALTER FUNCTION {name}() SECURITY INVOKER")
    sync("default")
    assert one(f"SELECT prosecdef FROM pg_proc WHERE proname = '{name}'") == (False,)
    run(f"COMMENT ON FUNCTION {name}() IS '{mark}'")
    sync("default")
    assert one(f"SELECT prosecdef FROM pg_proc WHERE proname = '{name}'") == (True,)


@pytest.fixture
def enforce() -> Iterator[Callable[[str], None]]:
    """Says `holds="enforced"` for a policy, as a deployment with `migrate` does."""
    with pytest.MonkeyPatch.context() as patch:

        def enforce(name: str) -> None:
            patch.setattr(get_policy(name), "holds", "enforced")
            store(get_policy(name), "default")

        yield enforce
    for state in PolicyState.objects.filter(enforced=True):
        store(get_policy(state.name), "default")


@contextmanager
def own_schema(roles: Roles) -> Iterator[str]:
    """A schema of the site's own, as a role has that may CREATE in the database; its name."""
    name = sql.Identifier(f"{roles.site}_own")
    owner = sql.Identifier(roles.site)
    run(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(name, owner).as_string())
    yield name.as_string()
    run(sql.SQL("DROP SCHEMA {} CASCADE").format(name).as_string())


def trigger_functions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'pgtrigger\\_lc\\_%' ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def definition(name: str) -> Any:
    return one(
        f"SELECT pg_get_functiondef('{name}'::regproc), has_function_privilege('public',"
        f" '{name}()', 'EXECUTE')"
    )


def one(text: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchone()


def run(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)
