"""What mails that warn of a row's end have to do with what happens to it next, in words."""

from datetime import datetime, timedelta
from typing import Any

from lifecycle.models import RowException
from lifecycle.phrases import at, phrase


def ahead(
    leads: list[float] | None, said: RowException | None, ends: datetime
) -> tuple[str, datetime]:
    """Of a row before its end: what its mails say, and when it ends by them."""
    if not leads:
        return "", ends
    if not _counts(said, ends):
        first = at(ends - timedelta(seconds=leads[0]))
        return phrase(", and is warned of it from %(time)s on", time=first), ends
    told: Any = said
    if told.until is None:
        return phrase(", and was warned of it; another mail is to come"), ends
    warned = phrase(", and was warned that it ends at %(time)s", time=at(told.until))
    return warned, max(ends, told.until)


def past(
    leads: list[float] | None, said: RowException | None, ends: datetime, now: datetime
) -> tuple[str, datetime | None]:
    """Of a row past its end: why it does not end yet, and until when that is so; '' where its
    mails keep it no more."""
    if not leads:
        return "", None
    told: Any = said
    if not _counts(said, ends) or told.until is None:
        return phrase("is past its end, and waits for its notices; looked at again then"), None
    if told.until > now:
        warned = phrase(
            "is past its end, and was warned that it ends at %(time)s", time=at(told.until)
        )
        return warned, told.until
    return "", None


def _counts(said: RowException | None, ends: datetime) -> bool:
    return said is not None and said.since >= ends
