"""Tables that the engine does not reach as it has to: it must not take their rows for gone.

A policy stands on one table, of the ledger's schema: another of the same name, which a connection's
search path puts in its place, has rows of its own under the same keys. And a row that row level
security hides from the worker is there all the same.
"""

from typing import Any, NamedTuple

from django.apps import apps

from lifecycle.compiler.row_tables import models_of
from lifecycle.db.connection import fetch, statement
from lifecycle.db.tables import quoted, table_of
from lifecycle.hints import database_option
from lifecycle.phrases import phrase
from lifecycle.policy.coverage import taken_along
from lifecycle.policy.databases import is_at
from lifecycle.policy.media_fields import file_fields, watched
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies


class Elsewhere(NamedTuple):
    """A table outside of the ledger's schema, of which nothing is recorded and nothing ends."""

    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


class Hidden(NamedTuple):
    """A table of which row level security hides rows from a role that does the engine's work."""

    table: str
    role: str


class Subscribed(NamedTuple):
    """A table into which a subscription writes, past the triggers: nothing of that is recorded."""

    table: str
    subscription: str

    def __str__(self) -> str:
        return phrase(
            "rows of %(table)s come by the subscription %(subscription)s",
            table=self.table,
            subscription=self.subscription,
        )


def subscribed(using: str) -> list[Subscribed]:
    """Tables of policies of which this database is a logical replica."""
    own = {model for policy in _here(using) for model in models_of(policy)}
    params = {"tables": quoted(using, own)}
    return [Subscribed(*row) for row in fetch(using, statement(__file__, "subscribed"), params)]


def elsewhere(using: str) -> list[Elsewhere]:
    """Tables with capture triggers, or that stand in for those of policies, in other schemas."""
    own = {model for policy in _here(using) for model in models_of(policy)}
    params = {"tables": quoted(using, own)}
    return [Elsewhere(*row) for row in fetch(using, statement(__file__, "elsewhere"), params)]


def hidden(using: str) -> list[Hidden]:
    """Tables from which policies end rows, or take rows along, and which hide rows from a role.

    And those whose rows may show a file that is deleted, where any is.
    """
    cascaded = {model for policy in _here(using) for model in taken_along(policy)}
    models = cascaded | {model for policy in _here(using) for model in models_of(policy)}
    models |= _showing_files(using) if watched() else set()
    params = {"names": [table_of(model) for model in models], "tables": quoted(using, models)}
    return [Hidden(*row) for row in fetch(using, statement(__file__, "hidden"), params)]


def _showing_files(using: str) -> set[Any]:
    """The models with file fields in a database."""
    found = (m for m in apps.get_models(include_auto_created=True) if not m._meta.proxy)
    return {model for model in found if file_fields(model) and is_at(model, using)}


def _here(using: str) -> list[Policy]:
    return [policy for policy in all_policies() if is_at(policy.model, using)]


class Reach:
    """What the engine does not reach in a database, policy by policy, in words."""

    def __init__(self, using: str) -> None:
        self.elsewhere, self.hidden = elsewhere(using), hidden(using)
        self.subscribed, self.option = subscribed(using), database_option(using)

    def problems(self, policy: Policy) -> list[str]:
        """What is wrong with the tables of one policy."""
        own = {table_of(model) for model in models_of(policy)}
        cascaded = own | {table_of(model) for model in taken_along(policy)}
        strays = ", ".join(str(each) for each in self.elsewhere if each.table in own)
        found = (
            [phrase("nothing of %(strays)s is recorded or ends: another schema", strays=strays)]
            if strays
            else []
        )
        backfill = f"`manage.py lifecycle backfill --policy {policy.name}{self.option}`"
        found += [
            phrase(
                "%(each)s, past the triggers, onto no agenda: when it is over, %(backfill)s",
                each=each,
                backfill=backfill,
            )
            for each in self.subscribed
            if each.table in own
        ]
        return found + [
            phrase(
                "row level security hides rows of %(table)s from %(role)s, who would "
                "take them for gone",
                table=table,
                role=role,
            )
            for table, role in self.hidden
            if table in cascaded
        ]
