"""Checks of the settings."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage

from .messages import error


def check_project(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """E030: django-pgtrigger, which writes triggers into migrations, is not installed."""
    if apps.is_installed("pgtrigger"):
        return []
    text = "'pgtrigger' is not in INSTALLED_APPS: makemigrations writes no triggers."
    return [error(30, text, "Add 'pgtrigger' to INSTALLED_APPS.")]
