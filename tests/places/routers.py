"""Routers as sites have them."""

from typing import Any


class Split:
    """Some models in a second database; ledgers in both."""

    def __init__(self, *models: str, ledgers: bool = True) -> None:
        self.models, self.ledgers = {name.lower() for name in models}, ledgers

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "second" if model._meta.label_lower in self.models else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, model_name: Any = None, **hints: Any) -> bool:
        if app_label in ("lifecycle", "purge"):
            return self.ledgers or db == "default"
        return (db == "second") == (f"{app_label}.{model_name}" in self.models)


class ReadsElsewhere:
    """Everything is read from a replica, and allowed everywhere: the router of Django's manual."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, *objects: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return True


class SparksElsewhere(Split):
    """As a settings module names it."""

    def __init__(self) -> None:
        super().__init__("zoo.spark")
