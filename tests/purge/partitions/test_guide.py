"""The how-to about partitions, done word for word; its model and policy are those of `tables`."""

import re
import shlex

import pytest
from django.db import models

from lifecycle.models import Event
from lifecycle.testing import set_clock
from purge.runner import run_due
from tests.infra.servers import ROOT
from tests.lifecycle.management.test_commands import manage
from tests.purge.partitions import tables
from tests.purge.partitions.tables import run
from tests.support import database_now

pytestmark = pytest.mark.django_db(transaction=True)
GUIDE = ROOT / "docs" / "how-to" / "drop-partitions.md"


def test_the_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    text = GUIDE.read_text()
    assert 'expires=F("created") + timedelta(days=90)' in text
    make, owners = re.findall(r"^```sql\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    _, dry, enable = re.findall(r"^\$ python manage.py (.*)$", text, re.MULTILINE)
    row = "INSERT INTO shop_click (created, path) VALUES ('2020-01-31 23:59:59Z', '/')"
    run(make, row)
    path = models.TextField()
    try:
        own = tables.model("shop_click", path=path, note=None)
        with tables.declared(own, enabled=False, name="clicks"):
            set_clock(database_now())
            run_due()
            assert own.objects.count() == 1
            manage(*shlex.split(dry))
            manage(*shlex.split(enable), "--yes")
            run_due()
            assert own.objects.count() == 0
            told = Event.objects.get(kind="purged")
            assert (told.count, told.actor) == (1, "")
            assert told.detail["windows"] == ["2020-02-01T00:00:00+00:00"]
    finally:
        run("DROP TABLE shop_click")
    assert owners.startswith("ALTER TABLE shop_click OWNER TO")
