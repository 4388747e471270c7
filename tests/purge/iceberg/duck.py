"""DuckDB, as somebody would read a table of archives with it."""

from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb

#: loaded from packages: nothing is fetched
EXTENSIONS = ("avro", "iceberg", "httpfs")


def connected(bucket: dict[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    """A connection that reads tables; with the settings of a bucket there as well."""
    connection = duckdb.connect()
    for name in EXTENSIONS if bucket else EXTENSIONS[:2]:
        own = Path(str(import_module(f"duckdb_extension_{name}").__file__)).parent
        file = own / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        connection.execute(f"LOAD '{file}'")
    if bucket:
        connection.execute(_secret(bucket))
    return connection


def _secret(bucket: dict[str, str]) -> str:
    scheme, address = bucket["AWS_S3_ENDPOINT_URL"].split("://")
    region = bucket.get("AWS_S3_REGION_NAME") or "us-east-1"
    return (
        f"CREATE SECRET (TYPE s3, KEY_ID '{bucket['AWS_ACCESS_KEY_ID']}',"
        f" SECRET '{bucket['AWS_SECRET_ACCESS_KEY']}', ENDPOINT '{address}',"
        f" USE_SSL {scheme == 'https'}, URL_STYLE 'path', REGION '{region}')"
    )


def read(at: object, columns: str = "label", bucket: dict[str, str] | None = None) -> list[Any]:
    """What DuckDB reads of a table by its folder, or by the file of its metadata; in order."""
    with connected(bucket) as connection:
        text = f"SELECT {columns} FROM iceberg_scan('{at}') ORDER BY ALL"
        found = connection.execute(text).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]
