"""What happens to a row at the end of its life."""

from typing import Any

from .errors import PolicyError


class Disposition:
    """How a policy ends its rows. Use `Purge` or `Update`."""

    #: whether `live()` hides the row once it is past its end
    hides = True

    def declaration(self) -> tuple[Any, ...]:
        """The parts of the declaration that enter the policy's fingerprint."""
        return (type(self).__name__,)


class Purge(Disposition):
    """Delete the row, with what Django's `on_delete` says goes along."""


class Update(Disposition):
    """Set columns instead of deleting: deactivate, anonymise.

    Acts at due time plus grace, hides nothing before or after, and halts the policy when a row
    still matches `when` afterwards (it would be updated for ever). Values are constants or
    expressions over the row's own columns.
    """

    hides = False

    def __init__(self, **values: Any) -> None:
        if not values:
            raise PolicyError(
                "Update() needs at least one column, for example Update(active=False)."
            )
        self.values = values

    def declaration(self) -> tuple[Any, ...]:
        return (type(self).__name__, sorted(self.values.items()))
