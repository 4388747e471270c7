"""Random lives of rows that are warned by mail before they end, against a model. Time is in days.

No row ends before its mails went and their time is over, whatever moves its end, and whether the
mail server is there or not; and each that nothing keeps ends in the end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

import lifecycle
from lifecycle.models import Event
from lifecycle.notices.keep import Answer, keep
from lifecycle.notices.links import Link
from lifecycle.policy.registry import get_policy
from lifecycle.promises import check as promises
from purge.batch.state import latest_event
from purge.notices import send
from tests.clock import pass_time
from tests.lives import keys_of
from tests.support import database_now, run_until_idle
from tests.zoo.models import Guest

#: as the policy `guests` has it
LEADS: dict[str, list[float]] = {"free": [30, 7], "trial": [], "paid": [60]}
PERIOD, KEEP = 365.0, 365.0
keys = st.sets(st.integers(1, 4), min_size=1)
ages = st.sampled_from([320.5, 340.5, 0.5, 364.5, 700.5, None])
plans = st.sampled_from(["free", "free", "free", "paid", "trial"])


@dataclass
class Told:
    """What the last mail said: of which end, which mail, until when; whether it was the last."""

    ends: float
    mail: int
    until: float
    is_last: bool


@dataclass
class Row:
    """What the model knows of one."""

    seen: float | None
    plan: str
    has_address: bool = True
    wanted: bool = False
    held: bool = False
    restored: float = 0
    by_hand: bool = False
    told: Told | None = None

    @property
    def ends(self) -> float:
        return inf if self.seen is None else max(self.seen + PERIOD, self.restored)

    @property
    def leads(self) -> list[float]:
        return LEADS[self.plan]

    @property
    def counts(self) -> Told | None:
        return self.told if self.told and self.told.ends >= self.ends else None

    def may_end(self) -> float:
        """When it may end by its mails; never before they went."""
        if self.by_hand:
            return self.ends
        if not self.leads:
            return max(self.ends, self.counts.until) if self.counts else self.ends
        return max(self.ends, self.counts.until) if self.counts and self.counts.is_last else inf

    def is_past(self, now: float) -> bool:
        if self.held or self.wanted or self.restored > now:
            return False
        return self.by_hand or self.may_end() <= now


@contextmanager
def mails(is_away: bool) -> Iterator[list[Any]]:
    """What is sent meanwhile; nothing where the server is away."""
    sent: list[Any] = []

    def send_messages(messages: list[Any]) -> None:
        if is_away:
            raise ConnectionRefusedError
        sent.extend(messages)

    with patch.object(send, "patient", lambda: SimpleNamespace(send_messages=send_messages)):
        yield sent


class NoticeLives(RuleBasedStateMachine):
    """Four keys that are used again."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.rows, self.is_away = 10_000.0, dict[int, Row](), False
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE lifecycle_event, lifecycle_agenda, lifecycle_exception, purge_notice;"
                " TRUNCATE zoo_guest, purge_run;"
                " UPDATE lifecycle_policy SET state = 'enabled', spent = '{}'"
            )

    def there(self, chosen: set[int]) -> list[tuple[int, Row]]:
        return [(key, self.rows[key]) for key in sorted(chosen & self.rows.keys())]

    def at(self, age: float | None) -> Any:
        return None if age is None else database_now() - timedelta(days=age)

    def then(self, age: float | None) -> float | None:
        return None if age is None else self.now - age

    # what the site does

    @rule(chosen=keys, age=ages, plan=plans, has_address=st.booleans())
    def insert(self, chosen: set[int], age: float | None, plan: str, has_address: bool) -> None:
        email = "jo@example.com" if has_address else ""
        for key in chosen - self.rows.keys():
            Guest.objects.create(pk=key, email=email, plan=plan, seen_at=self.at(age))
            self.rows[key] = Row(self.then(age), plan, has_address)

    @rule(chosen=keys, age=ages)
    def sign_in(self, chosen: set[int], age: float | None) -> None:
        Guest.objects.filter(pk__in=chosen).update(seen_at=self.at(age))
        for _, row in self.there(chosen):
            changes = (row.seen, age) != (None, None)
            if changes and (row.restored or row.by_hand):
                row.restored, row.by_hand, row.told = 0, False, None
            row.seen = self.then(age)

    @rule(chosen=keys, plan=plans, wanted=st.booleans())
    def change(self, chosen: set[int], plan: str, wanted: bool) -> None:
        Guest.objects.filter(pk__in=chosen).update(plan=plan, wanted=wanted)
        for _, row in self.there(chosen):
            row.plan, row.wanted = plan, wanted

    @rule(chosen=keys)
    def delete(self, chosen: set[int]) -> None:
        for key, row in self.there(chosen):
            if row.held:
                lifecycle.release(Guest.objects.get(pk=key))
            Guest.objects.filter(pk=key).delete()
            del self.rows[key]

    # what people do

    @rule(chosen=keys)
    def follow_the_link(self, chosen: set[int]) -> None:
        """Once is as good as twice; of no end that was moved since."""
        for key, row in self.there(chosen):
            told = row.told
            if told is None:
                continue
            link = Link(
                "guests", str(key), "default", self.moment(told.ends), self.moment(told.until)
            )
            answer = keep(get_policy("guests"), link)
            if row.ends == inf or row.ends > told.ends:
                assert answer is Answer.ALREADY
            elif told.until <= self.now:
                assert answer is Answer.LATE
            else:
                assert answer is Answer.KEPT
                row.restored, row.by_hand, row.told = max(self.now + KEEP, told.until), False, None
                assert keep(get_policy("guests"), link) is Answer.ALREADY

    def moment(self, day: float) -> Any:
        """As the database has it; an end is rounded up to a second."""
        return database_now() + timedelta(days=day - self.now, seconds=2)

    @rule(chosen=keys)
    def hold_or_release(self, chosen: set[int]) -> None:
        for key, row in self.there(chosen):
            (lifecycle.release if row.held else lifecycle.hold)(Guest.objects.get(pk=key))
            row.held = not row.held

    @rule(chosen=keys)
    def expire_by_hand(self, chosen: set[int]) -> None:
        """By a person's name: nobody is warned."""
        for key, row in self.there(chosen):
            lifecycle.expire_now(Guest.objects.get(pk=key))
            row.restored, row.by_hand, row.told = 0, True, None

    @rule(is_away=st.booleans())
    def mail_server(self, is_away: bool) -> None:
        self.is_away = is_away

    # time and the worker

    @rule(span=st.sampled_from([0, 1, 10, 24, 31, 100]))
    def run(self, span: int) -> None:
        """Days pass; the worker comes, mails go, and it comes again after the grace."""
        self.advance(span)
        self.compare()
        self.send()
        self.compare()

    def advance(self, span: float) -> None:
        pass_time(days=span)
        self.now += span

    def send(self) -> None:
        before = latest_event("default")
        with mails(self.is_away) as sent:
            send.send_due("default")
        wanted = {key for key, row in self.rows.items() if self.wants(row)}
        told = self.told_since(before)
        if self.is_away:  # what goes to nobody needs no server, and may come after what does
            wanted = {key for key in wanted & told if not self.rows[key].has_address}
        assert told == wanted, (told, wanted, self.rows)
        assert len(sent) == sum(self.rows[key].has_address for key in wanted)
        for key in wanted:
            self.note(self.rows[key])

    def told_since(self, before: int) -> set[int]:
        events = Event.objects.filter(kind="noticed", pk__gt=before, detail__has_key="mail")
        return {int(key) for event in events for key in event.subjects}

    def next_mail(self, row: Row) -> int:
        told = row.counts
        if told is None:
            return 1
        return told.mail + 1 if told.is_last else min(told.mail + 1, len(row.leads))

    def wants(self, row: Row) -> bool:
        if row.held or row.wanted or row.by_hand or row.ends == inf:
            return False
        number = self.next_mail(row)
        if number > len(row.leads):
            return False
        base = max(row.ends, row.counts.until) if row.counts else row.ends
        return base - row.leads[number - 1] <= self.now

    def note(self, row: Row) -> None:
        number = self.next_mail(row)
        until = max(row.ends, row.counts.until if row.counts else 0)
        until = max(until, self.now + row.leads[number - 1])
        row.told = Told(row.ends, number, until, number >= len(row.leads))

    def compare(self) -> None:
        past = {key for key, row in self.rows.items() if row.is_past(self.now)}
        live = keys_of(Guest.objects.live())
        assert live == self.rows.keys() - past, (live, past, self.rows)
        run_until_idle(deadline=20)
        assert keys_of(Guest.objects.all()) == self.rows.keys()
        pass_time(hours=2)
        run_until_idle(deadline=20)
        self.now = round((self.now + 2 / 24) * 24) / 24
        found = keys_of(Guest.objects.all())
        assert found == self.rows.keys() - past, (found, past, self.rows)
        for key in past:
            del self.rows[key]

    def teardown(self) -> None:
        self.is_away = False
        for key, row in self.rows.items():
            if row.held:
                lifecycle.release(Guest.objects.get(pk=key))
                row.held = False
        self.change({1, 2, 3, 4}, "free", False)
        for span in (0, 31, 31, 31):
            self.run(span)
        broken = {name: found for name, found in promises.check().items() if found}
        assert not broken, broken
