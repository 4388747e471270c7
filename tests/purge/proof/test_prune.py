"""Old events leave the table for the log; the log still tells all, and a cut is told from it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from lifecycle import certificate as stranger
from lifecycle import hold
from lifecycle.db.connection import fetch
from lifecycle.exceptions import LifecycleError
from lifecycle.insight.why import why
from lifecycle.ledger.pending import move_pending
from lifecycle.ledger.policy_states import rebuild
from lifecycle.models import Event, Kind
from lifecycle.promises import check as promises
from purge.proof import gate, place, work
from purge.proof import prune as pruning
from purge.proof.options import proof_options
from purge.proof.prune import prune
from purge.proof.verify import verify
from purge.proof.work import publish_now
from tests.lifecycle.sealing.support import write
from tests.purge.certificates.test_certificates import ended_draft, new_draft
from tests.purge.proof.support import LOG, USING, as_superuser, in_folder, options
from tests.support import let_pass, make_due, run_until_idle
from tests.zoo.models import Draft, Token

pytestmark = pytest.mark.django_db(transaction=True)
YEAR = timedelta(days=365)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(gate, "_known", {})
    monkeypatch.setattr(place, "_heard", {})
    monkeypatch.setattr(work, "_publishers", {})
    settings.LIFECYCLE_BACKUP_MAX_AGE = 30 * 86_400.0
    with in_folder(tmp_path, keep=YEAR):
        yield tmp_path


def cover() -> None:
    """Cover what is there by two segments, as the worker does of 10,000 events; 300 more follow."""
    last = Event.objects.latest("pk").pk
    for first, final in ((1, last // 2), (last // 2 + 1, last)):
        fetch(
            USING,
            "INSERT INTO lifecycle_segment (model, first, last, bases, lows, highs, filter)"
            " SELECT model, %(first)s, %(last)s, bases, lows, highs, filter"
            " FROM lifecycle.segment_v1(%(first)s, %(last)s)"
            " UNION ALL SELECT '', %(first)s, %(last)s, NULL, NULL, NULL, NULL",
            {"first": first, "last": final},
        )
    write(300)


def old_ledger() -> Draft:
    """A row that was purged two years ago, and others that are not over; sealed, not yet pruned."""
    draft = ended_draft()
    held, tombstoned = new_draft(), new_draft()
    hold(held, reason="lawsuit")
    make_due(Draft.objects.filter(pk=tombstoned.pk))
    run_until_idle()
    let_pass(2 * YEAR)
    cover()
    return draft


def missing() -> int:
    there = "SELECT FROM lifecycle_event WHERE id = event"
    text = (
        f"SELECT count(*) FROM lifecycle_seal, unnest(events) AS event WHERE NOT EXISTS ({there})"
    )
    return int(fetch(USING, text)[0][0])


def kinds() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


def broken() -> list[Any]:
    only = [name for name in promises.names() if name.split("_")[1] in ("06", "07", "10")]
    found = promises.checked(USING, timedelta(hours=1), only)
    return [each for _, violations in found for each in violations]


@pytest.mark.slow
def test_what_is_old_leaves_and_the_log_tells_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = old_ledger()
    before = why(Draft, str(draft.pk), USING)
    publish_now(USING)
    said = Event.objects.filter(kind=Kind.PRUNED)
    gone = sum(said.values_list("count", flat=True))
    assert gone == missing() >= 3
    assert Event.objects.filter(kind="tombstoned").exists()  # of the one that is not over
    assert not Event.objects.filter(kind="purged").exists()
    publish_now(USING)  # the event that says so
    for deep in (False, True):
        found = verify(USING, options(), deep)
        assert (found.problems, found.unread) == ([], [])
        assert f"{gone} events have left the table for the log" in "\n".join(found.lines)
    after = why(Draft, str(draft.pk), USING)
    assert after.says == before.says
    told = [(each.pk, each.kind, each.detail, each.recorded_at) for each in after.events]
    assert told == [(each.pk, each.kind, each.detail, each.recorded_at) for each in before.events]
    call_command("lifecycle", "certificate", f"zoo.Draft:{draft.pk}", "--out", str(folder))
    (path,) = folder.glob("*.tlog-proof")
    assert stranger.main([str(path), "--key", str(LOG)]) == 0
    assert "(purged)" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("most", [pruning.MOST, 0], ids=["at once", "step by step"])
def test_projections_are_the_fold_of_what_stays(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "MOST", most)
    old_ledger()
    publish_now(USING)
    assert missing()
    assert (Event.objects.filter(kind=Kind.PRUNED).count() > 1) == (most == 0)
    held = fetch(USING, "SELECT count(*) FROM lifecycle_exception WHERE kind = 'hold'")
    agenda = fetch(USING, "SELECT event_id, due_at, tombstone FROM lifecycle_agenda ORDER BY 1")
    assert broken() == []
    rebuild(USING)
    assert fetch(USING, "SELECT count(*) FROM lifecycle_exception WHERE kind = 'hold'") == held
    again = fetch(USING, "SELECT event_id, due_at, tombstone FROM lifecycle_agenda ORDER BY 1")
    assert again == agenda
    assert broken() == []


def gathered() -> set[int]:
    """The events of rows written singly that end in three years, and are in sets on the agenda."""
    for _ in range(100):
        Token.objects.create(expires_at=timezone.now() + 3 * YEAR)
    own = set(Event.objects.filter(kind="expiry_scheduled").values_list("pk", flat=True))
    move_pending(USING)
    assert Event.objects.filter(detail__relisted="gathered").exists()
    return own


def test_what_a_gathered_set_is_made_of_stays_while_the_set_is_on_the_agenda() -> None:
    own = gathered()
    old_ledger()
    publish_now(USING)
    assert missing() >= 3
    assert Event.objects.filter(pk__in=own).count() == len(own) == 100
    assert broken() == []


def test_what_a_gathered_set_was_made_of_leaves_with_it() -> None:
    own = gathered()
    let_pass(4 * YEAR)
    run_until_idle()
    assert not Token.objects.exists()
    let_pass(2 * YEAR)
    cover()
    publish_now(USING)
    assert missing() >= 100
    assert not Event.objects.filter(pk__in=own).exists()
    assert broken() == []


def test_what_is_young_or_not_published_stays() -> None:
    ended_draft()
    cover()
    before = len(kinds())
    publish_now(USING)
    assert (missing(), len(kinds())) == (0, before)
    let_pass(2 * YEAR)
    write()
    with in_folder(Path("/nowhere"), keep=YEAR):
        assert proof_options()
    assert prune(USING, options()) > 0


def test_what_the_store_has_not_stays(folder: Path) -> None:
    old_ledger()
    with in_folder(folder):  # without `keep`
        publish_now(USING)
    (path,) = (folder / "proof").rglob("events/*")
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(LifecycleError):
        prune(USING, options())
    assert missing() == 0
    path.write_bytes(data)
    assert prune(USING, options()) == missing() > 0


@pytest.mark.plants(7)
@pytest.mark.parametrize("deep", [False, True])
def test_a_cut_does_not_pass_for_it(deep: bool) -> None:
    old_ledger()
    publish_now(USING)
    publish_now(USING)
    (number,) = fetch(
        USING, "SELECT max(id) FROM lifecycle_event WHERE kind = 'tombstoned' OR kind = 'settled'"
    )[0]
    as_superuser("DELETE FROM lifecycle_event WHERE id = %(n)s", n=number)
    assert f"event {number} " in "\n".join(verify(USING, options(), deep).problems)


@pytest.mark.slow
@pytest.mark.plants(7)
def test_a_forged_word_that_they_have_left_is_found() -> None:
    """Who takes out young events and says so himself: the store has their times."""
    old_ledger()
    publish_now(USING)
    numbers = write(3)
    publish_now(USING)
    detail = json.dumps(
        {"from": numbers[0], "upto": numbers[-1], "before": "2999-01-01T00:00:00+00:00"}
    )
    text = (
        "SELECT lifecycle.write_v1('pruned', '', '',"
        " ROW(%(e)s::bigint[], NULL, NULL, NULL)::lifecycle.subjects, 3,"
        " NULL, NULL, NULL, %(d)s::jsonb, NULL)"
    )
    fetch(USING, text, {"e": numbers, "d": detail})
    as_superuser("DELETE FROM lifecycle_event WHERE id = ANY (%(e)s)", e=numbers)
    publish_now(USING)
    assert "before its time" in "\n".join(verify(USING, options(), deep=True).problems)


def test_the_guard_lets_nothing_else_go() -> None:
    old_ledger()
    publish_now(USING)
    last = Event.objects.filter(kind=Kind.PRUNED).latest("pk").pk
    for marker in ("", str(last), "1"):
        with pytest.raises(IntegrityError, match="append-only"):
            delete(marker)


def delete(marker: str) -> None:
    with transaction.atomic():
        fetch(USING, "SELECT set_config('lifecycle.pruning', %(m)s, true)", {"m": marker})
        fetch(USING, "DELETE FROM lifecycle_event WHERE kind = 'settled'")


def test_keep_is_not_less_than_the_age_of_backups(folder: Path, settings: Any) -> None:
    settings.LIFECYCLE_BACKUP_MAX_AGE = 400 * 86_400.0
    with pytest.raises(LifecycleError, match="LIFECYCLE_BACKUP_MAX_AGE"):
        proof_options()
    settings.LIFECYCLE_BACKUP_MAX_AGE = None
    with pytest.raises(LifecycleError, match="must be set"):
        proof_options()
    with in_folder(folder, keep=7), pytest.raises(LifecycleError, match="timedelta"):
        proof_options()
    with pytest.raises(CommandError):
        call_command("lifecycle", "proof")
