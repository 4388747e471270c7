"""How the writes of a model reach the ledger."""


class Capture:
    """How a policy learns of writes. Use `Rows` (the default) or `Signals`."""

    triggers = False

    def declaration(self) -> tuple[str]:
        return (type(self).__name__,)


class Rows(Capture):
    """Statement-level triggers: every write is seen, whoever makes it."""

    triggers = True


class Signals(Capture):
    """Django's model signals, for tables on which the site may put no trigger.

    Sees `save()` and `delete()` of instances. Does not see `bulk_create()`, `update()`, raw SQL,
    COPY, or anything another program writes; `manage.py lifecycle status` says so.
    """

    blind_to = ("bulk_create()", "bulk_update()", "QuerySet.update()", "raw SQL", "COPY")
