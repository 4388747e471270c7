"""An end that is truncated in a time zone: the moment in that zone, not the same digits in UTC."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import DateTimeField, F
from django.db.models.functions import Coalesce, Greatest, Trunc, TruncDay, TruncMonth

from lifecycle import Policy
from lifecycle.compiler.policy_sql import compiled
from tests.zoo.models import Token

YORK = ZoneInfo("America/New_York")
EAST = timezone(timedelta(hours=5, minutes=30))
DAY = TruncDay("expires_at", tzinfo=YORK)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("expires", "due"),
    [
        (DAY, datetime(2026, 7, 5, 4, tzinfo=UTC)),
        (DAY + timedelta(days=180), datetime(2026, 7, 5, 4, tzinfo=UTC) + timedelta(days=180)),
        (Coalesce(DAY, F("expires_at")), datetime(2026, 7, 5, 4, tzinfo=UTC)),
        (Greatest(DAY, TruncMonth("expires_at", tzinfo=UTC)), datetime(2026, 7, 5, 4, tzinfo=UTC)),
        (TruncDay("expires_at", tzinfo=EAST), datetime(2026, 7, 4, 18, 30, tzinfo=UTC)),
        (
            Trunc("expires_at", "year", output_field=DateTimeField(), tzinfo=YORK),
            datetime(2026, 1, 1, 5, tzinfo=UTC),
        ),
    ],
)
def test_truncated(expires: Any, due: datetime) -> None:
    Token.objects.create(expires_at=datetime(2026, 7, 5, 12, tzinfo=UTC))
    code = compiled(Policy("planted", Token, expires=expires))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT due::timestamptz FROM ({code.due_sql}) AS compiled")
        assert cursor.fetchone() == (due,)
