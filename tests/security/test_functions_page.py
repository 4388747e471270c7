"""Who may call what of the schema: page, list of roles and catalogue say the same."""

import pytest
from django.db import connection

from lifecycle.install.roles import FUNCTIONS
from tests.security.functions_page import PAGE, callers, page


def test_the_page_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.security.functions_page"


@pytest.mark.django_db
def test_the_catalogue_gives_everybody_what_the_page_says() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc"
            " WHERE pronamespace = 'lifecycle'::regnamespace"
        )
        there = dict(cursor.fetchall())
    assert there == {name: who == "everybody" for name, who in callers().items()}


def test_a_role_is_given_what_is_there() -> None:
    for names in FUNCTIONS.values():
        assert set(names) <= set(callers())
        assert [name for name in names if callers()[name] == "everybody"] == []
