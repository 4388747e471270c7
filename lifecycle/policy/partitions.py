"""What a declaration cannot be whose rows end with their partitions: they go without a word to
anybody, and all at once."""

from typing import Any

from django.apps import apps
from django.db.models import DateField, IntegerField, UUIDField
from django.db.models.signals import post_delete, pre_delete

from lifecycle.phrases import phrase
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.media_fields import file_fields, tracked
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import policies_of


def why_unfit(policy: Policy) -> str:
    """Why no partition of the policy's table may be dropped, in words; '' where it may be.

    Asked of each model that has the table: the site's own may be another one than the policy's.
    """
    own: Any = policy.model._meta.concrete_model
    if _moment(policy) is None:
        return phrase("`expires` must count from a moment of the model's own table")
    if not isinstance(own._meta.pk, IntegerField | UUIDField):
        return phrase("its key is neither whole number nor UUID")
    return next((why for model in _models(own) if (why := _unheard(model, policy))), "")


def _models(own: Any) -> list[Any]:
    """The models of a table: one, and others that the site has of it, such as proxies."""
    table = own._meta.db_table
    others = apps.get_models(include_auto_created=True)
    return [own, *(each for each in others if each._meta.db_table == table and each is not own)]


def _unheard(model: Any, policy: Policy) -> str:
    """What of a model would not be told, or not go along."""
    referring, concrete = _referring(model), model._meta.concrete_model
    for wrong, why in (
        (
            concrete._meta.parents or _children(model),
            phrase("it has parents or children by inheritance"),
        ),
        (set(policies_of(model)) - {policy}, phrase("another policy stands on the table")),
        (
            file_fields(model) or _is_tracked(concrete),
            phrase("its rows have files, which would be left behind"),
        ),
        (referring, phrase("%(names)s refers to its rows", names=referring)),
        (
            _receivers(model),
            phrase("a receiver of pre_delete or post_delete would not be called"),
        ),
    ):
        if wrong:
            return why
    return ""


def _moment(policy: Policy) -> Any:
    aged = age_of(policy.expires)
    own: Any = policy.model._meta.concrete_model
    fields = {field.name: field for field in own._meta.local_concrete_fields}
    field = fields.get(aged[0]) if aged else None
    return field if isinstance(field, DateField) else None  # a DateTimeField is one


def _children(model: Any) -> bool:
    return any(getattr(each, "parent_link", False) for each in model._meta.related_objects)


def _is_tracked(own: Any) -> bool:
    return any(each.model._meta.concrete_model is own for each in tracked())


def _referring(model: Any) -> str:
    """What goes along with a row, or keeps it, as Django has it: the first of it."""
    related = [each.related_model._meta.label for each in model._meta.related_objects]
    private = model._meta.private_fields
    generic = [each.name for each in private if hasattr(each, "bulk_related_objects")]
    many = [each.name for each in model._meta.many_to_many]
    return next(iter([*related, *generic, *many]), "")


def _receivers(model: Any) -> bool:
    return any(signal.has_listeners(model) for signal in (pre_delete, post_delete))
