"""The story of `manage.py demo`: the life of some rows, as the ledger records it.

Each step does something or waits for something, asks the database, and returns what it has seen.
What does not happen in time raises `StoryError`: nothing is claimed that was not seen.
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Model

from demo import facts
from demo.children import Child
from demo.models import PendingRegistration

DOMAIN = "story.example"
PATIENCE = 20.0  # seconds that a step may take longer than it should
POLL_SECONDS = 0.1


class StoryError(Exception):
    """Something did not happen."""


class View(Protocol):
    """Who watches."""

    def begin(self, title: str) -> None: ...
    def done(self, seen: str) -> None: ...
    def refresh(self, facts: facts.Facts, story: facts.Facts) -> None: ...


class Story:
    """One telling. Its rows are its own: those of an earlier telling are removed first.

    `facts` are about the rows that the steps of the moment are about, `whole` about all of them.
    """

    def __init__(self, view: View, spawn: Callable[..., Child]) -> None:
        self.view, self.spawn = view, spawn
        self.facts = facts.Facts()
        self.whole = facts.Facts()
        self.worker: Child
        self.due: datetime
        self.first: PendingRegistration
        self.picture: str

    def play(self, steps: "dict[str, Step]") -> None:
        """Each step in its order; what it returns is what was seen."""
        for title, step in steps.items():
            self.view.begin(title)
            self.view.done(step(self))
            self.view.refresh(self.facts, self.whole)

    def until(self, condition: Callable[[], Any], what: str, seconds: float = 0) -> None:
        """Wait for something that the database says; `StoryError` when it does not come."""
        deadline = time.monotonic() + seconds + PATIENCE
        while not condition():
            if not self.worker.is_running():
                raise StoryError(f"the worker has ended:\n{self.worker.last_words()}")
            if time.monotonic() > deadline:
                raise StoryError(f"{what}: it did not happen in time (see {self.worker.log})")
            self.view.refresh(self.facts, self.whole)
            time.sleep(POLL_SECONDS)

    def registrations(self) -> Any:
        return PendingRegistration.objects.filter(email__endswith=f"@{DOMAIN}")

    def begin(self) -> None:
        """From here on the facts are about other rows."""
        self.facts = facts.Facts(since=facts.last_event())
        if not self.whole.rows:
            self.whole.since = self.facts.since

    def add(self, rows: Iterable[Model]) -> None:
        """Rows that the facts are about."""
        for row in rows:
            model: Any = row._meta.concrete_model
            name = f"{model._meta.label_lower}:{row.pk}"
            self.facts.rows.append(name)
            self.whole.rows.append(name)

    def add_keys(self, model: type[Model], keys: Iterable[int]) -> None:
        """The same, of rows that raw SQL has written."""
        self.add(model(pk=key) for key in keys)


Step = Callable[[Story], str]
