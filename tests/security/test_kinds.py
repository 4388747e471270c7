"""A role is of one kind: not of two by membership, and not still of the one that it was."""

import io

import pytest
from django.core.management import CommandError, call_command

from lifecycle.db.connection import scalar
from lifecycle.install import roles as install
from lifecycle.install.granted import grant_again
from tests.hostile.roles import run
from tests.security.roles import Roles

pytestmark = pytest.mark.django_db(transaction=True)

USES = """SELECT bool_or(has_sequence_privilege(%(role)s, oid, 'USAGE, SELECT, UPDATE'))
    FROM pg_class WHERE relkind = 'S' AND relname ~ '^(lifecycle|purge|huey)_'
    AND relname !~ '^purge_(plan|request|forecast)'"""  # what people ask for


def granted(site: str, worker: str, reader: str) -> str:
    out = io.StringIO()
    given = ["--site", site, "--worker", worker, "--reader", reader]
    call_command("lifecycle", "grants", *given, "--apply", stdout=out)
    return out.getvalue()


def test_a_role_that_is_another_by_membership_is_refused(roles: Roles) -> None:
    names = [roles.site, roles.stranger, roles.reader]
    before = scalar("default", "SELECT array_agg(relacl::text ORDER BY oid) FROM pg_class")
    for one, other in (names[:2], names[1:], names[::-2]):
        run("GRANT {} TO {}", other, one)
        with pytest.raises(CommandError, match="has the rights of both"):
            granted(*names)
        run("REVOKE {} FROM {}", other, one)
    assert scalar("default", "SELECT array_agg(relacl::text ORDER BY oid) FROM pg_class") == before
    assert "may also" not in granted(*names)


@pytest.mark.slow
def test_what_a_role_keeps_of_its_earlier_kind_is_taken_or_said(roles: Roles) -> None:
    """Of the ledger and the queue it is taken; of the site's tables it is said."""
    site, worker, reader = roles.site, roles.stranger, roles.reader
    granted(site, worker, reader)
    assert scalar("default", USES, {"role": worker})
    said = granted(site=worker, worker=reader, reader=site)
    assert f"{site} may also DELETE on" in said
    assert "more than the reader needs" in said
    assert not scalar("default", USES, {"role": worker})
    write = "SELECT has_table_privilege(%(role)s, %(table)s, 'INSERT, UPDATE, DELETE')"
    for table in (*install.LEDGER, "huey_task", "purge_run"):
        assert not scalar("default", write, {"role": worker, "table": table})


@pytest.mark.slow
def test_an_officer_is_granted_again_what_it_had(roles: Roles) -> None:
    names = ["--site", roles.site, "--worker", roles.stranger, "--officer", roles.reader]
    call_command("lifecycle", "grants", *names, "--apply", stdout=io.StringIO())
    for role in (roles.site, roles.reader):
        run("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA lifecycle FROM {}", role)
    grant_again("default")
    may = "SELECT has_function_privilege(%(role)s, 'lifecycle.plan_v1(text,text,jsonb)', 'EXECUTE')"
    assert scalar("default", may, {"role": roles.reader})
    assert not scalar("default", may, {"role": roles.site})


@pytest.mark.slow
def test_what_is_granted_again_is_no_more_than_before(roles: Roles) -> None:
    """Also to one that may read all there is, and to one that is a member of another since."""
    site, worker, reader = roles.site, roles.stranger, roles.reader
    granted(site, worker, reader)
    run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}", reader)
    run("GRANT {} TO {}", reader, site)
    may = """SELECT array_agg((role, oid::regprocedure)::text ORDER BY role, oid)
        FROM pg_proc, unnest(%(roles)s::text[]) AS role
        WHERE pronamespace = 'lifecycle'::regnamespace
        AND has_function_privilege(role, oid, 'EXECUTE')"""
    names = {"roles": [site, worker, reader]}
    before = scalar("default", may, names)
    for role in names["roles"]:
        run("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA lifecycle FROM {}", role)
    assert scalar("default", may, names) != before
    run("REVOKE INSERT ON zoo_ticket FROM {}", site)
    assert grant_again("default") == sorted(names["roles"])
    assert scalar("default", may, names) == before
    write = "SELECT has_table_privilege(%(role)s, 'zoo_ticket', %(right)s)"
    for role, right in ((reader, "INSERT, UPDATE, DELETE"), (site, "INSERT")):
        assert not scalar("default", write, {"role": role, "right": right})
