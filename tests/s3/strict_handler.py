"""How the strict stub answers; see `strict`."""

import base64
import binascii
import hashlib
import re
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.s3.strict import CUT, CUT_AFTER, FLIP, KEY, LOSE, TRUNCATE, Stored, Strict

MOST = 1000


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code


class Handler(BaseHTTPRequestHandler):
    """Reads a request, finds its operation, applies its fault."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go separately: 40 ms each otherwise
    strict: Strict

    def log_message(self, *arguments: Any) -> None:
        """Nothing on the terminal of the tests."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def answer(self) -> None:
        parts = urlsplit(self.path)
        self.bucket, _, self.key = unquote(parts.path).lstrip("/").partition("/")
        self.query = {key: values[0] for key, values in parse_qs(parts.query, True).items()}
        self.operation = self._operation()
        fault = self._fault()
        try:
            self._apply(fault)
        except Refused as error:
            self._error(error.status, error.code)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

    def _operation(self) -> str:
        if not self.key:
            if self.command == "POST" and "delete" in self.query:
                return "DELETE_OBJECTS"
            if self.command == "GET" and "versioning" in self.query:
                return "VERSIONING"
            return {"GET": "LIST", "PUT": "CREATE_BUCKET"}.get(self.command, self.command)
        if "uploads" in self.query:
            return "CREATE_MULTIPART"
        if "uploadId" in self.query:
            names = {"PUT": "PUT_PART", "POST": "COMPLETE_MULTIPART", "DELETE": "ABORT_MULTIPART"}
            return names[self.command]
        return self.command

    def _fault(self) -> Any:
        with self.strict.lock:
            waiting = self.strict.faults[self.operation]
            return waiting.popleft() if waiting else None

    def _apply(self, fault: Any) -> None:
        time.sleep(self.strict.slow.get(self.operation, 0))
        if fault == CUT:
            self.rfile.read(min(10, int(self.headers.get("Content-Length") or 0)))
            self.strict.calls.append((self.operation, self.key))
            return self._hang_up()
        body = self._body()
        if isinstance(fault, int):
            self.strict.calls.append((self.operation, self.key))
            codes = {403: "AccessDenied", 500: "InternalError", 503: "SlowDown"}
            raise Refused(fault, codes.get(fault, "Failed"))
        if always := self.strict.always.get(self.operation):
            self.strict.calls.append((self.operation, self.key))
            raise Refused(*always)
        if f"Credential={KEY}/" not in self.headers.get("Authorization", ""):
            raise Refused(403, "InvalidAccessKeyId")
        with self.strict.lock:
            status, headers, said = getattr(self, f"_{self.operation.lower()}")(body)
            if fault == LOSE:
                self.strict.buckets[self.bucket].pop(self.key, None)
        if fault == CUT_AFTER:
            return self._hang_up()
        if fault == FLIP:
            said = bytes([said[0] ^ 1]) + said[1:]
        self._send(status, headers, said, short=fault == TRUNCATE)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(2)

    # ------------------------------------------------------------------------ the operations
    def _create_bucket(self, body: bytes) -> Any:
        self.strict.buckets[self.bucket]
        return 200, {}, b""

    def _versioning(self, body: bytes) -> Any:
        return 200, {}, b"<VersioningConfiguration/>"

    def _put(self, body: bytes) -> Any:
        objects = self.strict.buckets[self.bucket]
        self.strict.calls.append(("PUT", self.key))
        if self.headers.get("If-None-Match") == "*" and self.key in objects:
            raise Refused(412, "PreconditionFailed")
        stored = self._store(self.key, body, self._metadata())
        return 200, {"ETag": stored.etag}, b""

    def _store(self, key: str, body: bytes, metadata: dict[str, str]) -> Stored:
        stored = Stored(body, datetime.now(UTC), metadata)
        stored.content_type = self.headers.get("Content-Type", stored.content_type)
        self.strict.buckets[self.bucket][key] = stored
        return stored

    def _metadata(self) -> dict[str, str]:
        found = {name.lower(): value for name, value in self.headers.items()}
        return {name: value for name, value in found.items() if name.startswith("x-amz-meta-")}

    def _get(self, body: bytes) -> Any:
        self.strict.calls.append((self.command, self.key))
        stored = self.strict.buckets[self.bucket].get(self.key)
        if stored is None:
            raise Refused(404, "NoSuchKey")
        headers = {"ETag": stored.etag, "Last-Modified": _http(stored.at)}
        headers |= stored.metadata | {"Content-Type": stored.content_type}
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(asked[1]), int(asked[2] or len(stored.body) - 1)
            whole, part = len(stored.body), stored.body[first : last + 1]
            headers["Content-Range"] = f"bytes {first}-{first + len(part) - 1}/{whole}"
            return 206, headers, part
        return 200, headers, stored.body

    _head = _get

    def _delete(self, body: bytes) -> Any:
        self.strict.calls.append(("DELETE", self.key))
        if code := self.strict.key_errors.get(self.key):
            raise Refused(403, code)
        self.strict.buckets[self.bucket].pop(self.key, None)
        return 204, {}, b""

    def _delete_objects(self, body: bytes) -> Any:
        wanted = ElementTree.fromstring(body)
        items = wanted.findall("{*}Object")
        keys = [item.findtext("{*}Key") or "" for item in items]
        self.strict.calls.append(("DELETE_OBJECTS", len(keys)))
        if self.strict.needs_md5 and "content-md5" not in {name.lower() for name in self.headers}:
            raise Refused(400, self.strict.needs_md5)
        if not any(name.lower() in CHECKSUMS for name in self.headers):
            raise Refused(400, "InvalidRequest")
        if not 0 < len(keys) <= MOST:
            raise Refused(400, "MalformedXML")
        quiet = wanted.findtext("{*}Quiet") == "true"
        said = [
            _failed(key, "PreconditionFailed")
            if self._is_other(key, item.findtext("{*}ETag"))
            else self._delete_one(key, quiet)
            for key, item in zip(keys, items, strict=True)
        ]
        return 200, {}, f"<DeleteResult>{''.join(said)}</DeleteResult>".encode()

    def _delete_one(self, key: str, quiet: bool) -> str:
        if code := self.strict.key_errors.get(key):
            return _failed(key, code)
        self.strict.buckets[self.bucket].pop(key, None)
        return "" if quiet else f"<Deleted><Key>{escape(key)}</Key></Deleted>"

    def _is_other(self, key: str, etag: str | None) -> bool:
        stored = self.strict.buckets[self.bucket].get(key)
        return bool(etag and stored) and stored.etag.strip('"') != etag.strip('"')

    def _list(self, body: bytes) -> Any:
        prefix, most = self.query.get("prefix", ""), int(self.query.get("max-keys", MOST))
        after = self.query.get("continuation-token") or self.query.get("start-after", "")
        self.strict.calls.append(("LIST", prefix))
        objects = self.strict.buckets[self.bucket]
        keys = sorted(key for key in objects if key.startswith(prefix) and key > after)
        shown = keys[: min(most, MOST)]
        how = quote if self.query.get("encoding-type") == "url" else escape
        items = "".join(_listed(how(key), objects[key]) for key in shown)
        more = len(keys) > len(shown)
        told = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        if more:
            told += f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>"
        head = f"<Name>{self.bucket}</Name><KeyCount>{len(shown)}</KeyCount>{told}"
        return 200, {}, f"<ListBucketResult>{head}{items}</ListBucketResult>".encode()

    def _create_multipart(self, body: bytes) -> Any:
        number = f"upload-{len(self.strict.uploads)}"
        self.strict.uploads[number] = (self.bucket, self.key, {}, self._metadata())
        said = f"<UploadId>{number}</UploadId><Key>{escape(self.key)}</Key>"
        root = "InitiateMultipartUploadResult"
        return 200, {}, f"<{root}><Bucket>{self.bucket}</Bucket>{said}</{root}>".encode()

    def _upload(self) -> tuple[str, str, dict[int, bytes], dict[str, str]]:
        if self.query["uploadId"] not in self.strict.uploads:
            raise Refused(404, "NoSuchUpload")
        return self.strict.uploads[self.query["uploadId"]]

    def _put_part(self, body: bytes) -> Any:
        self.strict.calls.append(("PUT_PART", self.key))
        self._upload()[2][int(self.query["partNumber"])] = body
        return 200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}, b""

    def _complete_multipart(self, body: bytes) -> Any:
        _, key, parts, metadata = self._upload()
        self.strict.calls.append(("COMPLETE_MULTIPART", key))
        if self.headers.get("If-None-Match") == "*" and key in self.strict.buckets[self.bucket]:
            raise Refused(412, "PreconditionFailed")
        stored = self._store(key, b"".join(parts[each] for each in sorted(parts)), metadata)
        del self.strict.uploads[self.query["uploadId"]]
        said = f"<Key>{escape(key)}</Key><ETag>{escape(stored.etag)}</ETag>"
        root = "CompleteMultipartUploadResult"
        return 200, {}, f"<{root}>{said}</{root}>".encode()

    def _abort_multipart(self, body: bytes) -> Any:
        self.strict.calls.append(("ABORT_MULTIPART", self.key))
        self._upload()
        del self.strict.uploads[self.query["uploadId"]]
        return 204, {}, b""

    # --------------------------------------------------------------------------- the protocol
    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        trailers: dict[str, str] = {}
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            body, trailers = _chunks(body)
        said = {name.lower(): value for name, value in self.headers.items()} | trailers
        for name, checksum in CHECKSUMS.items():
            if name in said and said[name] != checksum(body):
                raise Refused(400, "BadDigest")
        if re.fullmatch("[0-9a-f]{64}", said.get("x-amz-content-sha256", "")) and (
            said["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest()
        ):
            raise Refused(400, "XAmzContentSHA256Mismatch")
        return body

    def _error(self, status: int, code: str) -> None:
        said = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
        self._send(status, {}, b"" if self.command == "HEAD" else said)

    def _send(self, status: int, headers: dict[str, str], body: bytes, short: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if short else body)
        if short:
            self.wfile.flush()
            self._hang_up()


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


CHECKSUMS = {
    "content-md5": lambda body: _text(hashlib.md5(body).digest()),
    "x-amz-checksum-sha256": lambda body: _text(hashlib.sha256(body).digest()),
    "x-amz-checksum-crc32": lambda body: _text(binascii.crc32(body).to_bytes(4, "big")),
}


def _chunks(body: bytes) -> tuple[bytes, dict[str, str]]:
    """What `aws-chunked` carries, and its trailing headers."""
    found, trailers = b"", {}
    while body:
        line, _, body = body.partition(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        if not size:
            for trailer in body.decode().split("\r\n"):
                name, colon, value = trailer.partition(":")
                if colon:
                    trailers[name.strip().lower()] = value.strip()
            break
        found, body = found + body[:size], body[size + 2 :]
    return found, trailers


def _failed(key: str, code: str) -> str:
    return f"<Error><Key>{escape(key)}</Key><Code>{code}</Code><Message/></Error>"


def _listed(key: str, stored: Stored) -> str:
    at = stored.at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    said = f"<Key>{key}</Key><LastModified>{at}</LastModified>"
    size = f"<Size>{len(stored.body)}</Size>"
    return f"<Contents>{said}<ETag>{escape(stored.etag)}</ETag>{size}</Contents>"


def _http(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
