"""The life of a row as spans, made of its events alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lifecycle.admin.life_picture import WIDTH, picture
from lifecycle.insight.life import Life, life
from lifecycle.insight.verdict import Verdict
from lifecycle.models import Event

DAY0 = datetime(2030, 1, 1, tzinfo=UTC)


def at(days: float) -> datetime:
    return DAY0 + timedelta(days=days)


def event(number: int, kind: str, day: float, due: float | None = None, **more: Any) -> Event:
    """An event of the policy `drafts`, recorded on that day."""
    given = {"policy": "drafts", "detail": {}} | more
    due_at = None if due is None else at(due)
    return Event(id=number, kind=kind, recorded_at=at(day), due_at=due_at, **given)


def told(*events: Event, now: float, verdicts: tuple[Verdict, ...] = ()) -> Life:
    found = life(events, list(verdicts), ["drafts"], at(now))
    assert found is not None
    return found


def spans(found: Life) -> list[tuple[str, float, float | None]]:
    (lane,) = found.lanes
    days = lambda time: time and (time - DAY0) / timedelta(days=1)  # noqa: E731
    return [(each.state, days(each.since), days(each.until)) for each in lane.spans]


SCHEDULED = event(1, "expiry_scheduled", 0, due=10)


def test_live_then_due_then_tombstoned_then_gone() -> None:
    stone, gone = event(2, "tombstoned", 11, due=18), event(3, "purged", 18)
    assert spans(told(SCHEDULED, now=5)) == [("live", 0, None)]
    assert spans(told(SCHEDULED, now=10.5)) == [("live", 0, 10), ("due", 10, None)]
    assert spans(told(gone, stone, SCHEDULED, now=20)) == [
        ("live", 0, 10), ("due", 10, 11), ("tombstoned", 11, 18), ("gone", 18, None),
    ]  # fmt: skip


def test_listed_again_in_a_set_says_nothing_of_the_row() -> None:
    gone = event(2, "deleted", 1)
    gathered = event(3, "expiry_scheduled", 2, due=9, detail={"relisted": "gathered"})
    assert spans(told(gathered, gone, SCHEDULED, now=20)) == [("live", 0, 1), ("gone", 1, None)]
    assert spans(told(gathered, SCHEDULED, now=9.5)) == [("live", 0, None)]


def test_restored_until_a_date_or_for_good() -> None:
    stone = event(2, "tombstoned", 10, due=17)
    for_good = event(3, "restored", 12)
    assert spans(told(SCHEDULED, stone, for_good, now=40))[-1] == ("live", 12, None)
    dated = event(3, "restored", 12, detail={"until": at(20).isoformat()})
    assert spans(told(SCHEDULED, stone, dated, now=40))[-1] == ("due", 20, None)


def test_a_hold_brings_it_back_and_is_a_line_of_its_own() -> None:
    stone, held = event(2, "tombstoned", 10), event(3, "hold_placed", 11, policy="")
    again = event(4, "expiry_scheduled", 17, due=18, detail={"relisted": "held"})
    over = event(5, "hold_released", 30, policy="", detail={"holds": [3]})
    found = told(SCHEDULED, stone, held, again, over, now=31)
    assert spans(found)[-1] == ("live", 17, None)
    assert [(each.since, each.until) for each in found.holds] == [(at(11), at(30))]
    assert told(SCHEDULED, held, now=12).holds[0].until is None


def test_a_release_lifts_the_hold_that_it_names() -> None:
    first, second = (event(number, "hold_placed", number, policy="") for number in (2, 3))
    over = event(4, "hold_released", 5, policy="", detail={"holds": [2]})
    found = told(SCHEDULED, first, second, over, now=6)
    assert [(each.since, each.until) for each in found.holds] == [(at(2), at(5)), (at(3), None)]


def test_another_policy_s_events_are_not_its_own_but_an_ending_is() -> None:
    other = event(2, "tombstoned", 3, policy="others")
    assert spans(told(SCHEDULED, other, now=5)) == [("live", 0, None)]
    ended = event(3, "purged", 4, policy="others")
    assert spans(told(SCHEDULED, other, ended, now=5))[-1] == ("gone", 4, None)


def test_a_new_row_under_an_old_key_lives_again() -> None:
    again = event(3, "expiry_scheduled", 20, due=30)
    found = spans(told(SCHEDULED, event(2, "deleted", 5, policy=""), again, now=21))
    assert [state for state, *_ in found] == ["live", "gone", "live"]


def test_nothing_is_told_of_no_events_nor_breaks_on_forged_ones() -> None:
    assert life([], [], ["drafts"], at(1)) is None
    forged = event(2, "restored", 1, detail={"until": "<script>"})
    assert told(SCHEDULED, forged, event(3, "hold_placed", 2, detail={"until": 7}), now=3).holds


def test_what_comes_next_is_in_the_picture_and_all_is_inside_of_it() -> None:
    verdict = Verdict("drafts", "enabled", "is live", at(10))
    drawn = picture(told(SCHEDULED, now=5, verdicts=(verdict,)))
    assert (drawn.now_x, [spot.x for spot in drawn.spots]) == (WIDTH / 2, [WIDTH])
    (line,) = drawn.lines
    assert (line.pieces[0].x, line.pieces[0].width) == (0, WIDTH / 2)
    assert line.says == "drafts: live since 2030-01-01 00:00:00 UTC."
    at_once = picture(told(event(1, "purged", 0), now=0))
    assert [piece.state for piece in at_once.lines[0].pieces] == ["live", "gone"]
