"""`register`: a policy is kept, and its capture attached to its model."""

from lifecycle.capture.model_signals import connect
from lifecycle.capture.triggers import add_triggers
from lifecycle.exceptions import PolicyError
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import _policies


def register(*policies: Policy) -> Policy:
    """Add policies to the site; call it in `<app>/policies.py`. Returns the last one.

    Raises `PolicyError` when a name is taken. Triggers are added to the model, so the next
    `makemigrations` writes them into the migration of the app that owns the model.
    """
    for policy in policies:
        if policy.name in _policies:
            raise PolicyError(f"There are two policies called {policy.name!r}.")
        _policies[policy.name] = policy
        attach = add_triggers if policy.capture.triggers else connect
        attach(policy)
    return policies[-1]
