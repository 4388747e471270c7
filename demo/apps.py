from django.apps import AppConfig

from .children import follow_parent


class DemoConfig(AppConfig):
    """The demonstration's own models, policies and commands."""

    name = "demo"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import suppressing  # noqa: F401 - connects its receiver

        follow_parent()
