"""The how-to about holds, done word for word."""

import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from lifecycle import holds
from lifecycle.models import RowException
from tests.lifecycle.management.test_commands import manage
from tests.support import kinds, let_pass, run_until_idle
from tests.zoo.factories import LineFactory
from tests.zoo.models import Line, Order

pytestmark = pytest.mark.django_db(transaction=True)

GUIDE = Path(__file__).parent.parent.parent.parent / "docs" / "how-to" / "keep-a-row.md"
RUN = re.compile(r"^\$ python manage.py (.*)$", re.MULTILINE)


def commands(row: Order) -> list[list[str]]:
    """The guide's commands, about an order of the zoo and its lines."""
    text = GUIDE.read_text().replace("shop.Customer:7", f"zoo.Order:{row.pk}")
    text = text.replace("shop.Order", "zoo.Line").replace("customer=7", f"order={row.pk}")
    text = text.replace("--policy unpaid-orders", "--policy people")
    return [shlex.split(line) for line in RUN.findall(text)]


def test_the_guide() -> None:
    order = LineFactory().order
    LineFactory(order=order)
    LineFactory()
    one, lines, policy, listed, why, release, restore = commands(order)
    assert manage(*one).startswith("Hold ")
    assert "2 rows of zoo.Line" in manage(*lines)
    manage(*policy)
    assert "CASE-12" in manage(*listed)
    assert [each.rows for each in holds()] == [1, 2, 0]
    assert "is past its end, and held (hold" in manage(*why)
    run_until_idle()
    let_pass(timedelta(days=2))
    run_until_idle()
    assert list(Order.objects.all()) == [order]
    assert set(Line.objects.all()) == set(Line.objects.filter(order=order))
    assert manage(*release) == "Released 3 holds.\n"
    assert not RowException.objects.exists()
    run_until_idle()  # tombstoned: its grace begins now
    assert kinds(policy="orders")[-1] == "tombstoned"
    assert "is live" in manage(*restore)
    let_pass(timedelta(days=2))
    run_until_idle()
    assert Order.objects.get() == order
