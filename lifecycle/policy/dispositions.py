"""What happens to a row at the end of its life."""

import re
from typing import Any

from lifecycle.exceptions import PolicyError, did_you_mean


class Disposition:
    """How a policy ends its rows. Use `Purge`, `Archive` or `Update`."""

    #: whether `live()` hides the row once it is past its end
    hides = True

    def declaration(self) -> tuple[Any, ...]:
        """The parts of the declaration that enter the policy's fingerprint."""
        return (type(self).__name__,)


class Purge(Disposition):
    """Delete the row, with what Django's `on_delete` says goes along."""


class Archive(Purge):
    """Write the row to an archive, read that back and compare it, and only then delete the row.

    Archives go to the bucket that the settings name, else to the folder `LIFECYCLE_ARCHIVE_DIR`.
    What goes along with a row is deleted, not archived.

    prefix        where archives are in the bucket or folder: `audit-archives/`
    formats       of `json`, `jsonl`, `txt` and `parquet`: the same rows in each. One at least is
                  not `txt`, so that rows can be brought back. Default: `jsonl` and `txt`
    table         "iceberg": all archives of the policy are one table of Apache Iceberg, parted by
                  month, in place of files in formats (extra `iceberg`)
    compression   of `jsonl`: "gzip", or "zstd", with which files are smaller (extra `zstd`)
    every         "1 day" or "1 month": windows fall due at the next start of such a period, of UTC,
                  so that one archive has all of it. Needs `capture=Window(...)`
    batch_rows    most rows of one archive. Default: 200,000; of a table 1,000,000
    batch_bytes   an archive ends after the first part with which a file of it has as many bytes. A
                  part has 10,000 rows, or as many as come to about 16 MiB. Default: 1 GiB
    erased_with   fields by which an archived row is somebody's: where the row is erased on request
                  to which one of them refers, the archived rows go as well. Foreign keys, or the
                  model's own key; or a mapping of other columns to models
    """

    FORMATS = ("json", "jsonl", "txt", "parquet")
    PERIODS = ("1 day", "1 month")
    COMPRESSIONS = ("gzip", "zstd")
    TABLES = ("iceberg",)
    ROWS, ROWS_OF_TABLE = 200_000, 1_000_000
    PREFIX = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*/)+")

    def __init__(
        self, prefix: str, formats: tuple[str, ...] | None = None, every: str | None = None,
        batch_rows: int | None = None, batch_bytes: int = 2**30, compression: str = "gzip",
        table: str | None = None, erased_with: tuple[str, ...] | dict[str, Any] = (),
    ) -> None:  # fmt: skip
        if not isinstance(prefix, str) or not self.PREFIX.fullmatch(prefix):
            raise PolicyError(
                f"Archive(): prefix must be a path that ends with a slash, not {prefix!r}."
            )
        if every not in (None, *self.PERIODS):
            raise PolicyError(f"Archive(): every must be '1 day' or '1 month', not {every!r}.")
        if batch_rows is None:
            batch_rows = self.ROWS_OF_TABLE if table else self.ROWS
        for name, size in (("batch_rows", batch_rows), ("batch_bytes", batch_bytes)):
            if not isinstance(size, int) or isinstance(size, bool) or size < 1:
                raise PolicyError(f"Archive(): {name} must be above zero, not {size!r}.")
        self.prefix, self.every, self.table = prefix, every, self._known_table(table, formats)
        self.formats = (
            (table,) if table else self._known(("jsonl", "txt") if formats is None else formats)
        )
        self.compression = self._possible(compression)
        self.batch_rows, self.batch_bytes = batch_rows, batch_bytes
        self.erased_with = self._mapping(erased_with)

    def _mapping(self, erased_with: Any) -> dict[str, Any]:
        """Names of fields or columns, each with the model that is named, or None."""
        is_names = isinstance(erased_with, tuple | list | dict)
        if not is_names or not all(name and isinstance(name, str) for name in erased_with):
            raise PolicyError(
                f"Archive(): erased_with must be some names of fields, not {erased_with!r}."
            )
        return dict(erased_with) if isinstance(erased_with, dict) else dict.fromkeys(erased_with)

    def _known_table(self, table: Any, formats: Any) -> str | None:
        if table not in (None, *self.TABLES):
            raise PolicyError(f"Archive(): table must be 'iceberg', not {table!r}.")
        if table and formats is not None:
            raise PolicyError("Archive(): a table has no formats: say either `table` or `formats`.")
        return None if table is None else str(table)

    def _known(self, formats: Any) -> tuple[str, ...]:
        if isinstance(formats, str) or not formats:
            raise PolicyError(f"Archive(): formats must be some names, not {formats!r}.")
        for name in formats:
            if name not in self.FORMATS:
                hint = did_you_mean(str(name), self.FORMATS)
                known = ", ".join(self.FORMATS)
                raise PolicyError(f"Archive(): there is no format {name!r}: {known}.{hint}")
        if set(formats) == {"txt"}:
            raise PolicyError("Archive(): from 'txt' alone no row comes back; add 'jsonl'.")
        return tuple(dict.fromkeys(formats))

    def _possible(self, compression: Any) -> str:
        if compression not in self.COMPRESSIONS:
            known = " or ".join(map(repr, self.COMPRESSIONS))
            raise PolicyError(f"Archive(): compression must be {known}, not {compression!r}.")
        if compression != "gzip" and "jsonl" not in self.formats:
            raise PolicyError("Archive(): compression is that of 'jsonl', which formats lack.")
        return str(compression)

    @property
    def files(self) -> tuple[str, ...]:
        """The formats of its files as manifests name them."""
        packed = "jsonlzst" if self.compression == "zstd" else "jsonl"
        return tuple(packed if each == "jsonl" else each for each in self.formats)

    def declaration(self) -> tuple[Any, ...]:
        other = (self.compression,) if self.compression != "gzip" else ()
        return (type(self).__name__, self.prefix, self.formats, self.every, *other)


class Update(Disposition):
    """Set columns instead of deleting: deactivate, anonymise.

    Acts at due time plus grace, hides nothing before or after, and halts the policy when a row
    still matches `when` afterwards (it would be updated for ever). Values are constants or
    expressions over the row's own columns.
    """

    hides = False

    def __init__(self, **values: Any) -> None:
        if not values:
            raise PolicyError(
                "Update() needs at least one column, for example Update(active=False)."
            )
        self.values = values

    def declaration(self) -> tuple[Any, ...]:
        return (type(self).__name__, sorted(self.values.items()))
