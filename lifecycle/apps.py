"""The app: finds every `policies.py`, keeps the database's copy of the policies true."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class LifecycleConfig(AppConfig):
    name = "lifecycle"
    verbose_name = _("Lifecycle")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lifecycle import checks  # noqa: F401
        from lifecycle.capture.media_triggers import add_media_triggers
        from lifecycle.install.after_migrate import after_migrate

        autodiscover_modules("policies")
        add_media_triggers()
        _name_the_category_of_triggers()
        post_migrate.connect(after_migrate, dispatch_uid="lifecycle.sync")


def _name_the_category_of_triggers() -> None:
    """`makemigrations` prints a `?` before operations that have none, and asks nothing there."""
    from django.db.migrations.operations.base import OperationCategory
    from pgtrigger.migrations import AddTrigger, RemoveTrigger

    AddTrigger.category = AddTrigger.category or OperationCategory.ADDITION
    RemoveTrigger.category = RemoveTrigger.category or OperationCategory.REMOVAL
