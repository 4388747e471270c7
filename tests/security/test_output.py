"""Text of others is shown, and acts on nothing: no terminal, no mail, no log."""

import io
import json
import logging
import re
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from lifecycle import context, hold
from lifecycle.logs import JsonFormatter, Log, without_values
from lifecycle.printable import CODES, visible, visible_lines
from purge.alerts import watch
from purge.alerts.mail import send
from purge.models import Alert
from tests.mailing import set_mail
from tests.zoo.models import Coupon

pytestmark = pytest.mark.django_db(transaction=True)
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
HOSTILE = "x\x1b]0;t\x07\x9b31m\u202e\u2066\u2028\r\nFAKE\x7f"
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def assert_harmless(text: str) -> None:
    assert not ACTING.search(text), ascii(text)
    assert not re.search("^FAKE", text, re.MULTILINE)


def test_each_is_shown_as_its_number() -> None:
    for code in CODES:
        assert visible(f"a{chr(code)}b") == f"a\\u{code:04x}b"
        assert json.loads(f'"{visible(chr(code))}"') == chr(code)
        assert visible_lines(chr(code)) == ("\n" if code == 10 else f"\\u{code:04x}")


def test_what_is_shown_can_be_written() -> None:
    every = visible("".join(map(chr, range(0x10000))))
    assert every.encode("utf-8").decode("utf-8") == every


def test_an_error_that_is_its_own_cause_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    one, other = ValueError("a"), ValueError("b")
    one.__cause__, other.__context__ = other, one
    assert repr(without_values(one).__cause__) == "ValueError()"
    assert repr(without_values(other).__context__) == "ValueError()"


def test_other_text_stays() -> None:
    assert visible("Zoë \\ 日本 שלום 😀 é") == "Zoë \\ 日本 שלום 😀 é"


@pytest.fixture
def hostile() -> Coupon:
    """A row whose key is not only words, and which is held with such words."""
    coupon = Coupon.objects.create(code=HOSTILE, expires_at=timezone.now())
    with context(actor=HOSTILE):
        hold(coupon, reason=HOSTILE, reference=HOSTILE)
    return coupon


COMMANDS = [
    ("lifecycle", "why", "zoo.Coupon:{pk}"),
    ("lifecycle", "why", "zoo.Coupon:{pk}", "--json"),
    ("lifecycle", "holds"),
    ("lifecycle", "holds", "--json"),
    ("lifecycle", "hold", "zoo.Coupon:{pk}", "--reason", HOSTILE, "--actor", HOSTILE),
    ("lifecycle", "restore", "zoo.Coupon:{pk}", "--actor", HOSTILE),
    ("lifecycle", "release", "zoo.Coupon:{pk}", "--actor", HOSTILE),
    ("lifecycle", "status"),
    ("lifecycle", "status", "--json"),
    ("lifecycle", "report"),
    ("lifecycle", "report", "--json"),
    ("lifecycle", "verify"),
    ("purge",),
    ("purge", "--dry-run"),
    ("archive", "ls"),
]


SHOW = [("lifecycle", name) for name in ("why", "holds", "hold", "restore")]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_lets_it_act(words: tuple[str, ...], hostile: Coupon) -> None:
    out, err = io.StringIO(), io.StringIO()
    given = [word.format(pk=hostile.pk) for word in words]
    call_command(*given, stdout=out, stderr=err)
    assert_harmless(out.getvalue())
    assert_harmless(err.getvalue())
    if "--json" in words:
        json.loads(out.getvalue())
    assert ("\\u001b]0;t" in out.getvalue().replace("\n", "")) == (words[:2] in SHOW)


def test_no_mail_lets_it_act(settings: Any) -> None:
    set_mail(settings, 0, backend=LOCMEM)
    send(HOSTILE, HOSTILE.replace("\n", ""), HOSTILE, ("ops@example.com",))
    (sent,) = mail.outbox
    assert_harmless(f"{sent.subject}\n{sent.body}")
    assert b"\nFAKE" not in sent.message().as_bytes().split(b"\n\n")[0]


def alert(policy: str, **more: Any) -> Alert:
    now = timezone.now()
    given = {"kind": "blocked", "model": "zoo.token", "cause": "cause", "count": 1} | more
    return Alert.objects.create(
        policy=policy, opened_at=now, seen_at=now, again_at=now, signalled_at=None, **given
    )


def test_one_bad_alert_stops_no_other(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    set_mail(settings, 0, backend=LOCMEM)
    alert(HOSTILE, model=HOSTILE, cause=HOSTILE, summary=HOSTILE)
    alert("good")
    watch.notify("default")
    assert not Alert.objects.filter(sent_at=None).exists()
    assert len(mail.outbox) == 2
    for sent in mail.outbox:
        assert_harmless(f"{sent.subject}\n{sent.body}")
    assert caplog.records == []


def test_a_mail_that_cannot_be_made_waits_alone(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    set_mail(settings, 0, backend=LOCMEM)
    made = watch.body

    def fail(of: Alert, using: str) -> str:
        if of.policy == "broken":
            raise TypeError(HOSTILE)
        return made(of, using)

    monkeypatch.setattr(watch, "body", fail)
    broken, good = alert("broken"), alert("good")
    watch.notify("default")
    waiting = Alert.objects.filter(sent_at=None)
    assert [each.pk for each in waiting] == [broken.pk] != [good.pk]
    assert len(mail.outbox) == 1
    assert Alert.objects.get(pk=broken.pk).again_at > timezone.now()
    (record,) = caplog.records
    assert_harmless(JsonFormatter().format(record))


SECRET = "s3cret@example.com"


def violation() -> IntegrityError:
    """As PostgreSQL raises it, whose DETAIL repeats the row."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE told (email text UNIQUE)")
        cursor.execute("INSERT INTO told VALUES (%s)", [SECRET])
        try:
            cursor.execute("INSERT INTO told VALUES (%s)", [SECRET])
        except IntegrityError as error:
            return error
        finally:
            cursor.execute("DROP TABLE told")
    raise AssertionError


@pytest.mark.parametrize("formatter", [logging.Formatter(), JsonFormatter()])
@pytest.mark.parametrize("chain", ["alone", "cause", "context", "suppressed"])
def test_no_log_has_a_value(
    formatter: logging.Formatter, chain: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = violation()
    assert SECRET in str(first)
    try:
        try:
            raise first
        except IntegrityError as error:
            if chain == "cause":
                raise ValueError(SECRET) from error
            if chain == "context":
                raise ValueError(SECRET)  # noqa: B904
            if chain == "suppressed":
                raise ValueError(SECRET) from None
            raise
    except Exception:
        Log("purge")("run_failed", f"policy {HOSTILE}", policy=HOSTILE)
    (record,) = caplog.records
    text = formatter.format(record)
    assert SECRET not in text
    assert "test_no_log_has_a_value" in text
    assert ("SQLSTATE 23505" in text) == (chain != "suppressed")
    assert ("ValueError" in text) == (chain != "alone")
    assert_harmless(text)


def test_frames_and_names_stay() -> None:
    error = violation()
    told = without_values(error)
    assert (type(told).__name__, type(told).__module__) == ("IntegrityError", "django.db.utils")
    assert told.__traceback__ is error.__traceback__
    assert str(told) == "SQLSTATE 23505"
    assert str(told.__cause__) == "SQLSTATE 23505"
