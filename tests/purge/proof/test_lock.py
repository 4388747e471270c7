"""Object Lock: what is published cannot be deleted; refused where the bucket has none.

Moto stands in for Amazon's S3 inside of the process: the servers of the other tests have no locks.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lifecycle.exceptions import LifecycleError
from lifecycle.sealing import log as logs
from lifecycle.sealing.seal import seal_all
from purge import s3
from purge.archive.destinations import Unlocked
from purge.checks import check_lock
from purge.proof.options import proof_options
from purge.proof.ship import ship_all
from purge.proof.store import ProofStore
from tests.lifecycle.sealing.support import write
from tests.purge.proof.support import ORIGIN, USING, in_folder, options, publish, read_head

pytestmark = pytest.mark.django_db(transaction=True)
LASTS = timedelta(days=400)


@pytest.fixture
def client(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    settings.AWS_STORAGE_BUCKET_NAME, settings.AWS_S3_REGION_NAME = "ledger", "us-east-1"
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = "testing"
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    s3._client.cache_clear()
    with mock_aws(), in_folder(tmp_path, lock=LASTS):
        yield boto3.client("s3", region_name="us-east-1")
    s3._client.cache_clear()


@pytest.fixture
def locking(client: Any) -> Any:
    client.create_bucket(Bucket="ledger", ObjectLockEnabledForBucket=True)
    return client


def objects(client: Any) -> list[dict[str, Any]]:
    return list(client.list_object_versions(Bucket="ledger").get("Versions", []))


def are_locked(client: Any) -> list[dict[str, Any]]:
    """The objects that never change; each is locked for as long as the site wants."""
    found = [each for each in objects(client) if "checkpoint" not in each["Key"]]
    for each in found:
        head = client.head_object(Bucket="ledger", Key=each["Key"])
        assert head["ObjectLockMode"] == "COMPLIANCE"
        assert head["ObjectLockRetainUntilDate"] > datetime.now(UTC) + LASTS - timedelta(minutes=5)
    return found


@pytest.mark.slow
def test_what_never_changes_is_locked(locking: Any) -> None:
    for count in (300, 3):
        write(count)
        publish()
    assert read_head().size > 300
    locked = are_locked(locking)
    assert len(locked) > 5
    where = {"Bucket": "ledger", "Key": locked[0]["Key"], "VersionId": locked[0]["VersionId"]}
    with pytest.raises(ClientError, match="AccessDenied"):
        locking.delete_object(**where, BypassGovernanceRetention=True)
    assert check_lock() == []


@pytest.mark.parametrize("part", ["tile/0", "events/"])
def test_killed_before_it_was_locked(
    part: str, locking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ProofStore.retain

    def killed(store: ProofStore, path: str) -> None:
        if path.startswith(part):
            raise KeyboardInterrupt
        real(store, path)

    write(3)
    seal_all(USING)
    with monkeypatch.context() as patch:
        patch.setattr(ProofStore, "retain", killed)
        with pytest.raises(KeyboardInterrupt):
            ship_all(USING, options())
    assert ship_all(USING, options()) > 0
    assert any(part in each["Key"] for each in are_locked(locking))


def test_a_bucket_without_it_is_refused(client: Any) -> None:
    client.create_bucket(Bucket="ledger")
    write(3)
    seal_all(USING)
    with pytest.raises(Unlocked):
        ship_all(USING, options())
    assert not any(each["Key"].endswith("checkpoint") for each in objects(client))
    (message,) = check_lock()
    assert message.id == "purge.E007"
    assert "has no Object Lock" in str(message.msg)


def test_a_lock_that_is_not_kept_is_refused(locking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store takes the request, and does nothing: what is read back counts."""
    real = s3.Store.client

    def client(store: s3.Store) -> Any:
        found = real(store)
        monkeypatch.setattr(found, "put_object_retention", lambda **options: {}, raising=False)
        return found

    monkeypatch.setattr(s3.Store, "client", client)
    write(3)
    seal_all(USING)
    with pytest.raises(Unlocked, match="is not locked"):
        ship_all(USING, options())


def test_a_folder_has_none(tmp_path: Path) -> None:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    with in_folder(tmp_path, lock=LASTS):
        write(3)
        seal_all(USING)
        with pytest.raises(Unlocked, match="no Object Lock"):
            ship_all(USING, options())
        assert [each.id for each in check_lock()] == ["purge.E007"]
    with in_folder(tmp_path, lock=7), pytest.raises(LifecycleError, match="timedelta"):
        proof_options()
