"""A real S3 server for tests: OpenStack Swift from its wheel, with its S3 API.

It checks signatures, MD5 and SHA-256 of what is put, versions buckets, and refuses 1,001 keys in a
request. It does not know SHA-256 on HEAD, If-Match, tags, or object lock. Started once for each
process that asks for it, on a free port, as root or not; ended with the process in any case.
"""

import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from lifecycle.embedded.keeper import die_with_parent

SERVER = Path(__file__).with_name("swift_server.py")
REGION = "us-east-1"


@dataclass
class Server:
    """Where an S3 server is, and who may do what there."""

    endpoint: str
    key: str
    secret: str

    def client(self, **options: Any) -> Any:
        """A client of botocore that tries once, so that a test sees each answer."""
        config = {"retries": {"total_max_attempts": 1}, "s3": {"addressing_style": "path"}}
        config |= {"request_checksum_calculation": "when_required"}
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name=REGION,
            config=Config(**(config | options)),
        )

    def bucket(self, versioned: bool = False) -> "Bucket":
        """A fresh bucket."""
        bucket = Bucket(self, f"b-{uuid.uuid4().hex[:12]}")
        bucket.client.create_bucket(Bucket=bucket.name)
        if versioned:
            bucket.client.put_bucket_versioning(
                Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
            )
        return bucket

    def settings(self, bucket: str) -> dict[str, str]:
        """The Django settings that name this server, for `override_settings`."""
        return {
            "AWS_STORAGE_BUCKET_NAME": bucket,
            "AWS_S3_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_S3_REGION_NAME": REGION,
        }


class Bucket:
    """A bucket of a server, as tests write and read it."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name, self.client = server, name, server.client()

    def put(self, key: str, body: bytes = b"x") -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def keys(self, prefix: str = "") -> list[str]:
        """The keys that are there, in order."""
        pages = self.client.get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.name, Prefix=prefix)
        return sorted(item["Key"] for page in found for item in page.get("Contents", ()))

    def versions(self, prefix: str = "") -> list[tuple[str, str]]:
        """Key and version of everything that is stored, delete markers too."""
        pages = self.client.get_paginator("list_object_versions")
        found = []
        for page in pages.paginate(Bucket=self.name, Prefix=prefix):
            for item in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
                found.append((item["Key"], item["VersionId"]))
        return sorted(found)

    @property
    def settings(self) -> dict[str, str]:
        return self.server.settings(self.name)


@contextmanager
def running(key: str = "tomb:app", secret: str = "tombsecret") -> Iterator[Server]:
    """A server that is there while the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="s3", dir="/tmp"))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", str(SERVER), str(folder), key, secret],
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            preexec_fn=die_with_parent(),
        )
    try:
        assert process.stdout
        port = process.stdout.readline().strip()
        assert port, (folder / "log").read_text()
        yield Server(f"http://127.0.0.1:{int(port)}", key, secret)
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree(folder, ignore_errors=True)
