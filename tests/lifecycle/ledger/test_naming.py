"""`app.Model:pk`, the name of a row."""

import pytest

from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.ledger.row_names import named, parse, row_of
from tests.zoo import factories, models


@pytest.mark.django_db
def test_a_row_is_found_by_its_name():
    token = factories.LiveTokenFactory()
    assert named(token) == f"zoo.Token:{token.pk}"
    assert row_of(named(token)) == token
    assert row_of(f"zoo.token:{token.pk}") == token


@pytest.mark.django_db
def test_a_row_that_is_gone_has_a_name_too():
    assert parse("zoo.Draft:1000000000") == (models.Draft, "1000000000")
    with pytest.raises(RowMissing):
        row_of("zoo.Draft:1000000000")


@pytest.mark.parametrize(
    "name", ["", "zoo.Token", "zoo.Token:", "Token:1", "zoo.Nothing:1", "zoo.Draft:one", "a.b.c:1"]
)
def test_what_names_no_row_is_refused(name):
    with pytest.raises(LifecycleError):
        parse(name)
