"""A policy for each table."""

from lifecycle import Policy, register
from tests.hostile.models import HOSTS

register(*(Policy(host.policy, host.model, expires="expires_at") for host in HOSTS))
