"""Checks of where archives go, before anything is read."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings

from lifecycle import Archive
from purge.checks import check_destination, check_formats, check_public
from purge.iceberg_check import check_tables
from tests.zoo.models import Token

NOWHERE: dict[str, Any] = {
    "LIFECYCLE_ARCHIVE_DIR": "",
    "AWS_STORAGE_BUCKET_NAME": "",
    "AWS_S3_ENDPOINT_URL": "",
    "CLOUDFLARE_ACCOUNT_ID": "",
    "AWS_ACCESS_KEY_ID": "",
    "AWS_SECRET_ACCESS_KEY": "",
}
BUCKET = {"AWS_STORAGE_BUCKET_NAME": "b"}


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = SimpleNamespace(name="logs", model=Token, disposition=Archive("old/"))
    monkeypatch.setattr("lifecycle.policy.registry.all_policies", lambda: [policy])


WRONG = [
    ({}, "nowhere to put archives"),
    ({"CLOUDFLARE_ACCOUNT_ID": "a"}, "names no bucket"),
    (BUCKET | {"AWS_ACCESS_KEY_ID": "k"}, "belong together"),
    (BUCKET | {"AWS_S3_ENDPOINT_URL": "r2.example"}, "must begin with https"),
]
RIGHT = [{"LIFECYCLE_ARCHIVE_DIR": "/srv"}, BUCKET, BUCKET | {"CLOUDFLARE_ACCOUNT_ID": "a"}]


@pytest.mark.parametrize(("told", "why"), WRONG)
def test_settings_that_cannot_be(told: dict[str, Any], why: str) -> None:
    with override_settings(**(NOWHERE | told)):
        (found,) = check_destination()
    assert found.id == "purge.E004"
    assert why in found.msg


@pytest.mark.parametrize("told", RIGHT)
def test_settings_that_can_be(told: dict[str, Any]) -> None:
    with override_settings(**(NOWHERE | told)):
        assert check_destination() == []


def test_without_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purge.checks.find_spec", lambda name: None)
    with override_settings(**(NOWHERE | BUCKET)):
        assert "pip install" in check_destination()[0].msg


@pytest.mark.parametrize(
    ("public", "found"),
    [
        ({"default_acl": "public-read"}, 1),
        ({"querystring_auth": False}, 1),
        ({"querystring_auth": False, "location": "old"}, 1),
        ({"querystring_auth": False, "location": "media"}, 0),
        ({"querystring_auth": False, "bucket_name": "other"}, 0),
        ({}, 0),
    ],
)
def test_archives_that_anybody_may_read(
    monkeypatch: pytest.MonkeyPatch, public: dict[str, Any], found: int
) -> None:
    from storages.backends.s3 import S3Storage

    storage = S3Storage(**({"bucket_name": "b"} | public))
    monkeypatch.setattr("purge.media.store_backoff.storages", lambda: [storage])
    with override_settings(**(NOWHERE | BUCKET)):
        assert [each.id for each in check_public()] == ["purge.W004"] * found


@pytest.mark.parametrize(("every", "found"), [(None, ["purge.W010"]), ("1 month", [])])
def test_a_table_of_small_files(
    monkeypatch: pytest.MonkeyPatch, every: str | None, found: list[str]
) -> None:
    archive = Archive("old/", table="iceberg", every=every)
    policy = SimpleNamespace(name="logs", model=Token, disposition=archive)
    monkeypatch.setattr("lifecycle.policy.registry.all_policies", lambda: [policy])
    assert [each.id for each in check_tables()] == found


def test_a_table_wants_what_it_is_written_with(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = SimpleNamespace(name="logs", model=Token, disposition=Archive("old/", table="iceberg"))
    monkeypatch.setattr("lifecycle.policy.registry.all_policies", lambda: [policy])
    assert check_formats() == []
    monkeypatch.setattr("purge.archive.formats.iceberg.find_spec", lambda name: None)
    (missing,) = check_formats()
    assert missing.id == "purge.E003"
    assert "django-tombstone[iceberg]" in str(missing.hint)
