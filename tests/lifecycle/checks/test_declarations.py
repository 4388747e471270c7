"""Each id of a check that needs no database, triggered by the declaration it is about."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.models import Session
from django.core.checks import ERROR, CheckMessage, run_checks
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now, Random
from django.test import override_settings
from django.test.utils import isolate_apps
from django.utils import timezone

from lifecycle import Policy, Signals, Update
from lifecycle.checks import check_policies
from lifecycle.checks.databases import DATABASES
from lifecycle.checks.expressions import EXPRESSIONS
from lifecycle.checks.options import OPTIONS
from lifecycle.checks.settings import check_project
from lifecycle.checks.tables import TABLES
from lifecycle.conf import conf
from lifecycle.policy.registry import _policies
from purge.checks import check_lifecycle
from tests.infra.test_commands import DOWN, manage
from tests.zoo.models import Account, Contract, Draft, Line, Order, Picture, Report, Token

PAST_DUE = F("expires_at")
HOUR = timedelta(hours=1)


def ids(policy: Policy) -> list[str | None]:
    """The ids that a policy triggers, without registering it."""
    return [message.id for message in messages(policy)]


def messages(policy: Policy) -> list[CheckMessage]:
    return [m for check in (*TABLES, *DATABASES, *EXPRESSIONS, *OPTIONS) for m in check(policy)]


@contextmanager
def declared(*policies: Policy) -> Iterator[None]:
    """Policies in the registry, without triggers or receivers."""
    _policies.update({policy.name: policy for policy in policies})
    try:
        yield
    finally:
        for policy in policies:
            del _policies[policy.name]


def test_the_zoo_is_clean_but_for_its_signals() -> None:
    assert [message.id for message in check_policies()] == ["lifecycle.W026"]


@pytest.mark.parametrize(
    ("id_", "model", "options"),
    [
        ("E001", Line, {"when": Q(order__grace=None), "expires": F("order__expires_at")}),
        ("E001", Line, {"expires": F("order__expires_at")}),
        ("E001", Picture, {"on_request": True, "when": Q(draft__status="draft")}),
        ("E001", Draft, {"expires": F("created_at"), "when": Q(picture__isnull=True)}),
        (
            "E002",
            Draft,
            {"expires": "created_at", "when": Q(pk__in=Picture.objects.values("draft"))},
        ),
        (
            "E002",
            Draft,
            {
                "expires": "created_at",
                "when": Q(Exists(Picture.objects.filter(draft=OuterRef("pk")))),
            },
        ),
        ("E002", Line, {"expires": Subquery(Order.objects.values("expires_at")[:1])}),
        ("E002", Token, {"expires": RawSQL("(select max(seen_at) from zoo_account)", ())}),
        ("E003", Token, {"expires": "expires_at", "when": Q(expires_at__lt=Now())}),
        ("E003", Token, {"expires": F("expires_at") + HOUR * Random()}),
        ("E003", Token, {"expires": RawSQL("clock_timestamp()", ())}),
        ("E003", Token, {"expires": RawSQL("CURRENT_TIMESTAMP", ())}),
        ("E003", Token, {"expires": "expires_at", "when": Q(label=RawSQL("current_user", ()))}),
        ("E005", Token, {"expires": "expired_at"}),
        ("E005", Token, {"expires": "expires_at", "when": Q(activ=True)}),
        ("E006", Token, {"expires": "label"}),
        ("E006", Token, {"expires": F("active")}),
        ("E007", Order, {"expires": "expires_at", "grace": F("expires_at")}),
        ("E008", Draft, {"expires": "created_at", "keep_while": Q(picture__pk__gt=0)}),
        (
            "E009",
            Token,
            {"expires": "expires_at", "when": Q(expires_at__lt=timezone.now() - HOUR)},
        ),
        ("E022", Token, {"expires": "expires_at", "identity": ["pk", "lable"]}),
        ("E023", Account, {"expires": "seen_at", "disposition": Update(activ=False)}),
        ("E023", Report, {"expires": "expires_at", "disposition": Update(expires_at=None)}),
        ("E024", Account, {"expires": "seen_at", "disposition": Update(id=1)}),
        ("E024", Account, {"expires": "seen_at", "disposition": Update(pk=1)}),
        ("W025", Account, {"expires": "seen_at", "disposition": Update(email="")}),
        ("W026", Token, {"expires": "expires_at", "capture": Signals()}),
        ("W027", Token, {"expires": "expires_at", "recheck": timedelta(days=31)}),
    ],
)
def test_declaration_is_told(id_: str, model: Any, options: dict[str, Any]) -> None:
    assert f"lifecycle.{id_}" in ids(Policy("planted", model, **options))


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (Token, {"expires": "expires_at", "when": Q(label="now()") | Q(label="SELECT")}),
        (Token, {"expires": "expires_at", "when": Q(label="it's now(\\'")}),
        (
            Token,
            {"expires": "expires_at", "when": Q(expires_at__gt=datetime(2020, 1, 1, tzinfo=UTC))},
        ),
        (Report, {"expires": F("expires_at") + HOUR, "when": Q(draft=True)}),
        (Line, {"on_request": True, "when": Q(order=3) | Q(order__pk=4)}),
        (Contract, {"on_request": True, "keep_while": Q(draft__status="published")}),
        (Order, {"expires": "expires_at", "grace": "grace"}),
        (Order, {"expires": F("expires_at") + F("grace"), "keep_while": Q(expires_at__gt=Now())}),
        (Account, {"expires": "seen_at", "disposition": Update(seen_at=None, email=Value(""))}),
    ],
)
def test_sound_declaration_is_silent(model: Any, options: dict[str, Any]) -> None:
    assert ids(Policy("planted", model, **options)) == []


def test_every_message_has_a_hint_and_a_link() -> None:
    (message,) = messages(Policy("planted", Token, expires="expires_at", capture=Signals()))
    assert message.hint is not None
    assert message.hint.endswith("(docs/reference/checks.md#lifecycle-w026)")
    assert "planted" in str(message)


@isolate_apps("tests.zoo")
def test_virtual_column() -> None:
    class Virtual(models.Model):
        created_at = models.DateTimeField()
        ends_at = models.GeneratedField(
            expression=F("created_at"), output_field=models.DateTimeField(), db_persist=False
        )

        class Meta:
            app_label = "zoo"

    assert ids(Policy("planted", Virtual, expires=F("ends_at") + HOUR)) == ["lifecycle.E004"]


@isolate_apps("tests.zoo")
def test_stored_generated_column_is_fine() -> None:
    class Stored(models.Model):
        created_at = models.DateTimeField()
        ends_at = models.GeneratedField(
            expression=F("created_at"), output_field=models.DateTimeField(), db_persist=True
        )

        class Meta:
            app_label = "zoo"

    assert ids(Policy("planted", Stored, expires="ends_at")) == []


@isolate_apps("tests.zoo")
def test_composite_key() -> None:
    class Composite(models.Model):
        pk = models.CompositePrimaryKey("left", "right")
        left = models.IntegerField()
        right = models.IntegerField()
        ends_at = models.DateTimeField()

        class Meta:
            app_label = "zoo"

    assert ids(Policy("planted", Composite, expires="ends_at")) == ["lifecycle.E011"]


@isolate_apps("tests.zoo")
def test_array_as_a_key() -> None:
    class Listed(models.Model):
        path = ArrayField(models.IntegerField(), primary_key=True)
        ends_at = models.DateTimeField()

        class Meta:
            app_label = "zoo"

    assert ids(Policy("planted", Listed, expires="ends_at")) == ["lifecycle.E011"]


@isolate_apps("tests.zoo")
def test_unmanaged_table() -> None:
    class Foreign(models.Model):
        ends_at = models.DateTimeField()

        class Meta:
            app_label = "zoo"
            managed = False

    assert ids(Policy("planted", Foreign, expires="ends_at")) == ["lifecycle.E012"]
    by_signals = Policy("planted", Foreign, expires="ends_at", capture=Signals())
    assert ids(by_signals) == ["lifecycle.W026"]


def test_key_that_opens_something() -> None:
    assert ids(Policy("planted", Session, expires="expire_date", capture=Signals())) == [
        "lifecycle.W026",
        "lifecycle.W028",
    ]


@pytest.mark.parametrize("module", [None, "tests.zoo.not_there"])
def test_app_without_migrations(module: str | None) -> None:
    with override_settings(MIGRATION_MODULES={"zoo": module}):
        assert ids(Policy("planted", Token, expires="expires_at")) == ["lifecycle.W014"]


def test_installed_package_needs_a_proxy() -> None:
    found = messages(Policy("planted", Session, expires="expire_date"))
    assert [message.id for message in found] == ["lifecycle.E010", "lifecycle.W028"]
    assert "class Session(InstalledSession):" in str(found[0].hint)


def test_installed_package_with_migrations_of_our_own_needs_none() -> None:
    with override_settings(MIGRATION_MODULES={"sessions": "tests.zoo.migrations"}):
        assert ids(Policy("planted", Session, expires="expire_date")) == ["lifecycle.W028"]


@isolate_apps("tests.zoo")
def test_proxy_of_an_installed_model_is_fine() -> None:
    class OwnSession(Session):
        class Meta:
            app_label = "zoo"
            proxy = True

    assert ids(Policy("planted", OwnSession, expires="expire_date")) == ["lifecycle.W028"]


@isolate_apps("tests.zoo")
def test_parent_in_an_installed_package() -> None:
    class Longer(Session):
        class Meta:
            app_label = "zoo"

    found = ids(Policy("planted", Longer, expires="expire_date"))
    assert found == ["lifecycle.E010", "lifecycle.W028"]


def test_predecessor_still_declared() -> None:
    new = Policy("new", Token, expires="expires_at", previously="tokens")
    with declared(new):
        assert ids(new) == ["lifecycle.E020"]


def test_two_successors() -> None:
    pair = [Policy(n, Token, expires="expires_at", previously="gone") for n in ("one", "two")]
    with declared(*pair):
        assert [ids(policy) for policy in pair] == [["lifecycle.E021"], ["lifecycle.E021"]]


def test_pgtrigger_is_missing(settings: Any) -> None:
    assert check_project() == []
    with override_settings(
        INSTALLED_APPS=[app for app in settings.INSTALLED_APPS if app != "pgtrigger"]
    ):
        assert [message.id for message in check_project()] == ["lifecycle.E030"]


def test_without_djangos_app_for_postgres(settings: Any) -> None:
    apps = [app for app in settings.INSTALLED_APPS if app != "django.contrib.postgres"]
    with override_settings(INSTALLED_APPS=apps):
        (message,) = check_project()
    assert (message.id, message.level) == ("lifecycle.E035", ERROR)
    assert "Add 'django.contrib.postgres' to INSTALLED_APPS." in str(message.hint)


def test_times_without_a_zone() -> None:
    with override_settings(USE_TZ=False):
        assert [message.id for message in check_project()] == ["lifecycle.E031"]


def test_purge_without_lifecycle(settings: Any) -> None:
    assert check_lifecycle() == []
    with override_settings(
        INSTALLED_APPS=[app for app in settings.INSTALLED_APPS if app != "lifecycle"]
    ):
        assert [message.id for message in check_lifecycle()] == ["purge.E001"]


def test_checks_are_registered_under_their_tags() -> None:
    planted = Policy("planted", Token, expires="expires_at", recheck=timedelta(days=40))
    with declared(planted):
        for tag in ("lifecycle", "models"):
            assert "lifecycle.W027" in {message.id for message in run_checks(tags=[tag])}


@pytest.mark.slow
def test_policies_are_checked_with_the_database_down() -> None:
    done = manage("check", DJANGO_SETTINGS_MODULE="tests.settings", DATABASE_URL=DOWN)
    assert done.returncode == 0, done.stderr
    assert "<Policy legacy on zoo.Legacy>: (lifecycle.W026)" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("MAX_LAG", "600", "more than 0 seconds"),
        ("MAX_LAG", True, "more than 0 seconds"),
        ("MAX_LAG", 0, "more than 0 seconds"),
        ("PURGE_HOURS", (22,), "two different hours of the day, as (22, 6)"),
        ("PURGE_HOURS", (22, 25), "two different hours of the day, as (22, 6)"),
        ("DATABASES", "default", "a list of aliases of DATABASES"),
        ("DATABASES", [1], "a list of aliases of DATABASES"),
        ("DIRECT_URL", None, "postgres://user:password@host:5432/name"),
    ],
)
def test_settings_that_cannot_be_used(name: str, value: Any, wanted: str) -> None:
    with override_settings(**{f"LIFECYCLE_{name}": value}):
        (message,) = check_project()
    assert message.id == "lifecycle.E033"
    assert f"LIFECYCLE_{name}" in message.msg
    assert f"It must be {wanted}." in str(message.hint)


def test_settings_are_read_when_asked_for() -> None:
    given = {
        "MAX_LAG": 30,
        "PURGE_HOURS": [22, 6],
        "DATABASES": ["default"],
        "DIRECT_URL": "postgres://h",
    }
    for name, value in given.items():
        before = getattr(conf, name)
        with override_settings(**{f"LIFECYCLE_{name}": value}):
            assert (check_project(), getattr(conf, name)) == ([], value)
        assert getattr(conf, name) == before


def test_setting_that_nobody_reads() -> None:
    with override_settings(LIFECYCLE_MAXLAG=5, LIFECYCLE_OURS=1):
        near, far = check_project()
    assert (near.id, far.id) == ("lifecycle.W032", "lifecycle.W032")
    assert "Did you mean LIFECYCLE_MAX_LAG?" in str(near.hint)
    assert "There are ARCHIVE_DIR, ARCHIVE_ERASED_WITHIN, BACKFILL_RATE, BACKUP_MAX_AGE" in str(
        far.hint
    )
