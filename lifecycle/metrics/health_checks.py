"""Checks for django-health-check 4: name them in the `checks` of its view.

Each asks every database that is looked after, or the one that is named; by a connection of its own,
in LIFECYCLE_METRICS_TIMEOUT seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db import Error

try:
    from health_check.base import HealthCheck
    from health_check.exceptions import ServiceUnavailable
except ImportError as error:
    raise ImproperlyConfigured(
        "Health checks need django-health-check: pip install django-tombstone[health]"
    ) from error

from lifecycle.exceptions import LifecycleError
from lifecycle.metrics import health
from lifecycle.metrics.read import Sample
from lifecycle.policy.databases import served


@dataclass
class RetentionCheck(HealthCheck):
    """What they have in common: fails with what is wrong, of each database."""

    database: str = ""

    def ask(self, found: list[Sample]) -> str:
        """What is wrong, '' where nothing is."""
        raise NotImplementedError

    def run(self) -> None:
        """Raise `ServiceUnavailable` where something is wrong."""
        if wrong := [*self._wrong()]:
            raise ServiceUnavailable("; ".join(wrong))

    def _wrong(self) -> Iterator[str]:
        for using in [self.database] if self.database else served():
            try:
                found = health.ailing(using, self.ask)
            except (Error, LifecycleError):  # the message may name hosts and users
                found = "the database does not answer, or has another version of the package"
            if found:
                yield f"{using}: {found}"


@dataclass
class RetentionDatabase(RetentionCheck):
    """The ledger's database answers, for this version of the package."""

    def ask(self, found: list[Sample]) -> str:
        return health.answers(found)


@dataclass
class RetentionWorker(RetentionCheck):
    """A worker has looked what is due within `silent` seconds."""

    silent: float = health.SILENT

    def ask(self, found: list[Sample]) -> str:
        return health.worker(found, self.silent)


@dataclass
class RetentionHalted(RetentionCheck):
    """No brake has stopped a policy."""

    def ask(self, found: list[Sample]) -> str:
        return health.halted(found)


@dataclass
class RetentionPublished(RetentionCheck):
    """What is sealed does not wait longer than `patience` seconds to be published."""

    patience: float = health.UNSHIPPED

    def ask(self, found: list[Sample]) -> str:
        return health.unshipped(found, self.patience)


@dataclass
class RetentionRestored(RetentionCheck):
    """No backup was put in the place of what was published."""

    def ask(self, found: list[Sample]) -> str:
        return health.restored(found)
