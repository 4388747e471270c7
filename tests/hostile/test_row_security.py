"""Row level security that hides rows from the worker: none of them is taken for gone.

Each form is a line. Whatever is hidden, the row that ends, a child of it or a row that keeps it,
the policy halts and says so, and goes on once the role may see all rows.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import ProgrammingError
from django.utils import timezone

from lifecycle.backfill import progress as backfill
from lifecycle.insight.status import statuses
from lifecycle.ledger.policy_states import resume
from lifecycle.models import AgendaEntry, Event, PolicyState
from lifecycle.policy.registry import get_policy
from lifecycle.promises.rows import unreadable
from purge.media.run import run_media
from purge.runner import run_due
from tests.clock import pass_time
from tests.hostile.roles import logged_in, run, worker_role
from tests.purge.media.support import folder, orphaned, stored, told
from tests.zoo.models import Draft, Line, Order, Picture, Token, Upload

pytestmark = pytest.mark.django_db(transaction=True)

ENABLE = "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY"
FORCE = "ALTER TABLE {0} FORCE ROW LEVEL SECURITY"
POLICY = "CREATE POLICY some_rows ON {{0}} USING ({})"
#: how rows are hidden from the worker; `{0}` is the table, `{1}` the role
HIDING = {
    "no policy at all": ENABLE,
    "all rows": f"{ENABLE}; {POLICY.format('false')}",
    "some rows": f"{ENABLE}; {POLICY.format('id % 2 = 0')}",
    "the rows of others, by a setting": f"{ENABLE}; "
    + POLICY.format("current_setting('app.tenant', true) = 'a'"),
    "from the owner too": f"{ENABLE}; {FORCE}; ALTER TABLE {{0}} OWNER TO {{1}}",
}
#: how rows are hidden from others only
SHOWING = {
    "the role bypasses it": f"{ENABLE}; {POLICY.format('false')}; ALTER ROLE {{1}} BYPASSRLS",
    "the role owns the table": f"{ENABLE}; ALTER TABLE {{0}} OWNER TO {{1}}",
    "it is not enabled": POLICY.format("false"),
}
UNDO = (
    "ALTER TABLE {0} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {0} DISABLE ROW LEVEL SECURITY;"
    " DROP POLICY IF EXISTS some_rows ON {0}; ALTER TABLE {0} OWNER TO CURRENT_USER"
)
TABLES = ("zoo_token", "zoo_line", "zoo_picture", "zoo_upload")


@pytest.fixture
def role() -> Iterator[str]:
    with worker_role() as name:
        yield name
        for table in TABLES:
            run(UNDO, table)


def past(hours: float = 1) -> Any:
    return timezone.now() - timedelta(hours=hours)


def halts() -> list[tuple[str, str]]:
    """The policies that were halted, and why."""
    events = Event.objects.filter(kind="halted").order_by("id")
    return [(each.policy, each.cause) for each in events]


def w123(role: str) -> list[str]:
    found = run_checks(tags=["database"], databases=["default"])
    return [m.msg for m in found if m.id == "lifecycle.W123" and role in m.msg]


@pytest.mark.slow
@pytest.mark.parametrize("form", HIDING)
def test_no_hidden_row_is_taken_for_gone(role: str, form: str) -> None:
    tokens = Token.objects.bulk_create([Token(expires_at=past()) for _ in range(4)])
    listed = set(AgendaEntry.objects.values_list("event_id", flat=True))
    run(HIDING[form], "zoo_token", role)
    with logged_in(role):
        run_due()
        assert "tokens" in unreadable()
    assert halts() == [("tokens", "row_security")]
    assert set(AgendaEntry.objects.values_list("event_id", flat=True)) == listed
    assert not Event.objects.filter(kind__in=("purged", "settled", "tombstoned")).exists()
    assert any("'zoo_token'" in text for text in w123(role))
    (status,) = (each for each in statuses() if each.policy == "tokens")
    assert any(role in problem for problem in status.problems)
    resume("tokens", actor="ann")
    backfill.ask(get_policy("tokens"))
    with logged_in(role), pytest.raises(ProgrammingError, match="row-level security"):
        backfill.step(get_policy("tokens"), hurried=True)
    run("ALTER ROLE {} BYPASSRLS", role)
    with logged_in(role):
        run_due()
    assert not Token.objects.filter(pk__in=[each.pk for each in tokens]).exists()
    assert sum(Event.objects.filter(kind="purged").values_list("count", flat=True)) == 4
    assert not w123(role)


@pytest.mark.parametrize("form", SHOWING)
def test_rows_that_the_role_sees_go(role: str, form: str) -> None:
    Token.objects.create(expires_at=past())
    stays = Token.objects.create(expires_at=past(-1))
    run(SHOWING[form], "zoo_token", role)
    assert not w123(role)
    with logged_in(role):
        run_due()
    assert halts() == []
    run("ALTER TABLE {} DISABLE ROW LEVEL SECURITY", "zoo_token")
    assert list(Token.objects.all()) == [stays]


def test_no_hidden_child_is_left_behind(role: str) -> None:
    order = Order.objects.create(expires_at=past(), grace=timedelta(0))
    Line.objects.create(order=order)
    run(HIDING["all rows"], "zoo_line", role)
    run("ALTER TABLE zoo_line DISABLE TRIGGER ALL")  # as with db_constraint=False
    try:
        with logged_in(role):
            run_due()
    finally:
        run("ALTER TABLE zoo_line ENABLE TRIGGER ALL")
    assert halts() == [("orders", "row_security")]
    assert Order.objects.filter(pk=order.pk).exists()
    assert any("'zoo_line'" in text for text in w123(role))


def test_what_keeps_a_row_is_not_overlooked(role: str) -> None:
    draft = Draft.objects.create(created_at=past(48))
    Picture.objects.create(draft=draft)
    run(HIDING["all rows"], "zoo_picture", role)
    with logged_in(role):
        run_due()
    assert halts() == [("drafts", "row_security")]
    assert not Event.objects.filter(kind__in=("tombstoned", "kept")).exists()


@pytest.mark.parametrize("form", ["all rows", "some rows", "no right"])
def test_no_file_goes_that_a_hidden_row_may_show(role: str, tmp_path: Path, form: str) -> None:
    with folder(tmp_path):
        shown, alone = stored(), stored()
        row = Upload.objects.create(file=shown)
        orphaned(shown, alone)
        hide = "REVOKE SELECT ON {0} FROM {1}" if form == "no right" else HIDING[form]
        run(hide, "zoo_upload", role)
        with logged_in(role):
            outcome = run_media()
        code = "permission" if form == "no right" else "row_security"
        assert (outcome.purged, outcome.blocked) == (0, 2)
        assert {one["code"] for one in told("blocked").values()} == {code}
        assert [default_storage.exists(name) for name in (shown, alone)] == [True, True]
        assert form == "no right" or any("'zoo_upload'" in text for text in w123(role))
        run("GRANT SELECT ON {0} TO {1}; ALTER ROLE {1} BYPASSRLS", "zoo_upload", role)
        pass_time(hours=1)
        with logged_in(role):
            assert (run_media().purged, default_storage.exists(shown)) == (1, True)
        assert not default_storage.exists(alone)
        assert Upload.objects.filter(pk=row.pk).exists()


def test_a_dry_run_halts_nothing(role: str) -> None:
    Token.objects.create(expires_at=past())
    run(HIDING["all rows"], "zoo_token", role)
    with logged_in(role), pytest.raises(CommandError, match="brake"):
        call_command("purge", "--dry-run")
    assert halts() == []
    assert PolicyState.objects.get(name="tokens").state == "enabled"
    assert Token.objects.count() == 1
