"""A pass over everything at once, and Django's task for it, for sites without Huey."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings as site_settings
from django.core.files.storage import default_storage
from django.db import connections, transaction
from django.utils import timezone

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger import policy_states as states
from lifecycle.models import Backfill, Event, PolicyState
from purge import tasks
from purge.models import Run
from purge.worker import whole_pass
from purge.worker.whole_pass import run_all
from tests.backfills import declare, listed, write
from tests.demo.telling import own_database
from tests.lifecycle.install.project import PACKAGE, RUN, Project
from tests.purge.alerts.conftest import Mailbox, mailbox  # noqa: F401 - a fixture
from tests.purge.alerts.test_alerts import drafts
from tests.purge.media.support import folder, orphaned, stored
from tests.support import together
from tests.zoo.models import Draft, Spark, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
has_tasks = pytest.mark.skipif(django.VERSION < (6, 0), reason="django.tasks came with Django 6.0")


def tokens(count: int, ago: timedelta = HOUR) -> None:
    Token.objects.bulk_create(Token(expires_at=timezone.now() - ago) for _ in range(count))


def test_it_ends_what_is_due_and_nothing_else() -> None:
    tokens(3)
    tokens(2, ago=-HOUR)
    old = timezone.now() - timedelta(days=2)
    Draft.objects.create(created_at=old)
    Draft.objects.create(created_at=timezone.now())
    assert run_all() == {"default": {"tokens": {"purged": 3}, "drafts": {"tombstoned": 1}}}
    assert (Token.objects.count(), Draft.objects.count()) == (2, 2)
    assert run_all() == {"default": {}}


def test_it_deletes_files(tmp_path: Path) -> None:
    with folder(tmp_path):
        gone, stays = stored(), stored()
        orphaned(gone)
        assert run_all()["default"]["(media)"]["purged"] == 1
        assert (default_storage.exists(gone), default_storage.exists(stays)) == (False, True)


def test_it_reads_tables_from_before_their_policy() -> None:
    write(Ticket, *[timedelta(days=1)] * 40)
    declare("tickets")
    assert run_all() == {"default": {}}
    assert listed("tickets") == 40
    assert Backfill.objects.get(policy="tickets").finished_at
    assert Ticket.objects.count() == 40


def test_it_tells_of_troubles(mailbox: Mailbox) -> None:  # noqa: F811
    drafts(1)
    run_all()
    assert mailbox.subjects == ["[Django] Retention policy drafts: rows cannot end"]


def test_it_closes_what_a_kill_has_left_open() -> None:
    long_ago = timezone.now() - HOUR
    Run.objects.create(policy="tokens", started_at=long_ago, last_batch_at=long_ago)
    run_all()
    assert Run.objects.get().finished_at


def test_an_error_of_one_policy_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens(1)
    Spark.objects.create(flash=True, expires_at=timezone.now() - HOUR)
    fail_for(monkeypatch, "tokens")
    with pytest.raises(RuntimeError, match="planted"):
        run_all()
    assert (Token.objects.count(), Spark.objects.count()) == (1, 0)


def fail_for(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    from purge import runner

    cap = runner.check_cap

    def check(policy: Any, using: str) -> None:
        if policy.name == name:
            raise RuntimeError("planted")
        cap(policy, using)

    monkeypatch.setattr(runner, "check_cap", check)


def test_an_error_of_one_database_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens(1)
    monkeypatch.setattr(whole_pass, "served", lambda: ["elsewhere", "default"])
    nobody = connections.settings["default"] | {"HOST": "127.0.0.1", "PORT": "1"}
    monkeypatch.setitem(connections.settings, "elsewhere", nobody)
    with pytest.raises(Exception, match=r"refused|'elsewhere'"):  # the server, or Django's tests
        run_all()
    assert Token.objects.count() == 0


def test_a_database_of_another_version_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens(1)
    monkeypatch.setattr("lifecycle.db.version.VERSION", "version 999")
    with pytest.raises(LifecycleError, match="this code needs version 999"):
        run_all()
    assert Token.objects.count() == 1


def test_its_time_is_over_before_it_began() -> None:
    tokens(1)
    assert run_all(seconds=0) == {"default": {}}
    assert Token.objects.count() == 1
    assert run_all(seconds=60) == {"default": {"tokens": {"purged": 1}}}


def test_what_is_paused_stays() -> None:
    tokens(1)
    states.pause("tokens", actor="jo")
    assert run_all() == {"default": {}}
    assert Token.objects.count() == 1
    assert PolicyState.objects.get(name="tokens").state == "paused"


def test_four_at_once_end_each_row_once() -> None:
    tokens(500)
    together(*[run_all] * 4)
    assert Token.objects.count() == 0
    purged = Event.objects.filter(kind="purged", policy="tokens")
    assert sum(event.count for event in purged) == 500


@has_tasks
class TestTick:
    """By Django's ImmediateBackend, which is the default."""

    def test_it_runs(self) -> None:
        tokens(2)
        result = tasks.tick.enqueue()
        assert (result.status, result.errors) == ("SUCCESSFUL", [])
        assert result.return_value == {"default": {"tokens": {"purged": 2}}}
        assert result.task.module_path == "purge.tasks.tick"

    def test_it_takes_a_time(self) -> None:
        tokens(2)
        assert tasks.tick.enqueue(seconds=0).return_value == {"default": {}}
        assert Token.objects.count() == 2

    def test_it_fails_when_others_are_done(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tokens(1)
        Spark.objects.create(flash=True, expires_at=timezone.now() - HOUR)
        fail_for(monkeypatch, "tokens")
        result = tasks.tick.enqueue()
        assert (result.status, result.errors[0].exception_class) == ("FAILED", RuntimeError)
        assert (Token.objects.count(), Spark.objects.count()) == (1, 0)

    def test_it_refuses_a_transaction(self) -> None:
        tokens(1)
        with transaction.atomic():
            assert tasks.tick.enqueue().status == "FAILED"
        assert Token.objects.count() == 1


def fresh(site: Project, *command: str) -> str:
    """What a command prints in a process that has imported nothing before."""
    arguments = [sys.executable, "-W", "error", "-c", RUN, json.dumps([command])]
    return subprocess.check_output(arguments, cwd=site.path, text=True).strip()


class TestWithoutHuey:
    """A site that has the package and no Huey."""

    @pytest.fixture
    def site(self, tmp_path: Path, database_server: None, worker_id: str) -> Any:
        with own_database(site_settings.DATABASES["default"], f"test_bare_{worker_id}") as url:
            project = Project(tmp_path, url)
            project.install(*(app for app in PACKAGE if not app.startswith("huey")))
            project.manage("makemigrations -v0", "migrate -v0")
            yield project

    @pytest.mark.slow
    def test_it_passes_the_checks(self, site: Project) -> None:
        site.manage("check --database default --fail-level WARNING")
        code = "import sys, purge.tasks; print(sorted({'huey', 'redis'} & {*sys.modules}))"
        assert fresh(site, "shell", "-v0", "-c", code) == "[]"
        assert not site.sql("SELECT to_regclass('huey_task')")

    def test_the_command_ends_its_rows(self, site: Project) -> None:
        assert self.ended_by(site, "purge")

    @has_tasks
    @pytest.mark.parametrize(
        "named",
        [
            "",
            'TASKS = {"own": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}',
            'TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend",'
            ' "QUEUES": ["slow", "quick"]}}',
        ],
    )
    def test_the_task_ends_its_rows(self, site: Project, named: str) -> None:
        site.write("site_settings.py", (site.path / "site_settings.py").read_text() + named)
        code = "from purge.tasks import tick; print(tick.enqueue().return_value)"
        said = self.ended_by(site, ("shell", "-v0", "-c", code))
        assert "{'default': {'carts': {'purged': 1}}}" in said

    @has_tasks
    def test_there_is_none_without_a_backend(self, site: Project) -> None:
        site.write("site_settings.py", (site.path / "site_settings.py").read_text() + "TASKS = {}")
        code = "import purge.tasks; print(hasattr(purge.tasks, 'tick'))"
        assert site.manage(("shell", "-v0", "-c", code)).strip() == "False"

    def ended_by(self, site: Project, *commands: Any) -> str:
        for age in (31, 1):
            site.sql(
                "INSERT INTO shop_cart (paid, created_at) VALUES (false, now() - %s)",
                timedelta(days=age),
            )
        said = site.manage(*commands)
        assert site.sql("SELECT count(*) FROM shop_cart") == 1
        return said
