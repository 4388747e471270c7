"""A backup that has events on the pending list, which were published after it was made."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle.db.connection import scalar
from lifecycle.ledger.pending import move_pending
from lifecycle.models import AgendaEntry, Event
from purge.proof.detect import decide
from purge.proof.work import publish_now
from purge.recovery.rejoin import rejoin
from purge.recovery.survey import survey
from purge.recovery.take import take
from tests.purge.proof.support import USING, options
from tests.purge.recovery.restores import Backups
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_pending_in_the_backup_and_published_is_not_put_back_beside_it(
    site: Backups,
) -> None:
    later = timezone.now() + timedelta(days=30)
    publish_now(USING)
    row = Token.objects.create(expires_at=later)
    number = Event.objects.get(kind="expiry_scheduled").pk
    restore = site.template()
    Token.objects.create(expires_at=later)
    publish_now(USING)
    move_pending(USING)
    restore()
    assert scalar(USING, "SELECT array_agg(id) FROM lifecycle_pending") == [number]
    found = survey(USING, options())
    rejoin(USING, options(), found, decide(USING, options()), "Ada")
    take(USING, options(), found, lambda events: None)
    assert Event.objects.filter(pk=number).count() == 1
    row.delete()
    move_pending(USING)
    assert (
        Event.objects.filter(pk=number).count()
        == AgendaEntry.objects.filter(pk=number).count()
        == 1
    )
