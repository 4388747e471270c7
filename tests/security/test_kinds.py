"""A role is of one kind: not of two by membership, and not still of the one that it was."""

import io

import pytest
from django.core.management import CommandError, call_command

from lifecycle.db.connection import scalar
from lifecycle.install import roles as install
from tests.hostile.roles import run
from tests.security.roles import Roles

pytestmark = pytest.mark.django_db(transaction=True)

USES = """SELECT bool_or(has_sequence_privilege(%(role)s, oid, 'USAGE, SELECT, UPDATE'))
    FROM pg_class WHERE relkind = 'S' AND relname ~ '^(lifecycle|purge|huey)_'"""


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
