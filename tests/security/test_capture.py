"""Nobody but the engine aims the ledger: not by calling functions, not by what a session sets."""

import hmac
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from lifecycle import context, hold
from lifecycle.install.after_migrate import store, sync
from lifecycle.install.roles import FUNCTIONS
from lifecycle.install.triggers import outdated_functions
from lifecycle.models import Event, Kind, PolicyState, RowException
from lifecycle.policy.registry import get_policy
from tests.security.roles import Roles
from tests.support import kinds, session
from tests.zoo.factories import ExpiredTokenFactory, LiveTokenFactory
from tests.zoo.models import Token, Upload

pytestmark = pytest.mark.django_db(transaction=True)

DENIED = psycopg.errors.InsufficientPrivilege
INSERT = "INSERT INTO zoo_token (label, active, expires_at) VALUES ('', true, '2100-01-01')"
ONE = "ROW(ARRAY[1]::bigint[], NULL, NULL, NULL)::lifecycle.subjects"
PEOPLE = ("restored", "expired_by_hand", "hold_placed", "hold_released")
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


@pytest.fixture
def spoken(roles: Roles) -> Iterator[psycopg.Connection[Any]]:
    """The site's session, with the functions that a site's role is given."""
    for name in FUNCTIONS["site"]:
        run(f'GRANT EXECUTE ON FUNCTION lifecycle.{name} TO "{roles.site}"')
    with roles.session(roles.site) as site:
        yield site


def say(kind: str, detail: str, keys: str = ONE, policy: str = "tokens") -> str:
    model = "zoo.token"
    return f"record_v1('{kind}', '{policy}', '{model}', {keys}, '{detail}')"


REFUSED = [
    *(say(kind, "{}") for kind in Kind.values if kind not in PEOPLE),
    *(say("restored", f'{{"{key}": true}}') for key in ("dropped", "tombstone", "names", "x")),
    *(say("expired_by_hand", f'{{"{key}": 1}}') for key in ("grace", "override", "grace_skipped")),
    *(say("hold_placed", f'{{"reason": {value}}}') for value in ("1", "{}", "[]", "null", "true")),
    say("hold_placed", '{"until": "infinity"}'),
    say("hold_placed", '{"until": 1}'),
    say("restored", '{"again": "true"}'),
    say("hold_released", '{"holds": [999999]}'),
    say("hold_released", "{}"),
    say("hold_released", '{"holds": []}'),
    say("hold_released", '{"holds": ["1"]}'),
    say("restored", '{"again": false}'),
    say("hold_placed", '{"until": "20000-01-01"}', policy=""),
    say(
        "restored", "{}", keys="ROW(ARRAY[1]::bigint[], NULL, ARRAY['a'], NULL)::lifecycle.subjects"
    ),
    say("restored", "{}", keys="lifecycle.one_v1('text', 'abc')"),
    say("hold_placed", "{}", keys="ROW(NULL, NULL, NULL, int8range(1, 10003))::lifecycle.subjects"),
    say("restored", "{}", policy="other"),
    say("restored", "{}", policy=""),
    say("restored", "{}", keys="NULL"),
    say("expired_by_hand", "{}", keys="NULL"),
]


@pytest.mark.slow
@pytest.mark.parametrize("call", REFUSED)
def test_a_site_says_of_rows_what_people_may_say(
    spoken: psycopg.Connection[Any], call: str
) -> None:
    before = Event.objects.count()
    refused = (DENIED, psycopg.errors.NoDataFound)
    with pytest.raises(refused, match=r"may be recorded|there is no such"):
        spoken.execute(f"SELECT lifecycle.{call}")
    assert Event.objects.count() == before


def test_a_site_holds_releases_and_restores(spoken: psycopg.Connection[Any], roles: Roles) -> None:
    row = LiveTokenFactory()
    keys = ONE.replace("[1]", f"[{row.pk}]")
    with spoken.transaction():
        spoken.execute("SET LOCAL lifecycle.actor = 'the boss'")
        held = say("hold_placed", '{"reason": "a", "until": null}', keys, policy="")
        (number,) = spoken.execute(f"SELECT lifecycle.{held}").fetchone() or ()
        restored = say("restored", '{"again": true, "until": "2100-01-01T00:00:00+00:00"}', keys)
        spoken.execute(f"SELECT lifecycle.{restored}")
    released = say("hold_released", json.dumps({"holds": [number]}), keys, policy="")
    spoken.execute(f"SELECT lifecycle.{released}")
    spoken.execute(f"SELECT lifecycle.look_again_v1({number})")
    said = {event.kind: event for event in Event.objects.order_by("id")}
    assert said["hold_placed"].actor == "the boss"
    assert said["hold_placed"].detail["claimed"] == roles.site
    assert said["restored"].subjects == [str(row.pk)]
    assert "claimed" not in said["hold_released"].detail, "nobody was named"
    assert not RowException.objects.filter(kind="hold").exists()


def test_signals_of_a_site_say_what_its_own_delete_would(
    spoken: psycopg.Connection[Any], roles: Roles
) -> None:
    spoken.execute(
        "SELECT"
        " lifecycle.saved_v1('legacy', 'zoo.legacy', 'bigint', '7', '2100-01-01', '1 s', false)"
        ", lifecycle.saved_v1('legacy', 'zoo.token', 'bigint', '7', '2100-01-01', '1 s', false),"
        " lifecycle.saved_v1('nobody', 'zoo.legacy', 'bigint', '7', '2100-01-01', '1 s', false),"
        " lifecycle.unevaluated_v1('legacy', 'zoo.legacy', 'bigint', '8', 'a secret value'),"
        " lifecycle.removed_v1('zoo.legacy', 'bigint', '9'),"
        " lifecycle.removed_v1('no.model', 'bigint', '9'),"
        " lifecycle.unshown_v1('zoo.legacy', 'file', 'a.txt')"
    )
    said = Event.objects.exclude(kind__in=["policy_changed", "truncated"]).order_by("id")
    kinds_said = [event.kind for event in said]
    assert kinds_said == ["expiry_scheduled", "capture_failed", "deleted", "media_orphaned"]
    assert said[1].detail == {"again": True, "sqlstate": "XX000"}
    assert said[3].due_at - said[3].recorded_at > timedelta(hours=23)


def test_what_the_owner_and_the_worker_say_is_no_claim(roles: Roles) -> None:
    for may in (False, True):
        if may:
            run(f'GRANT EXECUTE ON FUNCTION lifecycle.announce_v1 TO "{roles.site}"')
        with roles.session(roles.site) as site, site.transaction():
            site.execute("SET LOCAL lifecycle.cause = 'import'")
            site.execute(INSERT)
    with context(cause="import"):
        LiveTokenFactory()
    said = Event.objects.filter(kind="expiry_scheduled").order_by("id")
    assert [event.cause for event in said] == ["import"] * 3
    assert [event.detail.get("claimed") for event in said] == [roles.site, None, None]


def test_hmac_is_that_of_the_standard() -> None:
    chance = random.Random(7)
    with connection.cursor() as cursor:
        for length in range(0, 200, 9):
            key, message = chance.randbytes(32), chance.randbytes(length)
            cursor.execute("SELECT lifecycle.hmac_v1(%s, %s)", [key, message])
            assert bytes(cursor.fetchone()[0]) == hmac.digest(key, message, "sha256")


@pytest.mark.slow
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
