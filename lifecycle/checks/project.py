"""Checks of the settings."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage

from .messages import error


def check_project(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Every check of the settings."""
    return [*has_pgtrigger(), *has_aware_times()]


def has_pgtrigger() -> list[CheckMessage]:
    """E030: django-pgtrigger, which writes triggers into migrations, is not installed."""
    if apps.is_installed("pgtrigger"):
        return []
    text = "'pgtrigger' is not in INSTALLED_APPS: makemigrations writes no triggers."
    return [error(30, text, "Add 'pgtrigger' to INSTALLED_APPS.")]


def has_aware_times() -> list[CheckMessage]:
    """E031: USE_TZ is off, so that times from the database say no zone."""
    if settings.USE_TZ:
        return []
    text = "USE_TZ is False: the worker cannot compare times that name no zone, and ends nothing."
    return [error(31, text, "Set USE_TZ = True; the columns stay as they are.")]
