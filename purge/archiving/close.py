"""When archives are done with: none of their rows is left, or they are not where they were put."""

from datetime import timedelta

from django.db import transaction

from lifecycle.compiler.keys import label_of
from lifecycle.policy.policy import Policy
from purge.archive import storage as storing
from purge.archive.destinations import Destination
from purge.archive.table import Table, still_there, trim
from purge.archiving.write import now
from purge.models import Archive

State = Archive.State
LONG = timedelta(hours=1)  # after which an archive is looked for before rows go on its word


def settle(policy: Policy, using: str) -> None:
    """Everything due was looked at: archives of which no row is left are done."""
    table = Table(policy, using)
    for archive in archives_of(policy, using, State.VERIFIED, State.LEFT):
        with transaction.atomic(using=using):
            archive.state = State.LEFT if still_there(table, archive.pk) else State.DONE
            archive.save(using=using, update_fields=["state"])
            if archive.state == State.DONE:
                archive.parts.all()._raw_delete(using)
            else:
                trim(table, archive.pk)


def forget(table: Table, where: Destination) -> None:
    """An archive that was verified a while ago, and is not there now, answers for no row."""
    for archive in archives_of(table.policy, table.using, State.VERIFIED, State.LEFT):
        is_old = archive.verified_at is None or archive.verified_at < now(table.using) - LONG
        if is_old and not storing.is_there(where, archive):
            table.check()
            with transaction.atomic(using=table.using):
                archive.state = State.DONE
                archive.save(using=table.using, update_fields=["state"])
                archive.parts.all()._raw_delete(table.using)


def archives_of(policy: Policy, using: str, *states: str) -> list[Archive]:
    """The archives of a policy that are in one of some states, the oldest first."""
    found = Archive.objects.using(using).filter(policy=policy.name, model=label_of(policy))
    return list(found.filter(state__in=states).order_by("pk"))
