"""What tests of archives as tables share."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from purge.models import IcebergTable
from purge.runner import run_due
from tests import clock
from tests.purge.archive.engine import archiving
from tests.zoo.models import Token


def as_table(**told: Any) -> AbstractContextManager[Any]:
    """Have the tokens archived into a table."""
    return archiving("tokens", **({"formats": None, "table": "iceberg"} | told))


def labels(count: int) -> list[str]:
    return sorted(f"token {n}" for n in range(count))


def at(folder: Path) -> Path:
    """Where the table of the tokens is."""
    return folder / "old" / "tokens"


def own() -> IcebergTable:
    return IcebergTable.objects.get()


def fails(rows: int) -> str:
    """A run that does not archive: every row is still there. Returns why."""
    from lifecycle.exceptions import LifecycleError

    with pytest.raises(LifecycleError) as failed:
        run_due()
    assert Token.objects.count() == rows
    return str(failed.value)


def goes_on() -> None:
    """The next run, when it is time, ends everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "PREFIXES", ("lifecycle_", "purge_"))  # the rows stay as they are
        clock.pass_time(hours=2)
    run_due()
    assert Token.objects.count() == 0


def verified(capsys: pytest.CaptureFixture[str]) -> str:
    """What `archive verify --all` says; '' where nothing is wrong."""
    capsys.readouterr()
    try:
        call_command("archive", "verify", "--all", "--prefix", "old/")
    except CommandError:
        return capsys.readouterr().out
    return ""


def run(text: str, *params: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchone() if cursor.description else None
