"""The S3 servers of the tests: what others rely on them to refuse."""

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.s3.strict import CUT, CUT_AFTER, FLIP, LOSE, TRUNCATE, Strict
from tests.s3.swift import Bucket, Server


@pytest.fixture(scope="module")
def bucket(s3_server: Server) -> Bucket:
    return s3_server.bucket()


def delete(bucket: Bucket, *keys: str) -> dict:
    objects = [{"Key": key} for key in keys]
    return bucket.client.delete_objects(Bucket=bucket.name, Delete={"Objects": objects})


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def test_the_real_server_stores_lists_and_deletes(bucket: Bucket):
    bucket.put("a/1", b"one")
    assert (bucket.get("a/1"), bucket.keys("a/")) == (b"one", ["a/1"])
    gone = {item["Key"] for item in delete(bucket, "a/1", "a/none")["Deleted"]}
    assert gone == {"a/1", "a/none"}  # a missing key too
    assert bucket.keys() == []


def test_the_real_server_versions(s3_server: Server):
    bucket = s3_server.bucket(versioned=True)
    bucket.put("a")
    delete(bucket, "a")
    assert bucket.keys() == []
    assert [key for key, _ in bucket.versions()] == ["a", "a"]


@pytest.mark.parametrize("server", ["s3_server", "strict_s3"])
def test_refused_by_both(server: str, request: pytest.FixtureRequest):
    bucket = request.getfixturevalue(server).bucket()
    with pytest.raises(ClientError) as error:
        delete(bucket, *map(str, range(1001)))
    assert code(error) == "MalformedXML"
    wrong = {"ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}
    with pytest.raises(ClientError) as error:
        bucket.client.put_object(Bucket=bucket.name, Key="a", Body=b"x", **wrong)
    assert code(error) == "BadDigest"
    bucket.put("a")
    with pytest.raises(ClientError) as error:
        bucket.client.put_object(Bucket=bucket.name, Key="a", Body=b"y", IfNoneMatch="*")
    assert code(error) == "PreconditionFailed"
    assert bucket.get("a") == b"x"


@pytest.mark.slow
def test_the_stub_does_what_a_real_server_does(strict_s3: Strict):
    bucket = strict_s3.bucket()
    for number in range(1002):
        bucket.put(f"a/{number:04}")
    bucket.put("b&c", b"two")
    assert len(bucket.keys("a/")) == 1002
    assert bucket.get("b&c") == b"two"
    part = bucket.client.get_object(Bucket=bucket.name, Key="b&c", Range="bytes=1-")
    assert part["Body"].read() == b"wo"
    delete(bucket, "b&c", "none")
    assert bucket.keys("b") == []
    assert strict_s3.count("PUT") == 1003


def test_multipart_uploads(strict_s3: Strict):
    bucket = strict_s3.bucket()
    where = {"Bucket": bucket.name, "Key": "big"}
    upload = bucket.client.create_multipart_upload(**where, Metadata={"sha256": "s"})["UploadId"]
    etags = [
        bucket.client.upload_part(**where, UploadId=upload, PartNumber=n, Body=body)["ETag"]
        for n, body in ((1, b"one"), (2, b"two"))
    ]
    parts = {"Parts": [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]}
    bucket.client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
    assert bucket.get("big") == b"onetwo"
    assert bucket.client.head_object(**where)["Metadata"] == {"sha256": "s"}


def test_faults(strict_s3: Strict):
    bucket = strict_s3.bucket()
    bucket.put("a", b"abcdef")
    strict_s3.fail("GET", FLIP)
    assert bucket.get("a") == b"`bcdef"
    strict_s3.fail("GET", TRUNCATE)
    with pytest.raises((BotoCoreError, ClientError)):
        bucket.get("a")
    strict_s3.fail("PUT", LOSE)
    bucket.put("lost")
    assert bucket.keys() == ["a"]
    for how in (503, CUT):
        strict_s3.fail("DELETE_OBJECTS", how)
        with pytest.raises((BotoCoreError, ClientError)):
            delete(bucket, "a")
        assert bucket.keys() == ["a"]
    strict_s3.key_errors["a"] = "AccessDenied"
    assert delete(bucket, "a")["Errors"][0]["Code"] == "AccessDenied"
    strict_s3.key_errors.clear()
    strict_s3.fail("DELETE_OBJECTS", CUT_AFTER)
    with pytest.raises(BotoCoreError):
        delete(bucket, "a")
    assert bucket.keys() == []
