"""Archives in a bucket: of a real server, and of one that fails as it is told."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from purge.archive.manifest import Manifest
from tests.purge.archive.making import PREFIX, made
from tests.s3.strict import CUT, FLIP, TRUNCATE, Strict
from tests.s3.swift import Bucket, Server
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db


@contextmanager
def stored(bucket: Bucket, folder: Path) -> Iterator[Manifest]:
    """An archive of three rows in a bucket, which the settings name."""
    Token.objects.bulk_create(Token(label=f"t{n}") for n in range(3))
    manifest = made(folder, Token)
    for path in (folder / PREFIX).iterdir():
        bucket.put(f"{PREFIX}{path.name}", path.read_bytes())
    with override_settings(**bucket.settings):
        yield manifest


def archive(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    call_command("archive", *words, "--prefix", PREFIX)
    return capsys.readouterr().out


@pytest.mark.slow
def test_list_verify_and_load(
    s3_server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = s3_server.bucket()
    with stored(bucket, tmp_path) as manifest:
        assert f'Archives in bucket "{bucket.name}"' in archive(capsys, "ls")
        assert archive(capsys, "verify", "--all").startswith("ok ")
        Token.objects.all().delete()
        assert "3 of 3 rows loaded" in archive(capsys, "load", manifest.name)
        assert Token.objects.count() == 3
        with pytest.raises(CommandError, match="There is no archive 'other'"):
            archive(capsys, "load", "other")
    missing = override_settings(**s3_server.settings("no-such-bucket"))
    with missing, pytest.raises(CommandError, match="answers NoSuchBucket"):
        archive(capsys, "ls")


@pytest.mark.parametrize(
    ("operation", "how", "told"),
    [
        ("GET", FLIP, "has another SHA-256 than its manifest says"),
        ("GET", TRUNCATE, "cannot be read"),
        ("GET", 403, "cannot be read: bucket .* answers AccessDenied"),
    ],
)
def test_a_store_that_fails(
    strict_s3: Strict, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    operation: str, how: object, told: str,
) -> None:  # fmt: skip
    with stored(strict_s3.bucket(), tmp_path) as manifest:
        # The manifest is read first.
        reads = strict_s3.count("GET")
        archive(capsys, "verify", manifest.name)
        assert strict_s3.count("GET") - reads == 1 + len(manifest.files)
        strict_s3.faults["GET"].extend([None, how])
        with pytest.raises(CommandError, match=r"1 problem in bucket"):
            archive(capsys, "verify", manifest.name)
        assert re.search(told, capsys.readouterr().out)
        Token.objects.all().delete()
        strict_s3.faults["GET"].extend([None, how])
        with pytest.raises(CommandError, match=r"nothing was loaded|answers"):
            archive(capsys, "load", manifest.name)
        assert not Token.objects.exists()


def test_a_store_that_is_out_of_reach(strict_s3: Strict, tmp_path: Path) -> None:
    with stored(strict_s3.bucket(), tmp_path):
        strict_s3.fail("LIST", CUT, times=9)
        with pytest.raises(CommandError, match="answers"):
            call_command("archive", "ls", "--prefix", PREFIX)
