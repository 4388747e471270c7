"""When the rows of this site end, a module for each system; found by itself, like `admin.py`.

The ages are settings (`DEMO_*`), each from the environment too. Those of a policy's `expires` are
part of its triggers: after a change, `manage.py makemigrations` and `migrate`. Until then the
worker leaves that policy alone.
"""

from . import audit, registrations, services, sessions, suppressions, tokens, users

__all__ = ["audit", "registrations", "services", "sessions", "suppressions", "tokens", "users"]
