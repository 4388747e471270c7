"""A ledger that can be put back, as where the published log is tested."""

from tests.purge.proof.conftest import back_up

__all__ = ("back_up",)
