"""Cutting capture triggers out of migration files, and nothing else."""

import ast

from lifecycle.install.migration_files import files, without_triggers

MIGRATION = """\
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import lifecycle.operations


class Migration(migrations.Migration):
    dependencies = []

    operations = [
        migrations.CreateModel(name="Cart", fields=[("id", models.AutoField(primary_key=True))]),
        pgtrigger.migrations.AddTrigger(
            model_name="cart",
            trigger=lifecycle.operations.Captured(
                name="lc_carts_i",
                sql=lifecycle.operations.CaptureSql(func="]), (", pgid="x", table="shop_cart"),
            ),
        ),
        pgtrigger.migrations.RemoveTrigger(model_name="cart", name="lc_old_carts_u"),
        pgtrigger.migrations.RemoveTrigger(model_name="cart", name="lc_truncate"),{own}
        migrations.AddField("Cart", "paid", models.BooleanField(default=False)),
    ]
"""
OWN = """
        pgtrigger.migrations.AddTrigger(
            model_name="cart",
            trigger=pgtrigger.compiler.Trigger(name="lc_mine", sql="lifecycle"),
        ),
        pgtrigger.migrations.RemoveTrigger(model_name="cart", name="protect_deletes"),"""
LEFT = """\
from django.db import migrations, models



class Migration(migrations.Migration):
    dependencies = []

    operations = [
        migrations.CreateModel(name="Cart", fields=[("id", models.AutoField(primary_key=True))]),
        migrations.AddField("Cart", "paid", models.BooleanField(default=False)),
    ]
"""


def test_operations_and_imports_go() -> None:
    assert without_triggers(MIGRATION.format(own="")) == LEFT


def test_the_hosts_own_triggers_stay() -> None:
    text = without_triggers(MIGRATION.format(own=OWN))
    assert OWN in text
    assert "import pgtrigger.migrations" in text
    assert "import lifecycle.triggers" not in text
    ast.parse(text)


def test_a_file_without_them_is_left_as_it_is() -> None:
    assert without_triggers(LEFT) == LEFT


def test_only_files_of_the_project_that_name_them_are_found() -> None:
    names = {f"{path.parent.parent.name}/{path.name}" for path in files()}
    assert "zoo/0001_initial.py" in names
    assert "zoo/0002_partitions.py" not in names
    assert not [name for name in names if name.startswith("pgtrigger/")]
