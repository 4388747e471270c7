"""`manage.py purge --replay` and files that a restored backup has brought back."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from demo.models import ServiceMedia
from lifecycle.models import Event
from purge.media.run import run_media
from tests.clock import pass_time
from tests.purge.media.support import age, folder, make_service, orphaned, stored, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(tmp_path: Path):
    with folder(tmp_path):
        yield tmp_path


def purged(*names: str) -> None:
    orphaned(*names)
    assert run_media().purged == len(names)


def replay(*options: str) -> str:
    out = StringIO()
    call_command("purge", "--replay", "--yes", *options, stdout=out, stderr=out)
    return out.getvalue()


def back(name: str) -> None:
    """As `rsync -a` does it: with the time of its bytes."""
    default_storage.save(name, ContentFile(b"x"))
    age(name, hours=3)


def test_a_file_that_is_back_goes_again():
    name, other = stored(), stored()
    purged(name, other)
    back(name)
    assert "1 are back" in replay("--dry-run")
    assert default_storage.exists(name)
    pass_time(hours=1)
    age(name, hours=2)
    assert "1 are back" in replay()
    assert not default_storage.exists(name)
    event = Event.objects.filter(kind="media_orphaned").latest("pk")
    assert (event.cause, event.detail["names"]) == ("replay", [name])
    before = Event.objects.count()
    assert "back" not in replay()
    assert Event.objects.count() == before


def test_a_file_that_a_row_shows_now_stays():
    name = stored()
    purged(name)
    back(name)
    ServiceMedia.objects.create(service=make_service(), file=name)
    assert "back" not in replay()
    assert default_storage.exists(name)


def test_a_newer_file_is_unsure():
    name = stored()
    purged(name)
    pass_time(hours=1)
    default_storage.save(name, ContentFile(b"new"))
    with pytest.raises(CommandError, match="Files were left: 1 unsure"):
        replay()
    assert default_storage.exists(name)
    assert list(told("media_purged")) == [name]
