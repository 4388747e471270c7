"""Audit logs, which are archived and read back before they go."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Min

from lifecycle.models import AgendaEntry
from lifecycle.policy.registry import get_policy
from purge import s3
from purge.archive.destinations import destination
from purge.archive.manifest import Manifest, read
from purge.models import Archive

from .ages import days
from .ending import Ended
from .part import Part, moment


class AuditLogs(Part):
    """Those older than some days: counted, for there are very many."""

    policy = "audit-logs"
    noun = "audit logs"
    lists = False

    def __init__(self, age: int, own: int) -> None:
        super().__init__(**days.override(age, own))
        self.age = age
        self.place = place()

    def before(self, count: int, rows: list[Any]) -> Iterator[str]:
        yield f"Found {count} {self.noun} older than {self.age} days"
        yield f"Cutoff date: {moment(self.now - timedelta(days=self.age))}"
        mode = "Production" if self.place == name_of_store() else "Development"
        yield f"{mode} mode: Archives will be stored in {self.place}"

    def after(self, ended: Ended) -> Iterator[str]:
        if ended.mode.dry_run:
            yield f"Would archive {ended.outcome.purged} {self.noun}"
            return
        for archive in self.archives():
            for file in archive.files:
                name = file.name.rpartition("/")[2]
                verb = "written" if self.place != name_of_store() else "uploaded"
                yield f"{file.format.upper()} archive {verb} to {self.place}: {name}"
        if ended.done or (ended.mode.purge_now and ended.count):
            yield f"Archived {ended.done} {self.noun}"
        if ended.done:
            yield f"Archive location: {location(get_policy(self.policy).disposition)}"
        if left := self.due_rows().count():
            due = AgendaEntry.objects.filter(policy=self.policy).aggregate(first=Min("due_at"))
            yield f"Tombstoned {left} {self.noun}, purge due {moment(due['first'])}"

    def archives(self) -> list[Manifest]:
        """Those of which this run has deleted the rows."""
        made = Archive.objects.filter(policy=self.policy, verified_at__gte=self.now)
        return [read(each.manifest) for each in made.order_by("pk")]


def name_of_store() -> str:
    """R2, or S3 of whomever; '' where archives go to a folder."""
    store = s3.store()
    if store is None:
        return ""
    at = s3.setting("CLOUDFLARE_ACCOUNT_ID") or "r2.cloudflarestorage.com" in store.endpoint
    return "R2" if at else "S3"


def place() -> str:
    """Where archives go; `LifecycleError` where they can go nowhere."""
    return name_of_store() or destination().title


def location(archive: Any) -> str:
    """The same, in full."""
    store = s3.store()
    if store is None:
        return f"{place()}/{archive.prefix}"
    return f'{name_of_store()} bucket "{store.bucket}" in {archive.prefix} folder'
