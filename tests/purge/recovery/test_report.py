"""What a restore report says, before a recovery and after it; and that it is signed."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

import lifecycle
from lifecycle.proof.errors import Unverified
from lifecycle.proof.note import parse
from purge.proof.work import publish_now
from tests.commands.documented import assert_documented
from tests.lifecycle.management.test_commands import fails, manage
from tests.purge.proof.support import ORIGIN, SIGNER, USING
from tests.purge.recovery.restores import Backups
from tests.purge.recovery.test_from_proof import FUTURE, PAST, RECOVER, rows
from tests.support import run_until_idle
from tests.zoo.models import Coupon, Member, Person, Scan, Token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plants(4)]
REPORT = ("lifecycle", "restore-report")


def said(text: str) -> str:
    """The text of a note, if the log has signed it."""
    note = parse(text.encode())
    note.verified([SIGNER.named(f"{ORIGIN}/1").verifier])
    return note.text


@pytest.mark.slow
def test_before_and_after(site: Backups, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT, settings.LIFECYCLE_BACKUP_MAX_AGE = str(tmp_path / "media"), 86_400
    Coupon.objects.bulk_create(Coupon(code=f"c{n}", expires_at=FUTURE) for n in range(5))
    scan = Scan.objects.create(file=ContentFile(b"x", "scan.txt"))
    person = Person.objects.create(name="p")
    publish_now(USING)
    restore = site.template()
    Coupon.objects.filter(code__in=["c0", "c1"]).update(expires_at=PAST)
    lifecycle.hold(Coupon.objects.get(code="c4"), reason="case")
    Member.objects.create(status="late").delete()
    Person.objects.filter(pk=person.pk).delete()
    scan.delete()
    run_until_idle()
    publish_now(USING)
    restore()
    Member.objects.create(status="new")
    text = said(manage(*REPORT))
    assert "State: restored: " in text
    assert "purged by coupons of zoo.coupon: 2 rows, 1 events" in text
    assert "hold_placed of zoo.coupon: 1 rows, 1 events" in text
    assert "Ended again" not in text
    assert "1 unsure" in fails(*RECOVER)
    page = tmp_path / "report.html"
    text = said(manage(*REPORT, "--html", str(page)).split("Written to")[0])
    for line in (
        "State: recovered", "by Ada (event ", "purged by coupons of zoo.coupon: 2 rows, 1 events",
        "1 are newer rows, kept", "1 are unsure", f"unsure zoo.Person:{person.pk}",
        "newer zoo.Member:", "zoo.scan.file scan.txt", "Backups expire: on 20",
    ):  # fmt: skip
        assert line in text
    assert "Restore report of example.org/ledger/1" in page.read_text()
    data = json.loads(manage(*REPORT, "--json"))
    assert_documented("lifecycle restore-report", data)
    assert (data["state"], data["left"]["unsure"], data["incomplete"]["count"]) == (
        "recovered", 1, 1,
    )  # fmt: skip
    assert {(each["kind"], each["rows"]) for each in data["again"]} == {("purged", 2)}
    assert said(data["note"]).splitlines()[0] == "Restore report"
    with pytest.raises(Unverified):
        said(data["note"].replace("1 are unsure", "0 are unsure"))
    assert rows(Coupon) == {"c2", "c3", "c4"}


def test_not_restored(settings: Any) -> None:
    publish_now(USING)
    assert "was not restored" in fails(*REPORT)
    settings.LIFECYCLE_PROOF = None
    assert "LIFECYCLE_PROOF is not set" in fails(*REPORT)


@pytest.mark.slow
def test_while_it_is_under_way(site: Backups, monkeypatch: pytest.MonkeyPatch) -> None:
    Token.objects.create(expires_at=FUTURE)
    publish_now(USING)
    restore = site.template()
    Token.objects.all().delete()
    publish_now(USING)
    restore()
    monkeypatch.setattr("purge.management.replay.agreed", lambda *given: False)
    assert "Nothing was changed" in fails(*RECOVER)
    text = said(manage(*REPORT))
    assert "State: recovering: " in text
    assert "Backups expire: not known" in text
    assert Token.objects.count() == 1
    monkeypatch.undo()
