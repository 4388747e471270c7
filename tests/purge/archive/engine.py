"""What tests of the archive engine share: a policy that archives, and what became of its rows."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lifecycle import Archive
from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.policy.registry import get_policy
from lifecycle.promises import check as promises
from tests.zoo.models import Token

PAST = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def archiving(policy: str, checked: bool = True, **options: Any) -> Iterator[Any]:
    """Have a policy archive; its fingerprint stays, as if it had been declared so."""
    known = get_policy(policy)
    fingerprint(known)
    with pytest.MonkeyPatch.context() as patch:
        told = {"prefix": "old/", "formats": ("jsonl", "txt")} | options
        patch.setattr(known, "disposition", Archive(**told))
        yield known
        if checked:
            kept_promise()


def tokens(count: int, ended: datetime = PAST, **values: Any) -> list[Token]:
    """Rows that ended, each a second after the one before."""
    return Token.objects.bulk_create(
        Token(label=f"token {n}", expires_at=ended + timedelta(seconds=n), **values)
        for n in range(count)
    )


def manifests(folder: Path) -> list[dict[str, Any]]:
    """The manifests that are there, by name."""
    return [json.loads(path.read_text()) for path in sorted(folder.rglob("*.manifest.json"))]


def kept_promise() -> None:
    """Promise 5, while the policies archive."""
    found = promises.check(only=["promise_05_archived_before_it_went"])
    assert not any(found.values()), found


def expected(folder: Path) -> list[str]:
    """Each row that the archives hold, by its label."""
    found = []
    for path in folder.rglob("*.jsonl.gz"):
        lines = gzip.decompress(path.read_bytes()).splitlines()
        found += [json.loads(line)["label"] for line in lines]
    return sorted(found)
