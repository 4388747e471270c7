"""A declaration has one fingerprint, in every process that reads it."""

import os
import subprocess
import sys
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import (
    Case,
    DateTimeField,
    DecimalField,
    Exists,
    F,
    OuterRef,
    Q,
    Value,
    When,
)
from django.db.models.functions import Cast, Least

from lifecycle import Policy, Signals, Update
from lifecycle.compiler import policy_sql as compile_
from lifecycle.compiler.fingerprint import capture_fingerprint, fingerprint
from lifecycle.exceptions import PolicyError
from lifecycle.policy.registry import all_policies, get_policy
from tests.infra.servers import ROOT
from tests.zoo.models import Draft, Order, Picture, Token

PRINT = """
import django
django.setup()
from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.policy.registry import all_policies
print({policy.name: fingerprint(policy) for policy in all_policies()})
"""


@pytest.mark.slow
def test_same_in_another_process() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", PRINT]
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    ours = {policy.name: fingerprint(policy) for policy in all_policies()}
    assert told.stdout.decode().strip() == str(ours)


def declared(**options: Any) -> Policy:
    return Policy("drafts", Draft, **{"expires": "created_at"} | options)


PHOTOS = Picture.objects.filter(draft=OuterRef("pk"))
HOUR = timedelta(hours=1)

GOLDEN = {
    "4addf18f5b32a7af": declared(
        when=Q(status="draft"), expires=F("created_at") + 24 * HOUR, grace=HOUR
    ),
    "6392e61418429ea0": declared(
        keep_while=Exists(PHOTOS.filter(pk__gt=5)) | Q(title__in=["a", "b"])
    ),
    "75e0a0f0ed24322a": Policy(
        "orders",
        Order,
        when=~Q(grace=None) & Q(pk__gt=10),
        expires=Least("expires_at", Cast(Value("2030-01-01"), DateTimeField())),
        grace=Case(When(grace__gt=HOUR, then=F("grace")), default=Value(HOUR)),
    ),
}


@pytest.mark.parametrize("pinned", GOLDEN)
def test_pinned(pinned: str) -> None:
    """Another value here stops the policies of every site until it migrates: see that it must."""
    assert fingerprint(GOLDEN[pinned]) == pinned


SAME = declared(when=Q(status="draft"), grace=HOUR, keep_while=Exists(PHOTOS))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"when": Q(status="draft"), "grace": timedelta(minutes=60)},
        {"keep_while": Exists(Picture.objects.filter(draft=OuterRef("pk")))},
        {"cap_rows": 7, "cap_fraction": 0.5, "batch_rows": 3},
        {"recheck": HOUR, "previously": "old-drafts"},
    ],
)
def test_same_declaration(options: dict[str, Any]) -> None:
    base = {"when": Q(status="draft"), "grace": HOUR, "keep_while": Exists(PHOTOS)}
    assert fingerprint(declared(**base | options)) == fingerprint(SAME)


KEPT = Picture.objects.order_by("pk")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"when": Q(status="draft")}, {"when": Q(status="drafts")}),
        ({"when": Q(status="draft")}, {"when": ~Q(status="draft")}),
        ({"when": Q(status="draft") | Q(title="")}, {"when": Q(status="draft") & Q(title="")}),
        ({"when": Q(title="1")}, {"when": Q(title=1)}),
        ({}, {"expires": F("created_at") + HOUR}),
        ({"expires": F("created_at") + HOUR}, {"expires": F("created_at") + 2 * HOUR}),
        ({"grace": HOUR}, {"grace": 2 * HOUR}),
        ({"keep_while": Exists(PHOTOS)}, {}),
        ({"keep_while": Exists(PHOTOS)}, {"keep_while": ~Exists(PHOTOS)}),
        ({"keep_while": Exists(PHOTOS)}, {"keep_while": Exists(PHOTOS.filter(pk=1))}),
        ({"keep_while": Exists(PHOTOS)}, {"keep_while": Exists(Picture.objects.all())}),
        (
            {"keep_while": Q(pk__in=KEPT.values("draft"))},
            {"keep_while": Q(pk__in=KEPT.values("pk"))},
        ),
        (
            {"keep_while": Q(pk__in=KEPT.values("draft")[:3])},
            {"keep_while": Q(pk__in=KEPT.values("draft")[:4])},
        ),
        (
            {"keep_while": Q(pk__in=KEPT.values("draft")[:3])},
            {"keep_while": Q(pk__in=KEPT.values("draft").reverse()[:3])},
        ),
        (
            {"keep_while": Q(pk__in=KEPT.annotate(x=F("pk") + 1).values("x"))},
            {"keep_while": Q(pk__in=KEPT.annotate(x=F("pk") + 2).values("x"))},
        ),
        (
            {"keep_while": Q(pk__in=KEPT.values("draft").union(KEPT.values("pk")))},
            {"keep_while": Q(pk__in=KEPT.values("draft").union(KEPT.values("draft")))},
        ),
        (
            {"keep_while": Q(title=Cast(Value(1.5), DecimalField(max_digits=5, decimal_places=1)))},
            {"keep_while": Q(title=Cast(Value(1.5), DecimalField(max_digits=5, decimal_places=2)))},
        ),
        ({"resolution": HOUR}, {}),
        ({"identity": ["pk", "created_at"]}, {}),
        ({"capture": Signals()}, {}),
        ({"disposition": Update(status="a")}, {"disposition": Update(status="b")}),
        ({"disposition": Update(status="a")}, {}),
    ],
)
def test_another_declaration(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert fingerprint(declared(**left)) != fingerprint(declared(**right))


def test_name_and_model_are_part_of_it() -> None:
    of = {fingerprint(Policy(n, m, on_request=True)) for n in ("a", "b") for m in (Draft, Token)}
    assert len(of) == 4


class Old(Enum):
    DRAFT = "draft"


class New(Enum):
    DRAFT = "sketch"


def test_value_of_an_enum_is_part_of_it() -> None:
    New.__name__ = "Old"
    assert fingerprint(declared(when=Q(status=Old.DRAFT))) != fingerprint(
        declared(when=Q(status=New.DRAFT))
    )


@pytest.mark.parametrize(
    ("table", "options"),
    [
        ("zoo_draft", {"when": Q(status="draft")}),
        ("zoo_draft", {"expires": F("status")}),
        ("zoo_draft", {"grace": "status"}),
        ("zoo_draft", {"keep_while": Q(status="draft")}),
        ("zoo_draft", {"keep_while": Exists(Picture.objects.filter(pk=OuterRef("status")))}),
        ("zoo_picture", {"keep_while": Exists(Picture.objects.filter(draft=OuterRef("pk")))}),
        ("zoo_picture", {"keep_while": Q(picture__draft=3)}),
    ],
)
def test_renamed_column_or_table_makes_another(
    table: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fingerprint(declared(**options))
    if table == "zoo_draft":
        monkeypatch.setattr(Draft._meta.get_field("status"), "column", "renamed")
    else:
        monkeypatch.setattr(Picture._meta, "db_table", "renamed")
    assert fingerprint(declared(**options)) != before


def test_grace_of_a_purge_makes_no_other_triggers() -> None:
    plain = capture_fingerprint(declared(grace=HOUR))
    assert plain == capture_fingerprint(declared(keep_while=Exists(PHOTOS)))
    update = {"disposition": Update(status="a")}
    assert plain == capture_fingerprint(declared())
    assert capture_fingerprint(declared(grace=HOUR, **update)) != capture_fingerprint(
        declared(**update)
    )


@pytest.mark.django_db
def test_another_text_from_the_orm_makes_no_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an upgrade of Django or psycopg that writes the same SQL in other words."""
    compile_.compiled.cache_clear()
    monkeypatch.setattr(compile_, "select", lambda rows, **columns: "SELECT /* upgraded */")
    try:
        assert "upgraded" in compile_.compiled(all_policies()[0]).due_sql
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    finally:
        compile_.compiled.cache_clear()


@pytest.mark.django_db
def test_another_declaration_makes_a_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("drafts"), "expires", F("created_at"))
    capture_fingerprint.cache_clear()
    try:
        with pytest.raises(SystemExit):
            call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    finally:
        capture_fingerprint.cache_clear()
        compile_.compiled.cache_clear()


def test_value_without_a_stable_form_is_refused() -> None:
    disposition = Update(label=object())
    policy = Policy("opaque", Token, expires="expires_at", disposition=disposition)
    with pytest.raises(PolicyError, match="no name"):
        fingerprint(policy)
