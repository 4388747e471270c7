"""What others are told of rows that left archives: certificates, requests, the worker."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

import purge
from lifecycle.proof.readable import readable
from lifecycle.sealing import log as logs
from purge.certificates.make import certify
from purge.certificates.story import of_row
from purge.worker import memory
from purge.worker.asked import do_what_was_asked
from purge.worker.jobs import archives_task, wake_for_archives
from purge.worker.whole_pass import run_all
from tests.clock import pass_time
from tests.purge.proof.support import ORIGIN, USING, in_folder, publish
from tests.purge.rewriting.lives import archived, erase, labels, steps
from tests.zoo.models import Person

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_certificate_says_so(tmp_path: Path, settings: Any) -> None:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    with in_folder(tmp_path), archived(None, settings) as (her, _):
        key = str(her.pk)
        erase(her)
        publish()
        waiting = readable(certify(of_row(Person, key, USING), USING))
        assert "Rows in archives: tokens: not looked through yet, waits for" in waiting
        call_command("purge", verbosity=0)
        publish()
        story = of_row(Person, key, USING)
        steps = [each.detail["step"] for each in story.events if each.kind == "archive_erased"]
        assert steps == ["asked", "rewritten", "gone", "done"]
        told = readable(certify(story, USING))
        assert "3 rows erased, archives rewritten: 1, old files gone" in told
        assert told.count("rows of it leave archives") == 4


def test_the_worker_is_woken_once_a_minute(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr("purge.worker.jobs.archives_task", woken.append)

    def beat() -> None:
        if do_what_was_asked("default"):
            wake_for_archives("default")

    memory.of("default").reset("in archives")
    with archived(tmp_path, settings) as (her, other):
        request = purge.request_erasure(her, "r1", grace=timedelta(0), actor="jo")
        assert request.done_at is None
        assert "archives of tokens wait for a worker" in request.waits_for
        beat()
        beat()
        assert woken == ["default"]
        archives_task.call_local("default")
        assert steps()[-1] == "done"
        assert labels(tmp_path) == [str(other.pk)] * 3
        pass_time(days=1)
        beat()
        request.refresh_from_db()
        assert request.done_at is not None
        assert woken == ["default"]


def test_a_pass_without_huey_does_it_too(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings) as (her, other):
        purge.request_erasure(her, "r1", grace=timedelta(0), actor="jo")
        run_all()
        assert steps()[-1] == "done"
        assert labels(tmp_path) == [str(other.pk)] * 3
