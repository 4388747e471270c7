"""Where the object store is, by the settings and the environment."""

import pytest
from django.test import override_settings

from purge import s3
from tests.s3.strict import Strict
from tests.s3.swift import Server


def test_no_bucket_no_store():
    assert s3.store() is None


@override_settings(AWS_STORAGE_BUCKET_NAME="media", CLOUDFLARE_ACCOUNT_ID="abc")
def test_r2_by_the_account(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-environment")
    found = s3.store()
    assert (found.endpoint, found.region) == ("https://abc.r2.cloudflarestorage.com", "auto")
    assert found.key == "from-environment"
    assert "from-environment" not in repr(found)


def test_a_real_store(s3_server: Server):
    bucket = s3_server.bucket()
    with override_settings(**bucket.settings):
        found = s3.store()
    found.client().put_object(Bucket=found.bucket, Key="a", Body=b"x")
    assert bucket.get("a") == b"x"
    with pytest.raises(s3.errors()) as missing:
        found.client().head_object(Bucket=found.bucket, Key="b")
    assert s3.is_missing(missing.value)
    assert not s3.passes(missing.value)
    wrong = s3.Store(bucket.name, s3_server.endpoint, "us-east-1", s3_server.key, "wrong")
    with pytest.raises(s3.errors()) as refused:
        wrong.client().head_object(Bucket=bucket.name, Key="a")
    assert s3.code_of(refused.value) in s3.REFUSED


@pytest.mark.slow
def test_a_store_that_is_busy(strict_s3: Strict):
    bucket = strict_s3.bucket()
    with override_settings(**bucket.settings):
        client = s3.store().client()
    strict_s3.fail("PUT", 503, times=s3.ATTEMPTS)
    with pytest.raises(s3.errors()) as busy:
        client.put_object(Bucket=bucket.name, Key="a", Body=b"x")
    assert s3.passes(busy.value)
    assert strict_s3.count("PUT") == s3.ATTEMPTS
