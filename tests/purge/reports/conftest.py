"""A real SMTP server, to which the site sends its mail."""

from tests.purge.alerts.conftest import mailbox  # noqa: F401 - a fixture
