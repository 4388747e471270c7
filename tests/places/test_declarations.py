"""What the checks say of policies whose rows, ledger or neighbours are in several databases."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.core.checks import run_checks
from django.db import connections, models
from django.db.models import Exists, OuterRef, Q
from django.test import override_settings
from django.test.utils import isolate_apps

from lifecycle import Policy
from lifecycle.checks.databases import DATABASES
from lifecycle.db.rows import home
from lifecycle.policy.databases import served
from tests.lifecycle.checks.test_declarations import messages
from tests.places.routers import Split
from tests.zoo.models import Draft, Order, Picture, Report, Ticket, Token

DEFAULT = {"expires": "expires_at"}


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Makes a second database of a kind, which nothing connects to."""

    def add(engine: str = "postgresql") -> None:
        settings = connections.settings["default"] | {"ENGINE": f"django.db.backends.{engine}"}
        monkeypatch.setitem(connections.settings, "second", settings)

    add()
    yield add
    if hasattr(connections._connections, "second"):
        del connections["second"]


def ids(policy: Policy, *elsewhere: str, ledgers: bool = True) -> list[str]:
    """The ids of these checks where some models are in the second database."""
    with override_settings(DATABASE_ROUTERS=[Split(*elsewhere, ledgers=ledgers)]):
        return [str(m.id) for m in messages(policy) if m.id in OURS]


OURS = {f"lifecycle.E{number:03}" for number in (13, 15, 16, 17, 18)}
pytestmark = pytest.mark.usefixtures("second")


def test_there_is_a_paragraph_for_each() -> None:
    assert len(DATABASES) == len(OURS)


def test_other_kind_of_database(second: Callable[[str], None]) -> None:
    second("sqlite3")
    assert ids(Policy("planted", Token, **DEFAULT), "zoo.token") == ["lifecycle.E013"]


def test_no_ledger_in_the_tables_database() -> None:
    policy = Policy("planted", Token, **DEFAULT)
    assert ids(policy, "zoo.token", ledgers=False) == ["lifecycle.E015"]
    assert ids(policy, "zoo.token") == []
    assert ids(policy) == []


def test_database_that_nobody_looks_after() -> None:
    policy = Policy("planted", Token, **DEFAULT)
    with override_settings(LIFECYCLE_DATABASES=["default"]):
        assert ids(policy, "zoo.token") == ["lifecycle.E015"]
    with override_settings(LIFECYCLE_DATABASES=["second", "default"]):
        assert ids(policy, "zoo.token") == []


def test_keep_while_over_another_database() -> None:
    kept = Exists(Picture.objects.filter(draft=OuterRef("pk")))
    inside = Exists(Draft.objects.filter(Exists(Picture.objects.filter(draft=OuterRef("pk")))))
    among = Q(pk__in=Picture.objects.values("draft"))
    for condition in (kept, inside, among):
        policy = Policy("planted", Draft, expires="created_at", keep_while=condition)
        assert "lifecycle.E016" in ids(policy, "zoo.picture")
        assert "lifecycle.E016" not in ids(policy, "zoo.draft", "zoo.picture", "zoo.contract")
    of_a_relation = Policy("planted", Draft, expires="created_at", keep_while=Q(picture__id=1))
    assert "lifecycle.E016" in ids(of_a_relation, "zoo.draft")


def test_foreign_keys_that_cross() -> None:
    cascade = Policy("planted", Order, **DEFAULT)
    assert ids(cascade, "zoo.order") == ["lifecycle.E017"]
    assert ids(cascade, "zoo.line") == ["lifecycle.E017"]
    assert ids(cascade, "zoo.order", "zoo.line") == []


def test_foreign_keys_that_cross_further_down() -> None:
    with isolate_apps("tests.zoo"):

        class Beside(models.Model):
            kind = models.ForeignKey(ContentType, models.DO_NOTHING)
            target = GenericForeignKey("kind", "object_id")
            object_id = models.IntegerField()

            class Meta:
                app_label = "zoo"

        class Above(models.Model):
            expires_at = models.DateTimeField()
            beside = GenericRelation(Beside)

            class Meta:
                app_label = "zoo"

        class Loose(models.Model):
            above = models.ForeignKey(Above, models.DO_NOTHING)

            class Meta:
                app_label = "zoo"

        class Along(models.Model):
            above = models.ForeignKey(Above, models.CASCADE)

            class Meta:
                app_label = "zoo"

        class Below(models.Model):
            along = models.ForeignKey(Along, models.PROTECT)

            class Meta:
                app_label = "zoo"

        policy = Policy("planted", Above, **DEFAULT)
        assert ids(policy, "zoo.loose") == []
        assert ids(policy, "zoo.below") == ["lifecycle.E017"]
        assert ids(policy, "zoo.beside") == ["lifecycle.E017"]


def test_parent_in_another_database() -> None:
    assert "lifecycle.E018" in ids(Policy("planted", Report, **DEFAULT), "zoo.document")
    assert ids(Policy("planted", Report, **DEFAULT), "zoo.document", "zoo.report") == []


def test_manage_py_check_tells() -> None:
    with override_settings(DATABASE_ROUTERS=[Split("zoo.picture")]):
        found = {message.id for message in run_checks(tags=["lifecycle"])}
    assert {"lifecycle.E016", "lifecycle.E017"} <= found


def test_served_are_the_databases_that_policies_write_to() -> None:
    assert served() == ["default"]
    with override_settings(DATABASE_ROUTERS=[Split("zoo.ticket")]):
        assert (served(), home(Ticket), home(Token)) == (["default", "second"], "second", "default")
    with override_settings(LIFECYCLE_DATABASES=["second"]):
        assert served() == ["second"]


def test_a_replica_is_not_served() -> None:
    with override_settings(DATABASE_ROUTERS=["tests.places.routers.ReadsElsewhere"]):
        assert served() == ["default"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"LIFECYCLE_DATABASES": ["secnd"]},
        {"LIFECYCLE_DIRECT_URL": "postgres://site:secret@[db/site"},
    ],
)
def test_settings_that_name_no_place(wrong: dict[str, object]) -> None:
    with override_settings(**wrong):
        found = [m for m in run_checks(tags=["lifecycle"]) if m.id == "lifecycle.E033"]
    assert len(found) == 1
    assert "secret" not in str(found[0])
