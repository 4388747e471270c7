"""Checks of the tables whose files are watched, and of the storages that the files are in."""

from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage

from lifecycle.checks.messages import error, warning
from lifecycle.checks.tables import plainly_named
from lifecycle.policy.media_fields import file_fields, tracked, unwatched, watched
from lifecycle.policy.packages import is_installed, proxy_of
from lifecycle.policy.registry import policies_of

#: what storages call the setting by which a file takes the name of an older one
OVERWRITES = ("file_overwrite", "overwrite_files", "_allow_overwrite")


def check_media(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Every model whose files are watched, or should be."""
    labels = None if app_configs is None else {config.label for config in app_configs}
    messages = [*tracked_here(), *quoted_here(), *left_behind(), *overwritten(), *cleaned_up()]
    return [each for each in messages if labels is None or each.obj._meta.app_label in labels]


def tracked_here() -> list[CheckMessage]:
    """E044: `track_media` names a model on which this site's migrations put no trigger."""
    messages: list[CheckMessage] = []
    able = {each.model for each in watched()}
    for model in sorted({each.model for each in tracked()} - able, key=lambda m: m._meta.label):
        installed = is_installed(model)
        why = "is of an installed package" if installed else "is unmanaged"
        text = f"{model._meta.label} {why}: no migration of yours puts a trigger on it."
        hint = "Let migrations manage the table."
        if installed:
            hint = f"{proxy_of(model)}\n\nand call track_media() with it."
        messages.append(error(44, text, hint, model))
    return messages


def quoted_here() -> list[CheckMessage]:
    """E047 of tables whose files are watched, and that have no policy to be told of it."""
    models = [each.model for each in watched() if not policies_of(each.model)]
    return [message for model in models for message in plainly_named([model], model)]


def left_behind() -> list[CheckMessage]:
    """W045: a policy ends rows of a table with files on which no trigger can be put."""
    return [warning(45, *_why(model), model) for model in unwatched()]


def overwritten() -> list[CheckMessage]:
    """W046: a storage gives a new file the name of an older one."""
    messages: list[CheckMessage] = []
    for each in watched():
        for field in file_fields(each.model):
            if any(getattr(field.storage, name, False) for name in OVERWRITES):
                text = f"The storage of {field} gives a new file the name of an older one."
                hint = "Set file_overwrite (allow_overwrite, overwrite_files) to False."
                messages.append(warning(46, text, hint, each.model))
    return messages


def cleaned_up() -> list[CheckMessage]:
    """W047: django-cleanup deletes the files of a watched table too, and sooner."""
    if not apps.is_installed("django_cleanup"):
        return []
    known: Any = import_module("django_cleanup.cache")
    models: Any = [each.model._meta.concrete_model for each in watched()]
    hint = "Put @cleanup.ignore on the model: its files then go by the ledger, after their grace."
    return [
        warning(47, f"django-cleanup deletes the files of {model._meta.label} too.", hint, model)
        for model in models
        if known.model_has_filefields(known.get_model_name(model))
    ]


def _why(model: Any) -> tuple[str, str]:
    label = model._meta.label
    if policies_of(model) and not any(p.capture.triggers for p in policies_of(model)):
        text = f"Files of {label} are left behind where Django does not delete the instance."
        return text, "capture=Signals() sees no more: prefer triggers, or silence this id."
    text = f"Policies end rows of {label}, whose files are left behind."
    if is_installed(model):
        return text, f"{proxy_of(model)}\n\nand say track_media({model.__name__}) of it."
    return text, "The table is unmanaged: let migrations manage it."
