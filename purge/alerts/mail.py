"""Mails by the site's own settings, that no mail server holds up for long.

The settings are `MAILERS` where Django knows it and the site has it, `EMAIL_*` otherwise.
"""

from typing import Any

from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from lifecycle.printable import visible, visible_lines

TIMEOUT = 10  # seconds for each answer of the mail server, where the settings say nothing


def patient() -> Any:
    """The site's mail connection, with a timeout."""
    # From Django 6.1 on; without MAILERS in the settings its default is made of EMAIL_*.
    mailers: Any = getattr(mail, "mailers", None)
    connection: Any = mailers.default if mailers else mail.get_connection()
    if getattr(connection, "timeout", TIMEOUT) is None:
        connection.timeout = TIMEOUT
    return connection


def send(subject: str, text: str, page: str, to: tuple[str, ...]) -> None:
    """Send a mail as text and as HTML; raises what the backend raises."""
    message = EmailMultiAlternatives(visible(subject), visible_lines(text), to=to)
    message.attach_alternative(visible_lines(page), "text/html")
    patient().send_messages([message])


def send_to_admins(subject: str, text: str) -> None:
    """Send a mail to the site's `ADMINS`, if it has any; raises what the backend raises.

    As Django's `mail_admins`, which takes a connection no longer. Takes addresses as well as pairs
    of name and address, whichever this Django wants of its own.
    """
    to = [each if isinstance(each, str) else each[1] for each in settings.ADMINS]
    if to:
        subject = f"{settings.EMAIL_SUBJECT_PREFIX}{subject}"
        sender = settings.SERVER_EMAIL
        message = EmailMultiAlternatives(visible(subject), visible_lines(text), sender, to)
        patient().send_messages([message])
