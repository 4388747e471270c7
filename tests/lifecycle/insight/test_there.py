"""Figures that people see count rows that are there, or say that they are the most there can be."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle.compiler.keys import label_of_model
from lifecycle.insight import there
from lifecycle.insight.forecast import forecast
from lifecycle.insight.status import Status, statuses
from lifecycle.models import AgendaEntry
from lifecycle.policy.registry import get_policy
from purge.reports.report import report
from purge.reports.texts import as_html, as_text
from purge.runner import run_due
from tests.lifecycle.management.test_commands import manage
from tests.support import let_pass
from tests.zoo import factories
from tests.zoo.models import Contract, Draft

pytestmark = pytest.mark.django_db(transaction=True)
AGO = timedelta(days=2)


def found(policy: str = "drafts") -> Status:
    return next(each for each in statuses() if each.policy == policy)


def drafts(count: int, ago: timedelta = AGO) -> list[Draft]:
    made = [Draft(created_at=timezone.now() - ago) for _ in range(count)]
    return Draft.objects.bulk_create(made)


def test_rows_that_the_site_has_deleted_are_in_no_figure() -> None:
    gone = drafts(4)
    run_due()
    assert found().tombstoned == 4
    coming = drafts(3, ago=timedelta(hours=1))
    Draft.objects.filter(pk__in=[row.pk for row in gone[1:]]).delete()
    coming[0].delete()
    assert AgendaEntry.objects.filter(policy="drafts").count() == 2  # which list all seven

    each = found()
    assert (each.tombstoned, each.scheduled, each.due, each.at_most) == (1, 2, 0, False)
    (line,) = (one for one in report(7, "default").lines if one.policy == "drafts")
    assert (line.next_days, line.at_most) == (3, False)
    assert "At most" not in as_text([report(7, "default")])
    preview = forecast(get_policy("drafts"))
    assert (preview.listed, sum(preview.days.values()), preview.at_most) == (3, 3, False)
    text = manage("lifecycle", "enable", "drafts", "--dry-run")
    assert "3  are on the agenda " in text
    assert "at most" not in text


def test_what_is_too_much_to_count_is_an_upper_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(there, "MOST", 3)
    rows = drafts(4)
    Contract.objects.create(draft=rows[0])
    run_due()
    rows[1].delete()
    each = found()
    assert (each.tombstoned, each.at_most) == (4, True)
    text = manage("lifecycle", "status", "drafts")
    assert "drafts: at most so many rows: some that the agenda lists may be gone" in text
    (plain,) = json.loads(manage("lifecycle", "status", "drafts", "--json"))
    assert plain["at_most"] is True
    text = manage("lifecycle", "enable", "drafts", "--dry-run")
    assert "4  are on the agenda at most: some of them may be gone" in text
    made = [report(7, "default")]
    assert "At most so many, of some the rows may be gone: drafts." in as_text(made)
    assert "At most so many" in as_html(made)


def test_blocked_rows_that_went_are_no_trouble_any_more() -> None:
    (row,) = drafts(1)
    contract = Contract.objects.create(draft=row)
    run_due()
    let_pass(timedelta(hours=2))
    run_due()
    assert (found().blocked, len(found().problems)) == (1, 1)
    contract.delete()
    row.delete()
    assert (found().blocked, found().problems) == (0, [])


@pytest.mark.parametrize(
    "factory",
    [each for name, each in vars(factories).items() if name.startswith(("Expired", "Live"))],
)
def test_every_kind_of_key(factory: Any) -> None:
    rows = [factory() for _ in range(3)]
    mine = [p for p in statuses() if p.table == label_of_model(rows[0]) and p.capture == "triggers"]
    before = {p.policy: p.scheduled + p.due for p in mine}
    rows[1].delete()
    for each in statuses():
        if before.get(each.policy):
            assert each.scheduled + each.due == before[each.policy] - 1
            assert not each.at_most


def test_a_role_that_may_not_read_the_table_is_told_the_most() -> None:
    drafts(2)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE zoo_draft RENAME TO zoo_draft_away")
    try:
        assert there.counts_there(get_policy("drafts"), 2, "default") is None
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE zoo_draft_away RENAME TO zoo_draft")
    assert there.counts_there(get_policy("drafts"), 2, "default") is not None
