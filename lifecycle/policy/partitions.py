"""What a declaration cannot be whose rows end with their partitions: they go without a word to
anybody, and all at once."""

from typing import Any

from django.db.models import DateField
from django.db.models.signals import post_delete, pre_delete

from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.media_fields import file_fields, tracked
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import policies_of

KEYS = ("SmallIntegerField", "IntegerField", "BigIntegerField", "UUIDField")
AUTO = ("SmallAutoField", "AutoField", "BigAutoField", "PositiveBigIntegerField")


def why_unfit(policy: Policy) -> str:
    """Why no partition of the policy's table may be dropped, in words; '' where it may be."""
    own: Any = policy.model._meta.concrete_model
    for wrong, why in (
        (_moment(policy) is None, "`expires` must count from a moment of the model's own table"),
        (
            own._meta.pk.get_internal_type() not in KEYS + AUTO,
            "its key is neither whole number nor UUID",
        ),
        (own._meta.parents or _children(own), "it has parents or children by inheritance"),
        (len(policies_of(policy.model)) > 1, "another policy stands on the table"),
        (file_fields(own) or _is_tracked(own), "its rows have files, which would be left behind"),
        (_referring(own), f"{_referring(own)} refers to its rows"),
        (_receivers(policy), "a receiver of pre_delete or post_delete would not be called"),
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


def _children(own: Any) -> bool:
    return any(each.parent_link for each in own._meta.related_objects)


def _is_tracked(own: Any) -> bool:
    return any(each.model._meta.concrete_model is own for each in tracked())


def _referring(own: Any) -> str:
    """What goes along with a row, or keeps it, as Django has it: the first of it."""
    related = [each.related_model._meta.label for each in own._meta.related_objects]
    generic = [
        each.name for each in own._meta.private_fields if hasattr(each, "bulk_related_objects")
    ]
    many = [each.name for each in own._meta.many_to_many]
    return next(iter([*related, *generic, *many]), "")


def _receivers(policy: Policy) -> bool:
    models = {policy.model, policy.model._meta.concrete_model}
    return any(
        signal.has_listeners(each) for signal in (pre_delete, post_delete) for each in models
    )
