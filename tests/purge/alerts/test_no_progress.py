"""A policy that makes no progress is told of, whatever the reason: status, exit code, alert."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import ProgrammingError
from django.test import override_settings
from django.utils import timezone

from lifecycle import hold
from lifecycle.insight.media_status import FILES, media_status
from lifecycle.insight.status import statuses
from lifecycle.ledger import policy_states as states
from lifecycle.models import PolicyState
from lifecycle.policy import registry
from purge import runner
from purge.alerts import watch as alerts
from purge.alerts.texts import body
from purge.media import run as media_run
from purge.models import Alert
from purge.overrides.request import enqueue
from purge.runner import run_due
from tests import clock
from tests.purge.alerts.conftest import Mailbox
from tests.purge.archive.engine import archiving
from tests.purge.media.support import orphaned
from tests.support import let_pass, session
from tests.zoo.models import Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
Told = list[tuple[str, dict[str, Any]]]
LONG, VERY_LONG = timedelta(minutes=11), timedelta(days=31)


def passes(spans: int, span: timedelta) -> None:
    """A pass, and again after a while, so many times."""
    for _ in range(spans):
        with suppress(Exception):
            run_due()
        let_pass(span)


@contextmanager
def fails() -> Iterator[None]:
    """Each batch meets an error that is not of one row."""

    def broken(*given: Any) -> None:
        raise ProgrammingError("no function matches")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "settle", broken)
        passes(2, LONG)
        with suppress(ProgrammingError):
            run_due()
        yield


@contextmanager
def asked_for_and_fails() -> Iterator[None]:
    """Nothing is due: a person has asked for rows, and what ends those fails."""
    Token.objects.update(expires_at=timezone.now() + timedelta(days=20))
    run_due()
    enqueue("tokens", within=timedelta(days=30), actor="ada")
    with fails():
        yield


@contextmanager
def locked() -> Iterator[None]:
    """Another session has the row whenever it is tried; each try lists it anew."""
    with session() as other, override_settings(LIFECYCLE_MAX_LAG=50):
        other.execute("SELECT FROM zoo_token FOR UPDATE")
        with pytest.MonkeyPatch.context() as patch:  # the row itself stays as it is
            patch.setattr(clock, "PREFIXES", ("lifecycle_", "purge_"))
            passes(7, timedelta(minutes=1))
            run_due()
        yield


@contextmanager
def unarchived() -> Iterator[None]:
    """There is nowhere to archive to; each try lists the rows anew."""
    nowhere = override_settings(LIFECYCLE_ARCHIVE_DIR="")
    with archiving("tokens", checked=False), nowhere, pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "PREFIXES", ("lifecycle_", "purge_"))
        passes(6, timedelta(hours=1))
        with suppress(Exception):
            run_due()
        yield


@contextmanager
def undeclared() -> Iterator[None]:
    policy = registry._policies.pop("tokens")
    try:
        let_pass(LONG)
        yield
    finally:
        registry._policies["tokens"] = policy


@contextmanager
def stored_otherwise(**columns: str) -> Iterator[None]:
    PolicyState.objects.filter(name="tokens").update(**columns)
    let_pass(LONG)
    run_due()
    yield
    call_command("migrate", verbosity=0)


def no_worker() -> None:
    """Nobody comes."""


def after(span: timedelta, stop: Callable[[], Any]) -> Callable[[], AbstractContextManager[None]]:
    """A person stops the policy, and it stays so for a while."""

    def made() -> AbstractContextManager[None]:
        stop()
        let_pass(span)
        if stop is not no_worker:
            run_due()
        return nullcontext()

    return made


#: what stops it; words of its problem; the alert's cause, None where no alert can be
REASONS: dict[str, tuple[Callable[[], AbstractContextManager[None]], str, str | None]] = {
    "no worker runs": (after(LONG, no_worker), "behind", ""),
    "each pass fails": (fails, "fail with ProgrammingError", "ProgrammingError"),
    "a request fails": (asked_for_and_fails, "fail with ProgrammingError", "ProgrammingError"),
    "rows are locked": (locked, "behind", "locked"),
    "no archive": (unarchived, "cannot be archived, and stay", "archive"),
    "paused": (after(VERY_LONG, lambda: states.pause("tokens")), "paused", "paused"),
    "observed": (after(VERY_LONG, lambda: states.disable("tokens")), "only observes", "observe"),
    "held": (after(VERY_LONG, lambda: hold("tokens")), "is held", "held"),
    "not in the code": (undeclared, "not declared in this code", "undeclared"),
    "other declaration": (
        lambda: stored_otherwise(fingerprint="f" * 64), "declared differently", "outdated",
    ),
    "other SQL": (lambda: stored_otherwise(state_sql="SELECT 1"), "other SQL", "altered"),
    "removed": (lambda: stored_otherwise(state="removed"), "removed in the database", None),
}  # fmt: skip


def problems(policy: str = "tokens") -> str:
    found = [*statuses(), *media_status()]
    return "; ".join(next((each.problems for each in found if each.policy == policy), []))


@pytest.mark.slow
@pytest.mark.parametrize("reason", REASONS)
def test_no_reason_is_silent(reason: str, told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    Token.objects.create(expires_at=timezone.now() - timedelta(seconds=5))
    stop, words, cause = REASONS[reason]
    before = problems()
    with stop():
        with pytest.raises(SystemExit) as exit_of:
            call_command("lifecycle", "status")
        assert exit_of.value.code == 1
        assert words in problems(), problems()
        for text in (problems(), *(body(each, "default") for each in Alert.objects.all())):
            for command in re.findall(r"`(?:manage\.py )?lifecycle ([^`]+)`", text):
                verb, *rest = command.split()
                assert rest[:1] == ["tokens"] or verb in ("holds", "install"), text
        alerts.watch("default")
        lags = [one["cause"] for name, one in told if name == "lagging"]
        assert lags == ([] if cause is None else [cause])
        alerts.watch("default")  # once
        assert len([1 for name, _ in told if name == "lagging"]) == len(lags)
    assert before == ""
    assert Token.objects.count() == 1


def test_what_goes_on_is_no_problem() -> None:
    """A pass that has failed once, a kill, a short lock, a pause of a day."""
    Token.objects.create(expires_at=timezone.now() - timedelta(seconds=5))
    with ExitStack() as stack, fails():
        assert "fail with" in problems()
        stack.pop_all()
    run_due()
    assert problems() == ""
    Token.objects.create(expires_at=timezone.now() - timedelta(seconds=5))
    with session() as other:
        other.execute("SELECT FROM zoo_token FOR UPDATE")
        run_due()
    assert problems() == ""
    states.pause("tokens")
    let_pass(timedelta(days=1))
    assert problems() == ""


@pytest.mark.parametrize("longest", [None, 3600.0])
def test_how_long_a_person_may_stop_it_is_a_setting(
    longest: float | None, told: Told, settings: Any
) -> None:
    settings.LIFECYCLE_MAX_STOPPED = longest
    Token.objects.create(expires_at=timezone.now() - timedelta(seconds=5))
    states.pause("tokens")
    let_pass(timedelta(hours=2) if longest else VERY_LONG)
    alerts.watch("default")
    assert bool(told) is bool(problems()) is bool(longest)


def test_each_reason_has_its_words_in_the_mail(mailbox: Mailbox) -> None:
    now = timezone.now()
    said = {"locked": "pg_stat_activity", "": "Perhaps no worker runs", "Boom": "fails with Boom"}
    said |= {"held": "LIFECYCLE_MAX_STOPPED is 30 days", "archive": "cannot be made"}
    for cause in said:
        trouble = {"kind": "lagging", "policy": "tokens", "model": "zoo.token", "cause": cause}
        alerts.open_alert("default", **trouble, event=None, count=1, summary="due", seen=now)
    alerts.notify("default")
    texts = [" ".join(mail.get_content().split()) for mail in mailbox.mails]
    assert len(texts) == len(said)
    assert all(words in text for words, text in zip(said.values(), texts, strict=True))


def test_files_that_wait_are_told_of(
    mailbox: Mailbox, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any) -> None:
        raise ProgrammingError("no function matches")

    orphaned("services/a.jpg", wait=False)
    monkeypatch.setattr(media_run, "run_batch", broken)
    let_pass(LONG)
    with suppress(ProgrammingError):
        run_due()
    assert "behind" in problems(FILES)
    alerts.watch("default")
    assert [(n, one["policy"], one["cause"]) for n, one in told] == [
        ("lagging", "", "ProgrammingError")
    ]
    (mail,) = mailbox.mails
    assert str(mail["Subject"]) == "[Django] Retention of files is behind"
    assert "1 file that no row shows" in mail.get_content()


def test_an_alert_is_over_when_the_reason_is(told: Told) -> None:
    Token.objects.create(expires_at=timezone.now() - timedelta(seconds=5))
    states.pause("tokens")
    let_pass(VERY_LONG)
    alerts.watch("default")
    assert [one["cause"] for _, one in told] == ["paused"]
    states.resume("tokens")
    run_due()
    let_pass(LONG)
    alerts.watch("default")
    assert not Alert.objects.exclude(kind="look").exists()
    assert (Token.objects.count(), Ticket.objects.count()) == (0, 0)
