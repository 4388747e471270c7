"""The story from outside: exit codes, lines, and that nothing of it stays behind."""

import re
import signal
import time
from collections.abc import Callable

import psycopg
import pytest

from demo.site import answers
from demo.story import STEPS
from demo.story.signups import BULK, OTPS, RAW
from demo.story.systems import LOGS, SESSIONS
from tests.demo.telling import Telling
from tests.infra.servers import until

Tell = Callable[..., Telling]


def seen(telling: Telling) -> list[str]:
    """The steps in the order in which they were told."""
    return re.findall(r"^ *[\d.]+ s  ([\w ]+?)  ", telling.output, flags=re.MULTILINE)


#: what the ledger has of the whole story: its main part, and each of its other systems
TABLE = {
    "registrations-otp-expired": f"{1 + BULK} scheduled, {1 + BULK} tombstoned, 1 restored,"
    f" {BULK} purged",
    "registrations-unconfirmed": f"{RAW} scheduled, {RAW} tombstoned, {RAW} purged",
    "one-time-passwords": f"{OTPS} scheduled, {OTPS} purged",
    "expired-tokens": "3 scheduled, 3 purged",
    "expired-issued-tokens": "2 scheduled, 2 purged",
    "sessions": f"{SESSIONS} purged",
    "soft-bounces": "1 scheduled, 1 updated",
    "stale-bounces": "2 scheduled, 1 purged",
    "draft-services": "2 scheduled, 1 tombstoned, 1 kept, 2 purged",
    "unverified-users": "2 scheduled, 2 tombstoned, 1 purged",
    "audit-logs": f"{LOGS} archived, {LOGS} purged",
}


def table(telling: Telling) -> dict[str, str]:
    """The last table: by policy, what happened to how many."""
    lines = telling.output.partition("rows, as the ledger has them")[2].splitlines()
    cells = (re.split(r"  +", line.strip(), maxsplit=1) for line in lines)
    return {each[0]: each[1].strip() for each in cells if len(each) == 2 and each[0] != "policy"}


def test_exit_tells_every_step_and_ends(tell: Tell) -> None:
    started = time.monotonic()
    telling = tell("--exit")
    assert telling.end() == 0, telling.output
    assert time.monotonic() - started < 90
    assert seen(telling) == list(STEPS)
    assert f"{1 + BULK} OTP expired, {RAW} not confirmed in 60 minutes" in telling.output
    assert f"purged       {BULK + RAW + OTPS} rows" in telling.output
    assert table(telling) == TABLE
    assert telling.worker_is_gone()


@pytest.mark.slow
def test_the_site_stays_up_until_ctrl_c(tell: Tell) -> None:
    telling = tell("--until", "recorded", "--port", "0")
    telling.wait_for("up until Ctrl-C")
    assert seen(telling)[-1] == "recorded"
    assert answers(telling.port)
    assert telling.end(signal.SIGINT) == 0, telling.output
    assert telling.worker_is_gone()
    assert not answers(telling.port)


@pytest.mark.slow
def test_sigterm_in_the_middle_stops_the_worker(tell: Tell) -> None:
    telling = tell()
    telling.wait_for("recorded")
    assert telling.end(signal.SIGTERM) == 130, telling.output
    assert telling.worker_is_gone()
    assert "Traceback" not in telling.output


@pytest.mark.slow
def test_after_a_kill_the_worker_ends_and_the_story_is_told_again(tell: Tell) -> None:
    killed = tell()
    killed.wait_for("recorded")
    killed.end(signal.SIGKILL)
    again = tell("--exit", "--until", "used")
    until(killed.worker_is_gone, 20)
    assert again.end() == 0, again.output
    assert seen(again)[-1] == "used"
    assert re.search(r"clean +[1-9]\d* rows of earlier runs deleted", again.output)


@pytest.mark.slow
def test_two_at_once_do_not_spoil_each_other(tell: Tell) -> None:
    first = tell("--port", "0")
    first.wait_for("worker ")
    second = tell("--exit")
    assert second.end() == 1
    assert "already runs on this database" in second.output
    assert "The story stopped" not in first.output
    assert first.end(signal.SIGINT) == 130, first.output


@pytest.mark.slow
def test_it_claims_nothing_while_a_policy_is_paused(tell: Tell, story_url: str) -> None:
    tell("--exit", "--until", "database").end()
    with psycopg.connect(story_url) as connection:
        connection.execute("UPDATE lifecycle_policy SET state = 'paused'")
    try:
        telling = tell("--exit")
        assert telling.end() == 1
        assert "one-time-passwords is paused" in telling.output
        assert seen(telling) == []
    finally:
        with psycopg.connect(story_url) as connection:
            connection.execute("UPDATE lifecycle_policy SET state = 'enabled'")


@pytest.mark.slow
def test_production_is_left_alone(tell: Tell) -> None:
    telling = tell("--exit", DEBUG="0", DJANGO_SECRET_KEY="k" * 50, ALLOWED_HOSTS="example.com")
    assert telling.end() == 1
    assert "wants DEBUG=1" in telling.output
