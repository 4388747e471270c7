"""How the writes of a model reach the ledger."""

from lifecycle.exceptions import PolicyError, did_you_mean


class Capture:
    """How a policy learns of writes. Use `Rows` (the default), `Window` or `Signals`."""

    triggers = False
    #: whether the ledger may name the table's rows by their keys
    record_subjects = True

    def declaration(self) -> tuple[object, ...]:
        return (type(self).__name__,)


class Rows(Capture):
    """Statement-level triggers: every write is seen, whoever makes it."""

    triggers = True


class Window(Capture):
    """For hot tables whose rows end by their age: rows that end in one window go together.

    The triggers make sure that the agenda knows each window in which some row ends; they list no
    row. When a window is over, the worker finds its rows by the table's own index on the column
    that `expires` names. No row ends before its own time, nor before its window is over.

    size             "1 hour", "1 day" or "1 month", of UTC
    record_subjects  False where keys are secrets, as those of sessions: no key of the table comes
                     into the ledger, what ends is counted only. No single row of such a table can
                     be held, restored, loaded or expired by hand, for that names it
    """

    triggers = True
    SIZES = ("1 hour", "1 day", "1 month")

    def __init__(self, size: str = "1 day", record_subjects: bool = True) -> None:
        if size not in self.SIZES:
            hint = did_you_mean(str(size), self.SIZES)
            sizes = ", ".join(map(repr, self.SIZES))
            raise PolicyError(f"A window is one of {sizes}, not {size!r}.{hint}")
        if not isinstance(record_subjects, bool):
            raise PolicyError(f"record_subjects must be True or False, not {record_subjects!r}.")
        self.size, self.record_subjects = size, record_subjects

    def declaration(self) -> tuple[object, ...]:
        return (type(self).__name__, self.size, self.record_subjects)

    @property
    def unit(self) -> str:
        """The word that PostgreSQL truncates times by."""
        return self.size.split()[1]


class Partitions(Capture):
    """For tables that PostgreSQL partitions by RANGE of the column that `expires` names.

    Rows end with their whole partition, which is dropped, and no other way: once each row that it
    can have is past its end, by its upper bound. No trigger, no signal: a write costs nothing more,
    and none is recorded. What is purged is counted in the ledger, by partition; no key is written.
    A hold on one row keeps its partition; so does a row that `keep_while` keeps, or that `when`
    leaves out. No row of such a table is restored, expired by hand or erased by itself.
    """


class Signals(Capture):
    """Django's model signals, for tables on which the site may put no trigger.

    Sees `save()` and `delete()` of instances. Does not see `bulk_create()`, `update()`, raw SQL,
    COPY, or anything another program writes; `manage.py lifecycle status` says so.
    """

    blind_to = ("bulk_create()", "bulk_update()", "QuerySet.update()", "raw SQL", "COPY")
