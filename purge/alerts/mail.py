"""Mails by the site's own settings, that no mail server holds up for long."""

from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection

TIMEOUT = 10  # seconds for each answer of the mail server, where EMAIL_TIMEOUT says nothing


def patient() -> Any:
    """The site's mail connection, with a timeout."""
    connection: Any = get_connection()
    if getattr(connection, "timeout", TIMEOUT) is None:
        connection.timeout = TIMEOUT
    return connection


def send(subject: str, text: str, page: str, to: tuple[str, ...]) -> None:
    """Send a mail as text and as HTML; raises what the backend raises."""
    message = EmailMultiAlternatives(subject, text, to=to, connection=patient())
    message.attach_alternative(page, "text/html")
    message.send()
