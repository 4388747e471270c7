from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The demonstration's own models, policies and commands."""

    name = "demo"
    default_auto_field = "django.db.models.BigAutoField"
