"""Names of the host's that are names of the package's own SQL as well."""

import pytest
from django.db import connection

from lifecycle.compiler.policy_sql import compiled
from lifecycle.policy.registry import get_policy
from purge.runner import run_due
from tests.zoo.factories import PictureFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("name", ["holds", "renewed", "excepted", "elsewhere"])
def test_table_with_a_name_that_the_worker_uses_itself(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE VIEW {name} AS SELECT * FROM zoo_picture")
        cursor.execute(
            "UPDATE lifecycle_policy SET state_sql = replace(state_sql, '\"zoo_picture\"', %s)"
            " WHERE name = 'drafts'",
            [f'"{name}"'],
        )
        try:
            PictureFactory()
            assert run_due()["drafts"].kept == 1
        finally:
            cursor.execute(f"DROP VIEW {name}")
            cursor.execute(
                "UPDATE lifecycle_policy SET state_sql = %s WHERE name = 'drafts'",
                [compiled(get_policy("drafts")).state_sql],
            )
