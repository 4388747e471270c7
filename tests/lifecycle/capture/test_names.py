"""Names of the host's that are names of the package's own SQL as well."""

import pytest
from django.db import connection

from purge.runner import run_due
from tests.support import other_sql
from tests.zoo.factories import PictureFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("name", ["holds", "renewed", "excepted", "elsewhere"])
def test_table_with_a_name_that_the_worker_uses_itself(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE VIEW {name} AS SELECT * FROM zoo_picture")
        try:
            with other_sql("drafts", '"zoo_picture"', f'"{name}"'):
                PictureFactory()
                assert run_due()["drafts"].kept == 1
        finally:
            cursor.execute(f"DROP VIEW {name}")
