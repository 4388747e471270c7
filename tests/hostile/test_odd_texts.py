"""Names and values that a template, a shell or a formatter would read as something else.

Every odd text is the name of a table, of its key, its end and a child's column, and a value in
conditions. All go through one life together; what is wrong with one is shown by it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import reduce
from io import StringIO
from operator import or_
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone

from lifecycle import Policy, register
from lifecycle.capture.triggers import registered
from lifecycle.install.after_migrate import store
from lifecycle.install.triggers import install
from lifecycle.policy import registry
from purge.runner import run_due
from tests.promises.support import violations

pytestmark = pytest.mark.django_db(transaction=True)

APP = "zoo"
#: with a `%` or a `$` in a name Django's own statements do not work
NAMES = [
    "two words", "it's", "Sales the {month}; 1", "{x} 1 :y", "@pk@", "@own_key@",
    "-- no", "a.b", "[0]", "new_rows", "key", "due", "matches", "lc_key", "Ünïcode", "\\", "`id`",
]  # fmt: skip
VALUES = [
    *NAMES, "$1",
    "50%", "%s", "%(policy)s", "%%", "100% {table} @pk@ -- x $$ \\ ' \" ; %%", "$$", "\n",
]  # fmt: skip


class Odd:
    """A table, a child table and a policy, all of whose names are one text."""

    def __init__(self, name: str, number: int, **condition: Q) -> None:
        columns = {
            "no": models.BigAutoField(primary_key=True, db_column=name),
            "ends": models.DateTimeField(null=True, db_column=f"{name} end"),
            "label": models.TextField(default="", db_column=f"{name} label"),
            "data": models.JSONField(default=dict),
        }
        self.name = name
        self.model = _model(f"Odd{number}", f"{name} own", **columns)
        above = models.ForeignKey(self.model, models.CASCADE, db_column=f"{name} above")
        self.child = _model(f"Odd{number}Child", f"{name} child", above=above)
        self.policy = Policy(f"odd-{number}", self.model, expires="ends", **condition)
        register(self.policy)

    def make(self) -> None:
        with connection.schema_editor() as editor:
            editor.create_model(self.model)
            editor.create_model(self.child)
        for model, trigger in registered():
            if model is self.model:
                trigger.install(model)

    def remove(self) -> None:
        for model, trigger in registered():
            if model is self.model:
                with connection.cursor() as cursor:
                    cursor.execute(f"DROP FUNCTION IF EXISTS {trigger.get_pgid(model)} CASCADE")
                trigger.unregister(model)
        with connection.schema_editor() as editor:
            editor.delete_model(self.child)
            editor.delete_model(self.model)
        self.forget()

    def forget(self) -> None:
        del registry._policies[self.policy.name]
        for model in (self.model, self.child):
            del apps.all_models[APP][model._meta.model_name]
        apps.clear_cache()

    def pair(self, **values: Any) -> tuple[Any, Any]:
        """One that is due and one that is not, each with a child."""
        ends = [timezone.now() + timedelta(hours=hours) for hours in (-1, 9)]
        gone, stays = [self.model.objects.create(ends=end, **values) for end in ends]
        self.child.objects.bulk_create([self.child(above=row) for row in (gone, stays)])
        return gone, stays


def _model(own: str, table: str, **parts: Any) -> Any:
    meta = type("Meta", (), {"app_label": APP, "db_table": table})
    return type(own, (models.Model,), {"__module__": __name__, "Meta": meta, **parts})


@contextmanager
def made(*odd: Odd) -> Iterator[None]:
    with ExitStack() as stack:
        for each in odd:
            each.make()
            stack.callback(each.remove)
        install("default")
        for each in odd:
            with transaction.atomic():
                store(each.policy, "default")
        yield


@pytest.mark.slow
def test_names_are_only_names() -> None:
    odd = [Odd(name, number) for number, name in enumerate(NAMES)]
    with made(*odd):
        left = {}
        for each in odd:
            _, stays = each.pair()
            later = stays.ends + timedelta(hours=1)
            each.model.objects.filter(pk=stays.pk).update(ends=later)
            left[each.name] = [stays.pk], 1
        run_due()
        found = {
            each.name: ([row.pk for row in each.model.objects.all()], each.child.objects.count())
            for each in odd
        }
        assert found == left
        said = [m.msg for m in run_checks(tags=["database"], databases=["default"])]
        assert not [text for text in said if any(f"{name} " in text for name in NAMES)]
        for each in odd:
            call_command("lifecycle", "status", each.policy.name, stdout=StringIO())
        assert violations() == []


def test_values_are_only_values() -> None:
    told = [Q(label=v) | Q(label__startswith=f"<{v}>") | Q(data={v: v}) for v in VALUES]
    odd = Odd("odd", 0, when=reduce(or_, told))
    with made(odd):
        others = set()
        for value in VALUES:
            for values in ({"label": value}, {"label": f"<{value}>"}, {"data": {value: value}}):
                odd.pair(**values)
            others |= {odd.pair(label=f"{value}!")[0].pk, odd.pair(label=f"<{value}")[0].pk}
        run_due()
        due = odd.model.objects.filter(ends__lt=timezone.now())
        assert {row.pk for row in due} == others
        assert odd.model.objects.exclude(ends__lt=timezone.now()).count() == 5 * len(VALUES)
        assert violations() == []
