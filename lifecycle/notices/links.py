"""Links in mails that warn of an end: signed, of one row and one end, good until then.

What a link says can be read by whoever has it: a policy, a key, times. Nobody can make one for
another row, for it is signed with the site's SECRET_KEY, and under a salt of its own.
"""

from dataclasses import dataclass
from datetime import datetime

from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from lifecycle.conf import conf

SALT = "lifecycle.notice"
VIEW = "lifecycle_notices:keep"


@dataclass(frozen=True)
class Link:
    """What a link is about: a row under a policy, the end that was told of, until when it is good,
    and in which language and time zone its page is ('': those of the site)."""

    policy: str
    key: str
    using: str
    ends: datetime
    until: datetime
    language: str = ""
    time_zone: str = ""


def address(link: Link) -> str:
    """The whole address; raises `ImproperlyConfigured` where no setting says of which site, and
    `NoReverseMatch` where its addresses have none for it."""
    if not conf.NOTICE_URL:
        raise ImproperlyConfigured("LIFECYCLE_NOTICE_URL is not set.")
    times = [link.ends.isoformat(), link.until.isoformat()]
    said = [link.policy, link.key, link.using, *times, link.language, link.time_zone]
    token = signing.dumps(said, salt=SALT, compress=True)
    return conf.NOTICE_URL.rstrip("/") + reverse(VIEW, args=[token])


def read(token: str) -> Link | None:
    """What a link says; None where this site has not signed it."""
    try:
        policy, key, using, ends, until, *seen = signing.loads(token, salt=SALT)
        moments = datetime.fromisoformat(ends), datetime.fromisoformat(until)
        return Link(policy, key, using, *moments, *seen)
    except (signing.BadSignature, ValueError, TypeError):
        return None
