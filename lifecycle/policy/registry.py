"""The policies of this site, as `policies.py` of each app declares them."""

from django.db.models import Model

from lifecycle.exceptions import NoPolicy, did_you_mean
from lifecycle.phrases import phrase
from lifecycle.policy.policy import Policy

_policies: dict[str, Policy] = {}


def all_policies() -> list[Policy]:
    """Every registered policy, by name."""
    return [_policies[name] for name in sorted(_policies)]


def get_policy(name: str) -> Policy:
    """The policy of that name; `NoPolicy` with a suggestion when there is none."""
    if name in _policies:
        return _policies[name]
    raise NoPolicy(
        phrase(
            "There is no policy %(name)s.%(hint)s",
            name=repr(name),
            hint=did_you_mean(name, _policies),
        )
    )


def policies_of(model: type[Model]) -> list[Policy]:
    """The policies on the model's table, whichever proxy declared them."""
    concrete = model._meta.concrete_model
    return [p for p in all_policies() if p.model._meta.concrete_model is concrete]
