"""Registrations and one-time passwords; the command counts three causes apart."""

from collections.abc import Iterator

from .part import Part


class Counted(Part):
    """Rows of which only the number is shown: there may be very many."""

    lists = False

    def before(self, count: int, rows: object) -> Iterator[str]:
        yield f"{self.noun}: {count}"


class ExpiredPending(Counted):
    """Registrations past the end of their one-time password."""

    policy = "registrations-otp-expired"
    noun = "expired_pending"


class OldPending(Counted):
    """Registrations that nobody has confirmed in time."""

    policy = "registrations-unconfirmed"
    noun = "old_pending"


class StaleOtps(Counted):
    """One-time passwords that are used, expired or too old."""

    policy = "one-time-passwords"
    noun = "stale_otps"
