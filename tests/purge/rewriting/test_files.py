"""Rows of somebody leave archives that are files; the others stay, nothing of the old is left.

docs/how-to/erase-in-archives.md says what is done here.
"""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from lifecycle.models import Event
from purge.erasure.receipt import receipts
from purge.models import ArchiveErasure, Rewrite
from purge.rewriting.work import erase_in_archives
from tests.purge.archive.engine import manifests
from tests.purge.rewriting.lives import ALL, archived, erase, files, labels, said, verified
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("options", [{"formats": ALL}, {"compression": "zstd"}], ids=str)
def test_one_person_leaves_every_format(
    options: dict[str, Any], tmp_path: Path, settings: Any
) -> None:
    with archived(tmp_path, settings, **options) as (her, other):
        (old,) = manifests(tmp_path)
        before = len(files(tmp_path))
        erase(her)
        erase_in_archives()
        assert labels(tmp_path) == [str(other.pk)] * 3
        (new,) = manifests(tmp_path)
        assert (new["rows"], new["replaces"]["rows"], new["version"]) == (3, 3, 2)
        assert new["replaces"]["name"] == old["name"]
        assert len(files(tmp_path)) == before
        assert all(each.startswith(f"{old['name']}_r1.") for each in files(tmp_path))
        assert [each["step"] for each in said()] == ["asked", "rewritten", "gone", "done"]
        assert said("rewritten")[0]["former"] == old_sha(old)
        (receipt,) = receipts("r1")
        assert receipt.archives_wait == ""
        assert "3 rows erased, archives rewritten: 1, old files gone" in receipt.as_text()
        assert verified() == []
        call_command("archive", "load", new["name"], "--prefix", "old/", stdout=StringIO())
        assert {each.label for each in Token.objects.all()} == {str(other.pk)}
    assert not ArchiveErasure.objects.exists()
    assert not Rewrite.objects.exists()


def old_sha(told: dict[str, Any]) -> str:
    """What the ledger knew the old archive by."""
    name = told["name"]
    return str(Event.objects.filter(kind="archived", detail__archive=name)[0].detail["manifest"])
