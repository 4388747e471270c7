"""Random lives of files: no file of a live row is lost, none is left behind past its grace.

Two models share one storage and three names. What a pass of the worker has deleted is compared with
bounds that plain Python gives; time is in hours, and files become older as the database does.
"""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lifecycle.policy.registry import get_policy
from lifecycle.promises import check as promises
from purge.media.run import run_media
from purge.runner import run_policy
from tests.clock import pass_time
from tests.support import database_now
from tests.zoo.models import Song, Upload

GRACES = {Song: 24.0, Upload: 2.0}  # of what the host itself takes away
models = st.sampled_from([Song, Upload])
names = st.sampled_from(["a", "b", "c"])
keys = st.integers(1, 3)
some = st.sets(keys, min_size=1)


@dataclass
class OrphanedFile:
    """A name that a statement has taken out of its rows: when, and from when its file may go."""

    name: str
    at: float
    due: float
    step: int


@dataclass
class Files:
    """What rows name, what is in the storage, what is orphaned."""

    now: float = 0.0
    step: int = 0
    rows: dict[tuple[Any, int], str] = field(default_factory=dict)
    uploaded: dict[str, int] = field(default_factory=dict)
    orphans: list[OrphanedFile] = field(default_factory=list)

    def live(self) -> set[str]:
        return {name for name in self.rows.values() if name}

    def take(self, taken: set[str], grace: float) -> None:
        """A statement has taken these names out of its rows."""
        self.step += 1
        due = self.now + grace
        self.orphans += [
            OrphanedFile(name, self.now, due, self.step) for name in sorted(taken - {""})
        ]

    def allowed(self) -> set[str]:
        """Files that a pass may delete now."""
        return {each.name for each in self.orphans if each.due <= self.now} - self.live()

    def due(self) -> set[str]:
        """Files that it must: older than the orphan, which is old enough that nothing is unsure."""
        old = {each.name for each in self.orphans if each.due <= self.now and each.at < self.now
               and self.uploaded.get(each.name, 0) < each.step}  # fmt: skip
        return old - self.live()

    def looked(self, there: set[str]) -> None:
        """A pass has looked at what was due: only a file just written is looked at again."""
        self.orphans = [
            each for each in self.orphans
            if each.due > self.now or (each.at == self.now and each.name in there - self.live()
                                       and self.uploaded[each.name] < each.step)
        ]  # fmt: skip


class FileLives(RuleBasedStateMachine):
    """Rows of a policy and rows of none, which come to share their files."""

    folder: Path  # the storage's; set by the test

    def __init__(self) -> None:
        super().__init__()
        self.files = Files()
        for path in self.folder.iterdir():
            path.unlink()
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE zoo_song, zoo_upload, purge_run, lifecycle_event, lifecycle_agenda,"
                " lifecycle_exception CASCADE; UPDATE lifecycle_policy SET spent = '{}'"
            )

    def there(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}

    # what the host does

    @rule(model=models, key=keys, name=names, anew=st.booleans(), ends=st.booleans())
    def put(self, model: Any, key: int, name: str, anew: bool, ends: bool) -> None:
        """A row is written, or gets another file; the file is there first."""
        self.files.step += 1
        if anew or name not in self.there():
            (self.folder / name).unlink(missing_ok=True)
            (self.folder / name).write_text(name)
            self.files.uploaded[name] = self.files.step
        values: dict[str, Any] = {"file": name}
        if model is Song and ends:
            values["expires_at"] = database_now() - timedelta(minutes=30)
        model.objects.update_or_create(pk=key, defaults=values)
        was = self.files.rows.get((model, key), "")
        self.files.rows[model, key] = name
        self.files.take({was} - {name}, GRACES[model])

    @rule(model=models, chosen=some)
    def clear(self, model: Any, chosen: set[int]) -> None:
        model.objects.filter(pk__in=chosen).update(file="")
        own = [(model, key) for key in chosen if (model, key) in self.files.rows]
        taken = {self.files.rows[row] for row in own}
        self.files.rows |= dict.fromkeys(own, "")
        self.files.take(taken, GRACES[model])

    @rule(model=models)
    def shift(self, model: Any) -> None:
        """Rows hand their files on to one another, in one statement."""
        own = sorted(row for row in self.files.rows if row[0] is model)
        values = [self.files.rows[row] for row in own]
        new = dict(zip(own, values[1:] + values[:1], strict=True))
        if own:
            pairs = ", ".join(f"({key}, '{name}')" for (_, key), name in new.items())
            text = f"UPDATE {model._meta.db_table} SET file = name FROM (VALUES {pairs})"
            with connection.cursor() as cursor:
                cursor.execute(f"{text} AS new (key, name) WHERE id = key")
        self.files.rows |= new

    @rule(model=models, chosen=some, whole=st.booleans(), back=st.booleans())
    def delete(self, model: Any, chosen: set[int], whole: bool, back: bool) -> None:
        """By raw SQL, by TRUNCATE; sometimes taken back."""
        table = model._meta.db_table
        with transaction.atomic(), connection.cursor() as cursor:
            if whole:
                cursor.execute(f"TRUNCATE {table} CASCADE")
            else:
                cursor.execute(f"DELETE FROM {table} WHERE id = ANY (%s)", [sorted(chosen)])
            transaction.set_rollback(back)
        if not back:
            gone = [
                row for row in self.files.rows if row[0] is model and (whole or row[1] in chosen)
            ]
            self.files.take({self.files.rows.pop(row) for row in gone}, GRACES[model])

    # time and the worker

    @rule(span=st.sampled_from([0, 1, 3, 30]))
    def go_on(self, span: int) -> None:
        pass_time(hours=span)
        self.files.now += span
        for path in self.folder.iterdir():
            time = path.stat().st_mtime - span * 3600
            os.utime(path, (time, time))
        self.run()

    def run(self) -> None:
        run_policy(get_policy("songs"))
        there = set(Song.objects.values_list("pk", flat=True))
        gone = {row for row in self.files.rows if row[0] is Song and row[1] not in there}
        self.files.take({self.files.rows.pop(row) for row in gone}, 0)
        before, allowed, due = self.there(), self.files.allowed(), self.files.due()
        run_media()
        deleted = before - self.there()
        assert deleted <= allowed, f"deleted too early: {deleted - allowed}"
        assert due & before <= deleted, f"left behind: {due & before - deleted}"
        self.files.looked(self.there())

    @invariant()
    def no_file_of_a_live_row_is_lost(self) -> None:
        assert self.files.live() <= self.there()

    def teardown(self) -> None:
        """Nothing happens any more: what no row names is gone, and every promise was kept."""
        for span in (30, 30, 1):
            self.go_on(span)
        assert self.there() == self.files.live()
        broken = {name: found for name, found in promises.check().items() if found}
        assert not broken, broken
