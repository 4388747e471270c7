"""The admin: ledger, agenda, row exceptions and policies to read, and the row actions of people.

Nothing can be edited. The buttons are restore, hold and release of a row, pause and resume of a
policy; each has a permission of its own and is an event with the user as its actor.
"""

from lifecycle.admin.agenda import AgendaEntryAdmin
from lifecycle.admin.lists import EventAdmin, RowExceptionAdmin
from lifecycle.admin.mixin import LifecycleAdminMixin, LifecycleStateFilter
from lifecycle.admin.policies import PolicyStateAdmin
from lifecycle.admin.policy_filter import PolicyFilter

__all__ = [
    "AgendaEntryAdmin",
    "EventAdmin",
    "LifecycleAdminMixin",
    "LifecycleStateFilter",
    "PolicyFilter",
    "PolicyStateAdmin",
    "RowExceptionAdmin",
]
