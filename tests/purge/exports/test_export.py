"""What the site has of a person, in a zip: docs/how-to/answer-an-erasure-request.md."""

import json
import stat
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

import purge
from lifecycle.exceptions import LifecycleError
from lifecycle.management.arguments import shell_user
from lifecycle.models import Event
from purge.exports import write as writing
from tests.commands.documented import assert_documented
from tests.lifecycle.management.test_commands import fails, manage
from tests.zoo.models import Bill, Call, Client, Comment, Member, Person, Photo, Report, Visit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def exported(row: Any, tmp_path: Path, *words: str) -> dict[str, Any]:
    """Name of each entry -> what is in it, JSON read."""
    path = tmp_path / "out.zip"
    manage("lifecycle", "export", f"{row._meta.label}:{row.pk}", "--to", str(path), *words)
    with zipfile.ZipFile(path) as made:
        assert made.testzip() is None
        return {name: _read(name, made.read(name)) for name in made.namelist()}


def _read(name: str, text: bytes) -> Any:
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text) if name.endswith(".json") else text


def test_the_row_what_goes_along_and_what_stays(tmp_path: Path) -> None:
    ann, other = (Person.objects.create(name=name) for name in ("Ann", "Bob"))
    photo = Photo.objects.create(person=ann)
    Photo.objects.create(person=other)
    call, bill = Call.objects.create(person=ann), Bill.objects.create(person=ann)
    found = exported(ann, tmp_path, "--actor", "jo")
    assert found["rows/zoo.Person.jsonl"] == [{"id": ann.pk, "name": "Ann"}]
    assert [each["id"] for each in found["rows/zoo.Photo.jsonl"]] == [photo.pk]
    assert [each["id"] for each in found["rows/zoo.Call.jsonl"]] == [call.pk]
    assert [each["id"] for each in found["rows/zoo.Bill.jsonl"]] == [bill.pk]
    index = found["index.json"]
    assert (index["row"], index["actor"]) == (f"zoo.Person:{ann.pk}", "jo")
    assert index["models"] == {
        "zoo.Person": {"rows": 1, "stay": 0}, "zoo.Photo": {"rows": 1, "stay": 0},
        "zoo.Call": {"rows": 1, "stay": 1}, "zoo.Bill": {"rows": 1, "stay": 1},
    }  # fmt: skip


def test_it_has_what_an_erasure_takes(tmp_path: Path) -> None:
    ann = Person.objects.create(name="Ann")
    for _ in range(3):
        Photo.objects.create(person=ann)
        Call.objects.create(person=ann)
    counts = exported(ann, tmp_path)["index.json"]["models"]
    purge.erase(ann, "DSR-1", actor="jo", grace=timedelta(0))
    (receipt,) = purge.receipts("DSR-1")
    goes = {each.lower(): said["rows"] - said["stay"] for each, said in counts.items()}
    assert {name: count for name, count in goes.items() if count and name != "zoo.person"} == (
        receipt.cascade
    )
    assert receipt.unlinked == {"zoo.call": 3}


def test_rows_below_rows(tmp_path: Path) -> None:
    top = Comment.objects.create()
    middle = Comment.objects.create(above=top)
    Comment.objects.create(above=middle)
    Comment.objects.create()
    found = exported(top, tmp_path)
    assert len(found["rows/zoo.Comment.jsonl"]) == 3
    member = Member.objects.create(email="a@b.c")
    visit = Visit.objects.create(member=member)
    (tmp_path / "out.zip").unlink()
    assert exported(member, tmp_path)["rows/zoo.Visit.jsonl"][0]["id"] == visit.pk


def test_a_row_of_a_child_table_has_its_parents_columns(tmp_path: Path) -> None:
    report = Report.objects.create(expires_at=timezone.now())
    (row,) = exported(report, tmp_path)["rows/zoo.Report.jsonl"]
    assert {"expires_at", "draft"} <= row.keys()


def test_files_are_listed_or_put_in(tmp_path: Path) -> None:
    client = Client.objects.create()
    client.picture.save("a.png", ContentFile(b"picture"))
    gone = Client.objects.create(picture="no/such.png")
    index = exported(client, tmp_path)["index.json"]
    name = client.picture.name
    row = f"zoo.Client:{client.pk}"
    assert index["files"] == [{"row": row, "field": "picture", "name": name}]
    (tmp_path / "out.zip").unlink()
    found = exported(client, tmp_path, "--files")
    (told,) = found["index.json"]["files"]
    assert found[told["in"]] == b"picture"
    assert_documented("lifecycle export", found["index.json"])
    (tmp_path / "out.zip").unlink()
    (told,) = exported(gone, tmp_path, "--files")["index.json"]["files"]
    assert told["missing"] == "FileNotFoundError"


def test_a_name_of_a_file_leads_nowhere(tmp_path: Path) -> None:
    client = Client.objects.create(picture="../../etc/passwd")
    found = exported(client, tmp_path, "--files")
    assert all(".." not in name for name in found)
    assert found["index.json"]["files"][0]["missing"] == "SuspiciousFileOperation"


def test_nor_where_the_zip_is_unpacked_under_another_system(tmp_path: Path) -> None:
    name = "..\\..\\a:b.png"
    client = Client.objects.create(picture=name)
    path = Path(client.picture.storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"picture")
    found = exported(client, tmp_path, "--files")
    (told,) = found["index.json"]["files"]
    assert (told["in"], found[told["in"]]) == ("files/0-a_b.png", b"picture")


def test_more_than_two_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    client = Client.objects.create()
    client.picture.save("a.png", ContentFile(b"picture" * 100))
    found = exported(client, tmp_path, "--files")
    (told,) = found["index.json"]["files"]
    assert found[told["in"]] == b"picture" * 100


def test_no_hash_of_a_password(tmp_path: Path) -> None:
    """Whoever gets the zip, or finds it, could try passwords with it."""
    user = get_user_model().objects.create_user("ann", password="a secret")
    found = exported(user, tmp_path)
    (row,) = found[f"rows/{user._meta.concrete_model._meta.label}.jsonl"]
    assert row["username"] == "ann"
    assert "password" not in row
    assert user.password not in str(found)


def test_it_writes_nothing_into_the_database_but_that_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, seen = Person.objects.create(name="Ann"), []
    collect = writing.collect

    def noting(*args: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            seen.append(cursor.fetchone()[0])
            cursor.execute("SHOW transaction_isolation")
            seen.append(cursor.fetchone()[0])
        return collect(*args)

    monkeypatch.setattr(writing, "collect", noting)
    before = Event.objects.count()
    exported(ann, tmp_path)
    assert seen == ["on", "repeatable read"]
    said = Event.objects.latest("pk")
    assert Event.objects.count() == before + 1
    assert (said.kind, said.model, said.subjects) == ("exported", "zoo.person", [str(ann.pk)])
    assert (said.actor, said.detail) == (shell_user(), {"rows": 1, "files": 0})


def test_nobody_is_given_one_of_whom_nothing_is_said(tmp_path: Path) -> None:
    """Not without a name, and no file where the event could not be written."""
    ann, path = Person.objects.create(name="Ann"), tmp_path / "ann.zip"
    with pytest.raises(LifecycleError, match="Say who"):
        writing.export(ann, path, "default")
    refused = patch.object(writing, "write", side_effect=LifecycleError("it says no"))
    with refused, pytest.raises(LifecycleError, match="it says no"):
        writing.export(ann, path, "default", "jo")
    assert list(tmp_path.iterdir()) == []
    assert not Event.objects.filter(kind="exported").exists()


def test_the_file_is_new_and_its_owners(tmp_path: Path) -> None:
    ann = Person.objects.create(name="Ann")
    exported(ann, tmp_path)
    path = tmp_path / "out.zip"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    words = ("lifecycle", "export", f"zoo.Person:{ann.pk}", "--to")
    assert "is there already" in fails(*words, str(path))
    assert "cannot be written" in fails(*words, str(tmp_path / "no" / "out.zip"))
    assert "is not in the database" in fails(
        "lifecycle", "export", "zoo.Person:99999999", "--to", str(tmp_path / "b.zip")
    )
    assert [each.name for each in tmp_path.iterdir() if each.name != "media"] == ["out.zip"]
