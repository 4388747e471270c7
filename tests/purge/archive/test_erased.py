"""What is erased on request goes into an archive first, where its policy says so; that is told."""

from pathlib import Path
from typing import Any

import pytest

import purge
from purge.erasure.receipt import receipts
from purge.runner import run_due
from tests.clock import pass_time
from tests.purge.archive.engine import archiving, manifests
from tests.zoo.models import Person


@pytest.mark.django_db(transaction=True)
def test_the_receipt_names_the_archive(tmp_path: Path, settings: Any) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    person = Person.objects.create(name="anna")
    with archiving("people"):
        purge.erase(person, reference="r1", actor="jo")
        assert Person.objects.exists()
        pass_time(hours=2)
        run_due()
        (receipt,) = receipts("r1")
        assert not Person.objects.exists()
    (told,) = manifests(tmp_path)
    assert (receipt.state, receipt.archives) == ("purged", [told["name"]])
    assert told["name"] in receipt.as_text()
