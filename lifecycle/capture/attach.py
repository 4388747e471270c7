"""`register`: a policy is kept, and its capture attached to its model."""

from collections.abc import Sequence

from lifecycle.capture.model_signals import connect
from lifecycle.capture.triggers import add_triggers
from lifecycle.compiler.partitions import is_partitioned
from lifecycle.exceptions import PolicyError
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import _policies
from lifecycle.policy.stages import Stages


def register(*declared: Policy | Stages) -> Policy:
    """Add policies to the site; call it in `<app>/policies.py`. Returns the last one.

    Of `Stages` that is one for each stage.

    Raises `PolicyError` when a name is taken. Triggers are added to the model, so the next
    `makemigrations` writes them into the migration of the app that owns the model.
    """
    policies = [policy for each in declared for policy in _policies_in(each)]
    for policy in policies:
        if policy.name in _policies:
            raise PolicyError(f"There are two policies called {policy.name!r}.")
        _policies[policy.name] = policy
        if policy.capture.triggers:
            add_triggers(policy)
        elif not is_partitioned(policy):  # of which nothing is captured
            connect(policy)
    return policies[-1]


def _policies_in(each: Policy | Stages) -> Sequence[Policy]:
    return each.policies if isinstance(each, Stages) else [each]
