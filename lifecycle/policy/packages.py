"""Which models are of installed packages: a migration written there is lost at an upgrade."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db.migrations.loader import MigrationLoader

#: folders of installed packages
INSTALLED = {"site-packages", "dist-packages"}


def migrations_of(model: Any) -> Path | None:
    """The file of the app's migrations package; None where there is none."""
    if model._meta.app_label not in apps.app_configs:
        return None
    name, _ = MigrationLoader.migrations_module(model._meta.app_label)
    try:
        spec = find_spec(name) if name else None
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


def is_installed(model: Any) -> bool:
    """Whether a trigger's migration for this model would be written into an installed package."""
    path = migrations_of(model)
    return path is not None and not INSTALLED.isdisjoint(path.parts)


def proxy_of(model: Any) -> str:
    """What to paste into an app of one's own, which then has the migration."""
    name, module = model.__name__, model.__module__
    return (
        f"Make a proxy in an app of your own:\n\n"
        f"    from {module} import {name} as Installed{name}\n\n"
        f"    class {name}(Installed{name}):\n"
        f"        class Meta:\n"
        f"            proxy = True"
    )
