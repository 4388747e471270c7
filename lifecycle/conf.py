"""The settings of these packages, read when they are asked for."""

from typing import Any

from django.conf import settings

#: What LIFECYCLE_THROTTLE may name, and the limits where it does not.
THROTTLE_LIMITS: dict[str, float] = {
    "replica_lag": 10.0,  # seconds
    "retained_wal": 1024.0**3,  # bytes
    "wal_rate": 100 * 1024.0**2,  # bytes a second
    "dead_rows": 0.5,  # of the table's rows
    "lock_wait": 1.0,  # seconds
    "batch_time": 0.5,  # seconds
}
#: no limit: seconds of rest for each second of a batch; without it none
REST = "rest"


#: What LIFECYCLE_PROOF may have.
PROOF_OPTIONS = (
    *("origin", "signing_key", "key", "prefix"),
    *("witnesses", "altered", "keep", "after", "lock"),
)


class Conf:
    """`conf.NAME` is the setting `LIFECYCLE_NAME`, else the default that stands here."""

    ARCHIVE_DIR: str = ""
    ARCHIVE_ERASED_WITHIN: float = 7 * 86_400.0  # seconds
    BACKFILL_RATE: int = 20_000
    BACKUP_MAX_AGE: float | None = None  # seconds
    DATABASES: list[str] | None = None
    DIRECT_URL: str = ""
    MAX_LAG: float = 600.0  # seconds
    MAX_STOPPED: float | None = 30 * 86_400.0  # seconds
    MEDIA_DELETE_VERSIONS: bool = False
    MEDIA_IF_MATCH: bool = False
    METRICS_TIMEOUT: float = 5.0  # seconds
    METRICS_TOKEN: str = ""
    NOTICE_URL: str = ""
    NOTICES_PER_HOUR: int = 1_000
    PROOF: dict[str, Any] | None = None
    PURGE_HOURS: tuple[int, int] | None = None
    RECONCILE_DAYS: float = 7
    REQUIRE_COVERAGE: bool = False
    RESPONSIBLE: str = ""
    TWO_PERSON: bool | str = False  # "roles": of two roles of the database
    THROTTLE: dict[str, float | None] | None = {}

    def __getattribute__(self, name: str) -> Any:
        default = super().__getattribute__(name)
        return getattr(settings, f"LIFECYCLE_{name}", default) if name.isupper() else default


conf = Conf()
