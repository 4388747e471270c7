"""Base managers that hide rows: of all models at once, and all rows of each.

What the engine does must be what it does without them, so the tests of cascades are run again.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Manager, QuerySet
from django.utils import timezone

from lifecycle import hold
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import windows_of
from lifecycle.db.rows import every_row
from lifecycle.insight.why import why
from lifecycle.models import Event
from purge.runner import run_due
from tests.backfills import past_triggers, read_again
from tests.purge.batch.cascades.test_on_delete import (  # noqa: F401 - run again here
    test_a_protected_row_two_levels_down_is_named_and_nothing_of_it_goes,
    test_three_levels_go_and_are_counted,
    test_what_restricts_goes_along_or_blocks,
    way,
)
from tests.purge.replay.test_replay import came_back, settle
from tests.zoo.models import Comment, Line, Member, Order, Token

pytestmark = pytest.mark.django_db(transaction=True)


class HidesAll(Manager[Any]):
    """As if every row were deleted softly."""

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().none()


@pytest.fixture(autouse=True)
def hidden(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No base manager shows any row."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label in ("zoo", "cascades"):
            manager = HidesAll()
            manager.name, manager.model = "_base_manager", model  # type: ignore[attr-defined]
            monkeypatch.setitem(vars(model._meta), "base_manager", manager)
    _compile_again()
    assert not Token._base_manager.exists()
    yield
    monkeypatch.undo()
    _compile_again()


def _compile_again() -> None:
    compiled.cache_clear()
    windows_of.cache_clear()


def past() -> Any:
    return timezone.now() - timedelta(minutes=5)


def rows(model: Any) -> int:
    return every_row(model, "default").count()


def test_rows_are_captured_held_and_end() -> None:
    Token.objects.bulk_create([Token(expires_at=past()) for _ in range(3)])
    kept = Token.objects.create(expires_at=past())
    hold(kept)
    later = Token.objects.create(expires_at=timezone.now() + timedelta(days=1))
    run_due()
    assert set(every_row(Token, "default")) == {kept, later}
    assert sum(e.count for e in Event.objects.filter(kind="purged")) == 3
    assert why(Token, str(kept.pk)).exists


def test_children_and_trees_go_along() -> None:
    order, other = (Order.objects.create(expires_at=past(), grace=timedelta(0)) for _ in range(2))
    Order.objects.filter(pk=other.pk).update(expires_at=None)
    Line.objects.bulk_create([Line(order=each) for each in (order, order, other)])
    root = Comment.objects.create(expires_at=past())
    Comment.objects.create(above=Comment.objects.create(above=root))
    run_due()
    assert [rows(model) for model in (Order, Line, Comment)] == [1, 1, 0]


def test_rows_from_before_are_found() -> None:
    with past_triggers():
        Token.objects.create(expires_at=past())
    assert read_again("tokens") == 1
    run_due()
    assert rows(Token) == 0


def test_what_a_backup_brings_back_ends_again(tmp_path: Path) -> None:
    came_back(tmp_path)
    report = settle()
    assert rows(Member) == 0
    assert report.total("ended") == 3
