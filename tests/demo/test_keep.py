"""Conditions of `keep_while` that have names, and a one-time override that says which count."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

import purge
from demo.factories import ServiceFactory, ServiceMediaFactory, ServiceSessionFactory
from demo.models import Service
from lifecycle import hold
from lifecycle.exceptions import LifecycleError, PolicyError
from lifecycle.insight.why import why
from lifecycle.install import after_migrate as sync
from lifecycle.models import Event, RowException
from lifecycle.policy import registry
from lifecycle.policy.policy import OPTIONS, Policy
from lifecycle.policy.registry import get_policy
from purge.batch.outcome import Outcome
from purge.runner import run_due
from tests.clock import pass_time
from tests.support import events_of

pytestmark = pytest.mark.django_db(transaction=True)
NOW, HOUR = timedelta(0), timedelta(hours=1)


@pytest.fixture(autouse=True)
def media_folder(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def run(**options: Any) -> Outcome:
    return purge.run("draft-services", **({"actor": "jo"} | options))


def drafts() -> dict[str, Service]:
    """Abandoned drafts, by what would keep them."""
    made = {
        name: ServiceFactory.create(abandoned=True, title=name)
        for name in ("bare", "media", "sessions", "both", "held")
    }
    for name in ("media", "both"):
        ServiceMediaFactory.create(service=made[name])
    for name in ("sessions", "both"):
        ServiceSessionFactory.create(service=made[name])
    hold(made["held"])
    return made


def there() -> set[str]:
    return {each.title for each in Service.objects.all()}


def gone(rows: Callable[[], Any]) -> set[str]:
    return {each.title for each in rows()}


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (None, {"media", "sessions", "both"}),
        (["media", "sessions"], {"media", "sessions", "both"}),
        (["media"], {"media", "both"}),
        (["sessions"], {"sessions", "both"}),
        ([], set()),
    ],
)
def test_only_the_named_ones_count_without_the_grace(
    keep: list[str] | None, left: set[str]
) -> None:
    drafts()
    options = {} if keep is None else {"keep": keep}
    dry = run(grace=NOW, dry_run=True, **options)
    assert len(there()) == 5
    done = run(grace=NOW, **options)
    assert (dry.purged, dry.kept, dry.held) == (done.purged, done.kept, done.held)
    assert done.held == 1
    assert there() == left | {"held"}


def test_and_through_the_grace() -> None:
    made = drafts()
    assert run(keep=["sessions"]).tombstoned == 2
    assert set(gone(Service.objects.tombstoned)) == {"bare", "media"}
    assert set(gone(Service.objects.live)) == {"sessions", "both", "held"}
    (verdict,) = why(Service, str(made["media"].pk)).verdicts
    assert "is tombstoned since" in verdict.says
    ServiceSessionFactory.create(service=made["media"])
    pass_time(days=8)
    run_due()
    assert there() == {"media", "sessions", "both", "held"}, "a condition that was named counts"
    assert "media" in gone(Service.objects.live)
    assert events_of(made["bare"])[-1] == "purged"
    request = Event.objects.get(kind="expired_by_hand", count=0)
    assert request.detail == {"within": 0, "without": ["media"]}
    told = Event.objects.get(kind="expired_by_hand", count=2)
    assert told.detail == {"without": ["media"], "override": request.pk}


def test_a_condition_that_is_renamed_meanwhile_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    drafts()
    run(keep=["sessions"])
    policy = get_policy("draft-services")
    conditions = {"files": policy.keep_while["media"], "sessions": policy.keep_while["sessions"]}
    options = {name: getattr(policy, name) for name in OPTIONS} | {"keep_while": conditions}
    monkeypatch.setitem(
        registry._policies, "draft-services", Policy("draft-services", Service, **options)
    )
    sync.store(get_policy("draft-services"), "default")
    assert "media" in gone(Service.objects.live)
    pass_time(days=8)
    run_due()
    assert there() == {"media", "sessions", "both", "held"}
    monkeypatch.undo()
    sync.store(policy, "default")


def test_a_worker_does_what_was_asked_for() -> None:
    drafts()
    purge.enqueue("draft-services", actor="jo", grace=NOW, keep=["media"])
    run_due()
    assert there() == {"media", "both", "held"}


def test_a_rebuild_keeps_what_was_named() -> None:
    drafts()
    run(keep=[])
    before = list(RowException.objects.values_list("kind", "key", "since"))
    call_command("lifecycle", "rebuild", verbosity=0)
    assert list(RowException.objects.values_list("kind", "key", "since")) == before
    pass_time(days=8)
    run_due()
    assert there() == {"held"}


def test_what_a_backup_brings_back_is_ended_again() -> None:
    made = ServiceFactory.create(abandoned=True, title="back")
    media = ServiceMediaFactory.create(service=made)
    run(grace=NOW, keep=[])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # as pg_restore does
        for row in (made, media):
            row.save_base(raw=True, force_insert=True)
    run_due()
    assert there() == {"back"}
    call_command("purge", replay=True, yes=True, actor="jo", verbosity=0, stdout=StringIO())
    assert there() == set(), "though it has media again, which keep it by the policy alone"


def test_wrong_names() -> None:
    with pytest.raises(LifecycleError, match=r"Nothing called 'films' keeps.*: media, sess"):
        run(keep=["films"])
    with pytest.raises(LifecycleError, match="keep must be a list of names"):
        run(keep="media")
    with pytest.raises(PolicyError, match="keep_while must be"):
        Policy("x", Service, expires="created_at", keep_while={"A b": get_policy("drafts").when})
    with pytest.raises(PolicyError, match="keep_while must be"):
        Policy("x", Service, expires="created_at", keep_while={})
