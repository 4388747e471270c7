"""Models of a policy renamed, moved to another app, deleted, or with another table."""

import pytest

from tests.lifecycle.install.project import PACKAGE, Project

WRITE = "INSERT INTO {} (paid, created_at) VALUES (false, now() - interval '31 days')"
DAYS = "UPDATE {} SET created_at = now() - interval '31 days'"

RENAME = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RenameModel("Cart", "Basket")]
"""
MOVED = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("shop", "0004_table")]
    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[
            migrations.CreateModel("Basket", [
                ("id", models.BigAutoField(primary_key=True)),
                ("paid", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
            ], options={"db_table": "baskets"}),
        ])
    ]
"""
LEFT = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("shop", "0004_table"), ("hall", "0001_moved")]
    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Basket")])
    ]
"""
POLICY = """
from datetime import timedelta
from django.db.models import F, Q
from lifecycle import Policy, register
from .models import {model}

end = F("created_at") + timedelta(days=30)
register(Policy("carts", {model}, when=Q(paid=False), expires=end, cap_rows=1000))
"""


@pytest.fixture(scope="module")
def site(project: Project) -> Project:
    """The policy in the model's own app, enabled."""
    project.write("keep/models.py", "")
    (project.path / "keep/policies.py").unlink()
    project.write("shop/policies.py", POLICY.format(model="Cart"))
    project.manage("makemigrations -v0", "migrate -v0")
    return project


def records(site: Project, table: str) -> None:
    """A write is recorded, once; a held row stays, the others go."""
    before = site.last()
    site.sql(WRITE.format(table))
    assert site.kinds(since=before) == ["expiry_scheduled 1"]
    site.manage("purge", "check --database default --fail-level WARNING", "lifecycle verify")
    assert site.sql(f"SELECT array_agg(id) FROM {table}") == [1]
    assert site.sql("SELECT count(*) FROM lifecycle_exception WHERE kind = 'hold'") == 1


@pytest.mark.slow
def test_a_model_goes_through_everything(site: Project) -> None:
    site.sql("INSERT INTO shop_cart (paid, created_at) VALUES (false, now())")
    hold = "from lifecycle import hold; from shop.models import Cart; hold(Cart.objects.get())"
    site.manage(("shell", "-v0", "-c", hold))
    site.sql(DAYS.format("shop_cart"))

    site.write("shop/migrations/0002_basket.py", RENAME)
    site.change("shop/models.py", "class Cart", "class Basket")
    site.write("shop/policies.py", POLICY.format(model="Basket"))
    site.manage("makemigrations -v0 -n triggers shop", "migrate -v0")
    assert site.triggers("shop_basket") == 4
    records(site, "shop_basket")

    site.change("shop/models.py", "created_at = models.DateTimeField()\n",
                "created_at = models.DateTimeField()\n\n    class Meta:\n"
                '        db_table = "baskets"\n')  # fmt: skip
    site.manage("makemigrations -v0 -n table shop", "migrate -v0")
    assert site.triggers("baskets") == 4
    records(site, "baskets")

    site.write("hall/__init__.py", "")
    site.write("hall/migrations/__init__.py", "")
    site.write("hall/migrations/0001_moved.py", MOVED)
    site.write("shop/migrations/0005_left.py", LEFT)
    (site.path / "shop/models.py").rename(site.path / "hall/models.py")
    (site.path / "shop/policies.py").rename(site.path / "hall/policies.py")
    site.install(*PACKAGE, own=("shop", "keep", "hall"))
    site.manage("makemigrations -v0 -n triggers hall", "migrate -v0")
    assert site.triggers("baskets") == 4, "those of the old app have gone"
    records(site, "baskets")

    site.write("hall/models.py", "")
    (site.path / "hall/policies.py").unlink()
    site.manage("makemigrations -v0 hall", "migrate -v0", "lifecycle status")
    assert site.sql("SELECT to_regclass('baskets')") is None
    assert site.sql("SELECT state FROM lifecycle_policy") == "removed"
