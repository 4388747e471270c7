"""Files of lines, compressed: by gzip, or by Zstandard (the extra `zstd`).

The same lines give the same bytes. Whoever reads needs no more memory than eight megabytes,
whatever the file says; one that ends too early is an error.
"""

import gzip
import zlib
from importlib import import_module
from importlib.util import find_spec
from typing import Any, BinaryIO, cast

GZIP, FAST_GZIP, ZSTD = 6, 2, 3  # how hard each tries
WINDOW = 23  # the logarithm of the bytes that a reader of Zstandard keeps


def gzip_to(file: BinaryIO) -> BinaryIO:
    """A file to write to that compresses into another: by isal (the extra `fast`) where it is
    installed, at a tenth of the processor's time and a fiftieth more bytes."""
    try:
        from isal.igzip import GzipFile
    except ImportError:
        return cast(BinaryIO, gzip.GzipFile("", "wb", GZIP, file, mtime=0))
    return cast(BinaryIO, GzipFile("", "wb", FAST_GZIP, file, mtime=0))


def gzip_of(file: BinaryIO) -> BinaryIO:
    """What a file of gzip holds."""
    return cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb"))


def zstd_to(file: BinaryIO) -> BinaryIO:
    """A file to write to that compresses into another, with a checksum of what it holds."""
    zstd = _zstd()
    known = zstd.CompressionParameter
    options = {known.compression_level: ZSTD, known.checksum_flag: 1}
    packed = zstd.ZstdFile(file, "wb", options=options)
    packed.write(b"")  # so that a file of no lines is whole as well
    return cast(BinaryIO, packed)


def zstd_of(file: BinaryIO) -> BinaryIO:
    """What a file of Zstandard holds."""
    zstd = _zstd()
    options = {zstd.DecompressionParameter.window_log_max: WINDOW}
    return cast(BinaryIO, zstd.ZstdFile(file, "rb", options=options))


def errors() -> tuple[type[Exception], ...]:
    """What reading a file raises that is not what it says."""
    return (EOFError, OSError, zlib.error, *((_zstd().ZstdError,) if has_zstd() else ()))


def has_zstd() -> bool:
    """Whether files of Zstandard can be read and written."""
    return any(map(_is_there, MODULES))


#: Python's own, from 3.14 on; the same for those before
MODULES = ("compression.zstd", "backports.zstd")


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # nor is what it is in
        return False


def _zstd() -> Any:
    return import_module(next(filter(_is_there, MODULES)))
