"""The guide of erasure, done as it is written; tests/soak follows the others, in the same site."""

import re
from collections.abc import Iterator

import pytest

from tests.advice.following import Site, fresh, marked

CUSTOMER_7 = """
INSERT INTO shop_customer (id, name) VALUES (7, 'ann'), (8, 'bob');
INSERT INTO shop_address (customer_id) VALUES (7), (7), (8);
INSERT INTO shop_avatar (customer_id, file) VALUES (7, 'avatars/7.png'), (8, 'avatars/8.png');
INSERT INTO shop_order (customer_id) VALUES (7), (7), (7), (8);
"""


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, database_server: None, worker_id: str
) -> Iterator[Site]:
    with fresh(tmp_path_factory.mktemp("followed"), f"test_followed_{worker_id}") as site:
        yield site


@pytest.mark.slow
def test_answer_an_erasure_request(site: Site) -> None:
    """answer-an-erasure-request.md"""
    (_, policy), (_, request), (_, code) = marked("answer-an-erasure-request.md")
    site.append("shop/policies.py", policy)
    site.manage("makemigrations -v0", "migrate -v0")
    site.sql(CUSTOMER_7)
    site.files("media/avatars/7.png", "media/avatars/8.png")
    site.typed(request)
    assert site.sql("SELECT count(*) FROM shop_customer") == [(2,)]
    site.typed(request.splitlines()[0].replace("--dry-run", "--yes"))
    told = site.code(f"{USER}\n{code}\n{SHOWN}")
    assert re.findall(r"shop.Customer:(\d+), reference DSR-12", told) == ["7", "1"]
    assert site.sql("SELECT count(*), count(customer_id) FROM shop_order") == [(4, 1)]
    assert site.sql("SELECT customer_id FROM shop_address") == [(8,)]
    assert site.names("media/avatars") == ["8.png"]


USER = """
from types import SimpleNamespace
from shop.models import Customer
customer = Customer.objects.create(name="cyd")
request = SimpleNamespace(user=SimpleNamespace(username="ada"))
"""
SHOWN = """
from django.core.management import call_command
print(*(each.as_text() for each in purge.receipts("DSR-12")))
call_command("purge")
"""
