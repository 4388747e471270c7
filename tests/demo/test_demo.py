"""The story from outside: exit codes, lines, and that nothing of it stays behind."""

import re
import signal
import time
from collections.abc import Callable

import psycopg

from demo.site import answers
from demo.story import STEPS
from demo.story.signups import BULK, OTPS, RAW
from tests.demo.telling import Telling
from tests.infra.servers import until

Tell = Callable[..., Telling]


def seen(telling: Telling) -> list[str]:
    """The steps in the order in which they were told."""
    return re.findall(r"^ *[\d.]+ s  ([\w ]+?)  ", telling.output, flags=re.MULTILINE)


def test_exit_tells_every_step_and_ends(tell: Tell) -> None:
    started = time.monotonic()
    telling = tell("--exit")
    assert telling.end() == 0, telling.output
    assert time.monotonic() - started < 90
    assert seen(telling) == list(STEPS)
    assert f"{1 + BULK} OTP expired, {RAW} not confirmed in 60 minutes" in telling.output
    assert f"purged       {BULK + RAW + OTPS} rows" in telling.output
    assert telling.worker_is_gone()


def test_the_site_stays_up_until_ctrl_c(tell: Tell) -> None:
    telling = tell("--until", "recorded", "--port", "0")
    telling.wait_for("up until Ctrl-C")
    assert seen(telling)[-1] == "recorded"
    assert answers(telling.port)
    assert telling.end(signal.SIGINT) == 0, telling.output
    assert telling.worker_is_gone()
    assert not answers(telling.port)


def test_sigterm_in_the_middle_stops_the_worker(tell: Tell) -> None:
    telling = tell()
    telling.wait_for("recorded")
    assert telling.end(signal.SIGTERM) == 130, telling.output
    assert telling.worker_is_gone()
    assert "Traceback" not in telling.output


def test_after_a_kill_the_worker_ends_and_the_story_is_told_again(tell: Tell) -> None:
    killed = tell()
    killed.wait_for("recorded")
    killed.end(signal.SIGKILL)
    again = tell("--exit", "--until", "used")
    until(killed.worker_is_gone, 20)
    assert again.end() == 0, again.output
    assert seen(again)[-1] == "used"
    assert re.search(r"clean +[1-9]\d* rows of earlier runs deleted", again.output)


def test_two_at_once_do_not_spoil_each_other(tell: Tell) -> None:
    first = tell("--port", "0")
    first.wait_for("worker ")
    second = tell("--exit")
    assert second.end() == 1
    assert "already runs on this database" in second.output
    assert "The story stopped" not in first.output
    assert first.end(signal.SIGINT) == 130, first.output


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


def test_production_is_left_alone(tell: Tell) -> None:
    telling = tell("--exit", DEBUG="0", DJANGO_SECRET_KEY="k" * 50, ALLOWED_HOSTS="example.com")
    assert telling.end() == 1
    assert "wants DEBUG=1" in telling.output
