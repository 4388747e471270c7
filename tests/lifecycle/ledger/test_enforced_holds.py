"""`holds="enforced"`: a held row is refused to the host's own DELETE too."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from lifecycle import hold, release
from lifecycle.insight.status import statuses
from lifecycle.install.after_migrate import store
from lifecycle.models import Event, PolicyState
from lifecycle.policy.registry import get_policy
from tests.lifecycle.management.test_commands import manage
from tests.support import Background, kinds, let_pass, run_until_idle, session, wait_until
from tests.zoo.factories import (
    AttachmentFactory,
    ExpiredCouponFactory,
    ExpiredReadingFactory,
    ExpiredReportFactory,
    ExpiredTicketFactory,
    ExpiredTokenFactory,
    LiveTokenFactory,
)
from tests.zoo.models import Attachment, Comment, Token

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@pytest.fixture
def enforce(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says `holds="enforced"` for policies, as a deployment with `migrate` does."""

    def enforce(*names: str, holds: str = "enforced") -> None:
        for name in names:
            monkeypatch.setattr(get_policy(name), "holds", holds)
            store(get_policy(name), "default")

    return enforce


def execute(sql: str, *params: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params or None)


def refused(delete: Callable[[], Any]) -> str:
    with pytest.raises(IntegrityError, match="is held by hold") as caught, transaction.atomic():
        delete()
    assert getattr(caught.value.__cause__, "sqlstate", "") == "23001"
    return str(caught.value)


@pytest.mark.parametrize(
    ("factory", "policy"),
    [
        (ExpiredTokenFactory, "tokens-short"),
        (ExpiredTicketFactory, "tickets"),
        (ExpiredCouponFactory, "coupons"),
        (ExpiredReportFactory, "reports"),
        (ExpiredReadingFactory, "readings"),
    ],
)
def test_every_way_to_delete_a_held_row_is_refused(
    factory: Any, policy: str, enforce: Callable[..., None]
) -> None:
    enforce(policy)
    row, other = factory(), factory()
    number, model = hold(row, reason="claim"), type(row)
    own, key = model._meta.db_table, model._meta.pk.column
    told = refused(row.delete)
    assert f"{model._meta.label_lower}:{row.pk} is held by hold {number}" in told
    assert f"manage.py lifecycle release --number {number}" in told
    refused(model.objects.all().delete)
    refused(lambda: execute(f"DELETE FROM {own} WHERE {key} = %s", row.pk))
    assert model.objects.count() == 2  # nothing of a refused statement is done
    assert "deleted" not in kinds()
    other.delete()
    release(number)
    row.__class__.objects.get().delete()
    assert not model.objects.exists()


def test_truncate_is_refused(enforce: Callable[..., None]) -> None:
    enforce("tokens")
    hold(LiveTokenFactory())
    with pytest.raises(IntegrityError, match="rows of it are held"):
        execute("TRUNCATE zoo_token")
    assert Token.objects.exists()


def test_a_cascade_is_refused(enforce: Callable[..., None]) -> None:
    enforce("attachments")
    row = AttachmentFactory()
    hold(row)
    refused(row.comment.delete)
    assert Comment.objects.exists()
    assert Attachment.objects.exists()


def test_a_cascade_of_the_database_is_refused(enforce: Callable[..., None]) -> None:
    enforce("attachments")
    name = "zoo_attachment_db_cascade"
    execute(
        f"ALTER TABLE zoo_attachment ADD CONSTRAINT {name} FOREIGN KEY (comment_id)"
        " REFERENCES zoo_comment (id) ON DELETE CASCADE"
    )
    try:
        row = AttachmentFactory()
        hold(row)
        refused(lambda: execute("DELETE FROM zoo_comment"))
        hold("attachments")
        release(row)
        told = refused(lambda: execute("DELETE FROM zoo_comment"))
        assert "zoo.attachment:* is held" in told
    finally:
        execute(f"ALTER TABLE zoo_attachment DROP CONSTRAINT {name}")


def test_a_held_policy_holds_its_whole_table(enforce: Callable[..., None]) -> None:
    enforce("tokens")
    row = LiveTokenFactory()
    hold("tokens-short")
    assert "zoo.token:* is held" in refused(row.delete)


def test_an_update_is_not_refused(enforce: Callable[..., None]) -> None:
    enforce("tokens")
    hold(LiveTokenFactory())
    Token.objects.update(label="changed")
    assert Token.objects.get().label == "changed"


def test_without_it_the_host_may_delete_what_is_held() -> None:
    row = LiveTokenFactory()
    hold(row)
    row.delete()
    assert not Token.objects.exists()


def test_a_hold_ends_at_its_date(enforce: Callable[..., None]) -> None:
    enforce("tokens")
    row = LiveTokenFactory()
    hold(row, until=timezone.now() + HOUR)
    refused(row.delete)
    let_pass(HOUR)
    row.delete()


def test_the_engine_goes_on_with_the_others(enforce: Callable[..., None]) -> None:
    enforce("tokens")
    held = ExpiredTokenFactory()
    ExpiredTokenFactory()
    hold(held)
    run_until_idle()
    assert Token.objects.get() == held


def test_migrate_stores_and_tells_it(enforce: Callable[..., None]) -> None:
    def stored() -> tuple[bool, bool]:
        told = Event.objects.filter(kind="policy_changed", policy="tokens").latest("id")
        return PolicyState.objects.get(name="tokens").enforced, told.detail.get("enforced", False)

    assert stored() == (False, False)
    enforce("tokens")
    assert stored() == (True, True)
    before = Event.objects.count()
    enforce("tokens")
    assert Event.objects.count() == before
    enforce("tokens", holds="engine")
    assert stored() == (False, False)
    row = LiveTokenFactory()
    hold(row)
    row.delete()


def test_status_tells_it(enforce: Callable[..., None]) -> None:
    enforce("tokens")
    assert not [each for each in statuses() if each.enforced and each.policy != "tokens"]
    assert "stop the site's own deletes" not in manage("lifecycle", "status", "tokens")
    hold(LiveTokenFactory())
    told = manage("lifecycle", "status", "tokens")
    assert "tokens: its holds stop the site's own deletes too" in told


def test_a_policy_that_is_gone_enforces_nothing(enforce: Callable[..., None]) -> None:
    enforce("tokens")
    execute(
        "SELECT lifecycle.write_v1('policy_changed', 'tokens', 'zoo.token', NULL, 0, NULL, NULL,"
        """ NULL, '{"state": "removed"}', NULL)"""
    )
    row = LiveTokenFactory()
    hold(row)
    row.delete()


def test_a_delete_that_waits_for_the_hold_sees_it(enforce: Callable[..., None]) -> None:
    enforce("tokens")
    row = LiveTokenFactory()
    with transaction.atomic(), connection.cursor() as cursor:
        hold(row)
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
        deletion = Background(lambda: refused(row.delete))
        with session(autocommit=True) as watching:
            query = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
            wait_until(lambda: watching.execute(query, [pid]).fetchone()[0])
    deletion.result()
    assert Token.objects.exists()
