"""Who wants to be told which rows were purged, for copies of them are elsewhere: `on_purge`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model

from lifecycle.compiler.keys import label_of_model
from lifecycle.exceptions import PolicyError
from lifecycle.policy import options as rules

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Purged:
    """Rows of one model that have gone with one event, which is committed.

    A row that has come since under the same key is another one, and is not asked for here.

    keys      their primary keys, as instances would have them; at most 10,000 or so
    policy    the policy that ended them, or the row along with which they went
    event     the ledger's event of it
    token     what `acknowledge` takes
    attempt   1 for the first time that the function is called with this event
    """

    model: type[Model]
    keys: list[Any]
    policy: str
    purged_at: datetime
    event: int
    token: str
    attempt: int


Told = Callable[[Purged], object]


@dataclass(frozen=True)
class Subscriber:
    """A function that is told of purged rows of a model, until it has answered."""

    name: str
    model: type[Model]
    function: Told
    within: timedelta
    answers_later: bool

    @property
    def label(self) -> str:
        """The ledger's name of the table."""
        return label_of_model(self.model)


_subscribers: dict[str, Subscriber] = {}


def on_purge(
    model: type[Model], *, name: str, within: timedelta = DAY, answers_later: bool = False
) -> Callable[[Told], Told]:
    """Have a function told which rows of a model were purged; in any `policies.py`.

    What is to be told is written in the transaction of the purge, and told by the worker after it
    was committed: at least once, again after an error, after longer and longer waits. So the
    function must bear to be told twice. Its return is the answer; with `answers_later`,
    `acknowledge(token)` is, and it is told again after each `within` without one. What has not been
    answered `within` that time is listed by `verify`. No purge waits for an answer.

    Told are rows that this package purges, also those that go along with others and have a policy
    of their own; not what the site deletes itself. Raises `PolicyError`.
    """
    for value, rule, what in (
        (model, rules.A_MODEL, "model"),
        (name, rules.A_NAME, "name"),
        (within, rules.A_DURATION, "within"),
        (answers_later, rules.A_BOOL, "answers_later"),
    ):
        if not rule.accepts(value):
            raise PolicyError(f"on_purge: {what} must be {rule.wanted}, not {value!r}.")

    def subscribe(function: Told) -> Told:
        if name in _subscribers:
            raise PolicyError(f"There are two subscribers called {name!r}.")
        concrete: Any = model._meta.concrete_model
        _subscribers[name] = Subscriber(name, concrete, function, within, answers_later)
        return function

    return subscribe


def subscribers() -> list[Subscriber]:
    """All that are declared."""
    return list(_subscribers.values())


def subscriber(name: str) -> Subscriber | None:
    """One by its name; None where it is declared no more."""
    return _subscribers.get(name)
