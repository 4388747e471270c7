"""A refused token ends when it would have expired anyway: nothing accepts it any more."""

from demo.models import IssuedToken, RefusedToken
from lifecycle import Policy, register

register(
    Policy("expired-tokens", RefusedToken, expires="expires_at"),
    Policy("expired-issued-tokens", IssuedToken, expires="expires_at"),
)
