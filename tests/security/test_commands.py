"""Each command as each role, and with hostile words in it: its result, or a plain line."""

import io
import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command, load_command_class
from django.utils import timezone

from lifecycle import context, hold, restore
from lifecycle.install import roles as install
from lifecycle.management.extensions import subcommands
from lifecycle.models import AgendaEntry, Event, PolicyState
from purge.management.archive import SUBCOMMANDS
from purge.models import Alert, Archive, Run
from tests.hostile.roles import logged_in
from tests.mailing import set_mail
from tests.security.commands import EVERY
from tests.security.roles import Roles
from tests.security.test_output import HOSTILE, LOCMEM, assert_harmless
from tests.zoo.models import Coupon, Token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plants(*range(1, 13))]


def test_every_command_is_said() -> None:
    said = {words[:2] for words in EVERY}
    wanted = {("lifecycle", name) for name in subcommands()}
    wanted |= {("archive", name) for name in SUBCOMMANDS}
    assert wanted <= said
    assert ("purge",) in EVERY


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)


# ------------------------------------------------------------------------------------- the roles
def grant(kind: str, roles: Roles) -> str:
    """A role with the grants of its kind; the stranger has none."""
    role = getattr(roles, kind, roles.stranger)
    if kind != "stranger":
        install.apply(install.grants([install.Role(kind, role)], "default"), "default")
    return str(role)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["site", "worker", "reader", "stranger"])
def test_each_role_has_a_result_or_a_plain_line(kind: str, roles: Roles) -> None:
    past = timezone.now() - timedelta(days=1)
    token = Token.objects.create(expires_at=past)
    Coupon.objects.create(code="k", expires_at=timezone.now() + timedelta(days=1))
    failed, refused = {}, 0
    with logged_in(grant(kind, roles)):
        for words in EVERY:
            given = [word.format(pk="k") for word in words]
            out = io.StringIO()
            try:
                call_command(*given, stdout=out, stderr=out)
            except CommandError as error:
                refused += 1
                if not str(error) or "Traceback" in str(error):
                    failed[words] = repr(error)
            except BaseException as error:
                failed[words] = repr(error)[:300]
            if "Traceback" in out.getvalue():
                failed[words] = out.getvalue()
    assert failed == {}
    assert refused >= (30 if kind == "stranger" else 10)
    assert Token.objects.filter(pk=token.pk).exists() == (kind != "worker")
    assert Coupon.objects.filter(code="k").exists()


# ------------------------------------------------------------------------------ hostile words
NAME = HOSTILE[:40]
LONG = HOSTILE + "y" * 5000 + HOSTILE


@pytest.fixture
def hostile(settings: Any) -> None:
    """Hostile words wherever a role or a superuser can put some into a row."""
    now = timezone.now()
    for code in (HOSTILE, f"gone{HOSTILE}"[:40]):
        Coupon.objects.create(code=code, expires_at=now + timedelta(days=1))
    coupon = Coupon.objects.get(code=HOSTILE)
    with context(actor=HOSTILE):
        hold(coupon, reason=LONG, reference=HOSTILE)
        restore(coupon)
    stored = PolicyState.objects.get(name="coupons")
    stored.pk, stored.model, stored.state = NAME, HOSTILE, "enabled"
    stored.save(force_insert=True)
    event = Event.objects.create(
        kind="blocked", policy=NAME, model=HOSTILE, recorded_at=now, count=1, actor=HOSTILE,
        cause=HOSTILE, detail={"by": [HOSTILE], "error": HOSTILE, "code": HOSTILE, "field": HOSTILE,
                               "names": [HOSTILE], "archive": HOSTILE, "table": HOSTILE},
    )  # fmt: skip
    for kind in ("purged", "capture_failed", "media_orphaned", "archived", "halted"):
        event.pk, event.kind = None, kind
        event.save(force_insert=True)
    AgendaEntry.objects.create(event=event, policy=NAME, due_at=now, count=1)
    origin = {"started_at": now, "last_batch_at": now, "origin": NAME}
    Run.objects.create(policy=NAME, actor=HOSTILE, error=LONG, **origin)
    Archive.objects.create(policy=NAME, model=HOSTILE, prefix=HOSTILE, name=HOSTILE, error=LONG)
    about = {"opened_at": now, "seen_at": now, "again_at": now, "count": 1}
    Alert.objects.create(kind="blocked", policy=NAME, model=HOSTILE, summary=LONG, **about)
    set_mail(settings, 0, backend=LOCMEM)
    settings.ADMINS = [("jo", "jo@example.com")]


@pytest.mark.slow
@pytest.mark.usefixtures("hostile")
def test_no_command_and_no_mail_lets_them_act(capsys: pytest.CaptureFixture[str]) -> None:
    """As `manage.py` runs each: with its errors on the terminal."""
    shown, wrong = "", dict[str, str]()
    for words in EVERY:
        given = [word.format(pk=HOSTILE) for word in words]
        app = "lifecycle" if words[0] == "lifecycle" else "purge"
        command: Any = load_command_class(app, words[0])
        with suppress(SystemExit):
            command.run_from_argv(["manage.py", given[0], "--skip-checks", *given[1:]])
        out, err = capsys.readouterr()
        try:
            assert_harmless(out)
            assert_harmless(err)
            assert "Traceback" not in err, err
        except AssertionError as error:
            wrong[" ".join(words)] = str(error)[:2000]
        shown += out + err
    assert wrong == {}
    assert "\\u001b]0;t" in shown
    call_command("lifecycle", "report", "--email", "ops@example.com")
    assert mail.outbox
    for sent in mail.outbox:
        pages = [str(each[0]) for each in getattr(sent, "alternatives", ())]
        assert_harmless("\n".join([sent.subject, str(sent.body), *pages]))
        assert not re.search(rb"^FAKE", sent.message().as_bytes(), re.MULTILINE)
