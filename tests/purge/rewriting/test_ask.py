"""Rows out of archives by a value: what is refused, what is said, and that the value is nowhere."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

import purge
from lifecycle import hold
from lifecycle.db.connection import fetch
from lifecycle.db.tables import tables_in
from lifecycle.exceptions import LifecycleError
from purge.models import ArchiveErasure, Rewrite
from purge.runner import run_due
from tests.commands.documented import assert_documented
from tests.purge.archive.engine import manifests
from tests.purge.rewriting.lives import ALL, archived, labels, said, verified
from tests.zoo.models import Person, Token

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "Anna-Secret, 1"


@pytest.fixture
def named(tmp_path: Path, settings: Any) -> Any:
    """Archives of tokens, one of which has a name in it."""
    with archived(tmp_path, settings, formats=ALL, erased_with=()) as (_, other):
        Token.objects.create(label=SECRET, expires_at="2026-01-01T00:00:00Z")
        run_due()
        yield other


def command(*words: str) -> str:
    out = StringIO()
    call_command("archive", "erase", *words, "--reference", "r1", "--actor", "jo", stdout=out)
    return out.getvalue()


def dump() -> str:
    """Every row of every table of ours."""
    names = [name for name in tables_in("default") if name.startswith(("lifecycle_", "purge_"))]
    assert {"lifecycle_event", "purge_rewrite", "purge_archive"} <= set(names)
    rows = (fetch("default", f'SELECT own::text FROM "{name}" AS own') for name in names)
    return "".join(str(row) for table in rows for row in table)


@pytest.mark.slow
def test_a_value_leaves_and_is_nowhere(
    named: Person, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert "1 rows would go" in command("tokens", "--where", f"label={SECRET}", "--dry-run")
    assert (said(), SECRET in labels(tmp_path)) == ([], True)
    told = json.loads(command("tokens", "--where", f"label={SECRET}", "--yes", "--json"))
    assert_documented("archive erase", told)
    assert (told["rows"], len(told["archives"]), told["left"]) == (1, 1, {})
    assert SECRET not in labels(tmp_path)
    assert len(labels(tmp_path)) == 6
    assert [each["step"] for each in said()] == ["rewritten", "gone"]
    assert (said()[0]["columns"], said()[0]["reference"]) == (["label"], "r1")
    assert SECRET not in dump()
    assert SECRET not in caplog.text
    assert verified() == []
    assert not any(SECRET.encode() in path.read_bytes() for path in tmp_path.rglob("*.*"))


@pytest.mark.slow
def test_several_values_must_all_be_there(named: Person, tmp_path: Path) -> None:
    both = ("--where", f"label={named.pk}", "--where", "active=true")
    assert "3 rows in 1 archives" in command("tokens", *both, "--dry-run")
    neither = ("--where", f"label={named.pk}", "--where", "active=false")
    assert "0 rows in 0 archives" in command("tokens", *neither, "--yes")
    assert len(manifests(tmp_path)) == 2


def test_what_is_asked_at_a_terminal(named: Person, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no terminal"):
        command("tokens", "--where", f"label={SECRET}")
    assert "Nothing was changed" in command("tokens", "--where", "label=nobody")
    assert said() == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("tokens",), "Say which rows"),
        (("tokens", "--where", "label"), "is written as column=value"),
        (("tokens", "--where", "label=a", "--where", "label=b"), "two values"),
        (("people", "--where", "id=1"), "people has no archives"),
        (("nothing", "--where", "id=1"), "nothing"),
        (("tokens", "--where", f"owner={SECRET}"), "has no column owner"),
        (("tokens", "--where", f"id={SECRET}"), "what is looked for in id is no bigint"),
        (("tokens", "--where", "expires_at=2026-01-01"), "cannot be found by expires_at"),
        (("tokens", "--where", "id=1", "--prefix", "x/"), "no --prefix"),
    ],
)
def test_what_is_refused(named: Person, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(CommandError, match=why) as refused:
        command(*words, "--yes")
    assert SECRET not in str(refused.value)
    assert said() == []


def test_a_name_and_a_reference_are_wanted(named: Person) -> None:
    wanted = {"label": SECRET}
    with pytest.raises(LifecycleError, match="wants a reference"):
        purge.erase_archived("tokens", wanted, " ", actor="jo")
    with pytest.raises(LifecycleError, match="wants a name"):
        purge.erase_archived("tokens", wanted, "r1")
    with pytest.raises(LifecycleError, match="as text"):
        purge.erase_archived("tokens", {"label": 1}, "r1", actor="jo")  # type: ignore[dict-item]
    with transaction.atomic(), pytest.raises(LifecycleError, match="inside a transaction"):
        purge.erase_archived("tokens", wanted, "r1", actor="jo")


def test_a_hold_refuses_it(named: Person, tmp_path: Path) -> None:
    hold("tokens", reason="court", reference="CASE-1")
    for words in (("--dry-run",), ("--yes",)):
        with pytest.raises(CommandError, match="CASE-1"):
            command("tokens", "--where", f"label={SECRET}", *words)
    assert SECRET in labels(tmp_path)
    assert (said(), Rewrite.objects.count(), ArchiveErasure.objects.count()) == ([], 0, 0)
