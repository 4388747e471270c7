"""The roles of these tests are what their names say."""

import psycopg
import pytest

from tests.security.roles import Roles

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_role_has_its_own_rights(roles: Roles) -> None:
    with roles.session(roles.site) as site:
        site.execute("INSERT INTO zoo_token (label, active) VALUES ('', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            site.execute("SELECT FROM lifecycle_event")
    with roles.session(roles.reader) as reader:
        assert reader.execute("SELECT count(*) FROM lifecycle_event").fetchone() is not None
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT FROM zoo_token")
    with roles.session(roles.stranger) as stranger:
        for table in ("zoo_token", "lifecycle_event", "huey_task"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                stranger.execute(f"SELECT FROM {table}")
