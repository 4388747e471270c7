"""One worker for two databases."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from tests.infra.servers import until
from tests.places.routers import SparksElsewhere
from tests.places.test_two_databases import ended
from tests.purge.worker.consumer import Consumer, address
from tests.zoo.models import Spark, Token

Start = Callable[..., Consumer]
pytestmark = [
    pytest.mark.usefixtures("second"),
    pytest.mark.django_db(transaction=True, databases=["default", "second"]),
]


@pytest.fixture(autouse=True)
def router(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [SparksElsewhere()]


def site(name: str, **more: str) -> dict[str, str]:
    """What makes a consumer a part of this site."""
    url = address(application_name=name, dbname=connections.settings["second"]["NAME"])
    known = {"DJANGO_SETTINGS_MODULE": "tests.places.site", "SECOND_URL": url}
    return known | {"ROUTER": "tests.places.routers.SparksElsewhere"} | more


def burn(count: int = 30) -> None:
    """Rows that end soon in both; waits for that."""
    due = timezone.now() + timedelta(seconds=1)
    Spark.objects.bulk_create(Spark(flash=True, expires_at=due) for _ in range(count))
    Token.objects.bulk_create(Token(expires_at=due) for _ in range(count))
    until(lambda: not (Spark.objects.exists() or Token.objects.exists()), 20)


@pytest.mark.slow
def test_one_worker_for_both(consumer: Start) -> None:
    working = consumer("both", **site("both"))
    burn()
    assert (ended("default"), ended("second")) == ({"tokens": 30}, {"flashes": 30})
    assert working.end() == 0


@pytest.mark.slow
def test_a_database_that_is_away_holds_up_no_other(consumer: Start) -> None:
    away = "postgres://nobody@127.0.0.1:1/none"
    working = consumer("half", **site("half", SECOND_URL=away))
    Token.objects.create(expires_at=timezone.now() + timedelta(seconds=1))
    until(lambda: not Token.objects.exists(), 15)
    assert not working.has_ended()
    until(lambda: "pulse failed" in working.log.read_text())
