"""What the site and people do in a schedule, told to the oracle as it was answered."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from lifecycle import context, expire_now, hold, release, restore
from lifecycle.exceptions import LifecycleError
from tests.faults.host.models import Line, Note, Photo
from tests.faults.oracle import Known, Oracle
from tests.faults.schedule import FAR
from tests.faults.world import World, now
from tests.s3.strict import Stored

MODELS: dict[str, Any] = {"note": Note, "photo": Photo, "line": Line}
Wanted = Callable[[Known], bool]


class Site:
    """Acts on the database of the world; each method is a step of the same name."""

    def __init__(self, world: World, oracle: Oracle) -> None:
        self.world, self.oracle = world, oracle
        self.made = 0

    def write(self, kind: str, due: float, bulk: bool, count: int, **how: Any) -> None:
        """Rows one by one, or in one statement; a photo's file is there before its row."""
        model, moment = MODELS[kind], now() + due
        rows = [self._new(model, kind, moment) for _ in range(count)]
        if bulk:
            model.objects.bulk_create(rows)
        else:
            for row in rows:
                row.save()
        for row in rows:
            image = row.image.name if kind == "photo" else ""
            self.oracle.add(Known(kind, row.pk, row.expires_at.timestamp(), row.text, image))

    def delete(self, **how: Any) -> None:
        """By the site itself; rows that the worker was faster with are the worker's."""
        for row in self._some(lambda row: row.held_since is None, how):
            if self._rows(row).filter(pk=row.key)._raw_delete("default"):
                row.deleted = True

    def extend(self, **how: Any) -> None:
        """Another end, far away: what people had said of the old one counts no more."""
        for row in self._some(lambda row: True, how):
            end = _moment(now() + FAR)
            if self._rows(row).filter(pk=row.key).update(expires_at=end):
                row.due, row.spared = end.timestamp(), False

    def hold(self, **how: Any) -> None:
        for row in self._some(lambda row: row.held_since is None, how):
            if self._does(row, hold):
                row.held_since = now()

    def release(self, **how: Any) -> None:
        for row in self._some(lambda row: row.held_since is not None, how):
            until = now()
            release(self._rows(row).get(pk=row.key))
            row.holds.append((row.held_since or until, until))
            row.held_since = None

    def restore(self, **how: Any) -> None:
        for row in self._some(lambda row: row.due < now() and not row.held_since, how):
            row.spared = self._does(row, restore) or row.spared

    def expire(self, **how: Any) -> None:
        for row in self._some(lambda row: not row.spared and not row.held_since, how):
            before = now()
            if row.due > before and self._does(row, expire_now):
                row.due = min(row.due, before)

    def _new(self, model: Any, kind: str, moment: float) -> Any:
        self.made += 1
        row = model(text=f"{kind} {self.made}", expires_at=_moment(moment))
        if kind == "photo":
            row.image = f"photos/{self.made}.jpg"
            self.world.store.buckets[self.world.bucket][row.image.name] = _stored()
        return row

    def _some(self, wanted: Wanted, how: dict[str, Any]) -> list[Known]:
        """Rows that the site may still have, one beside the other, from where the step says."""
        rows = [row for row in self.oracle.rows.values() if not row.deleted and wanted(row)]
        first = int(how["at"] * len(rows))
        return rows[first : first + min(how["count"], 5)]

    def _rows(self, row: Known) -> Any:
        return MODELS[row.kind].objects

    def _does(self, known: Known, action: Callable[..., Any]) -> bool:
        """Whether a person's action was taken: not of a row that is gone, or may not."""
        row = self._rows(known).filter(pk=known.key).first()
        if row is None:
            return False
        try:
            with context(actor="jo"):
                action(row)
        except LifecycleError:
            return False
        return True


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _stored() -> Stored:
    """Older than its row, as a site writes it."""
    return Stored(b"a picture", _moment(now() - 3600))
