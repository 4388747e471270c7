"""A site that sends its mail to the server of a test."""

import os

from tests.mailing import ADMINS, mail_settings
from tests.settings import *  # noqa: F403

globals().update(mail_settings(int(os.environ["MAIL_PORT"])))
__all__ = ["ADMINS"]
