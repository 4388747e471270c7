"""The checks beside a site that writes: nobody waits for the other."""

import pytest

from lifecycle.promises import check as promises
from tests.support import Background, session
from tests.zoo.factories import ExpiredTokenFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_verify_waits_for_no_writer_and_no_writer_for_it() -> None:
    ExpiredTokenFactory()
    with session() as other:
        other.execute("INSERT INTO zoo_token (active, label, expires_at) VALUES (true, '', now())")
        found = Background(promises.check).result(deadline=20)  # the writer has not committed
    assert not any(found.values()), found
