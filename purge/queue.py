"""The queue that Huey reads: in the site's own database, or in Redis for a larger site.

    HUEY = purge.queue.queue()

The queue only wakes the worker; what falls due is in the agenda. It can be lost or emptied at any
time without anything being forgotten. Its messages are signed: see `purge.signed_queue`.
"""

from typing import Any

from purge.worker.keepalive import TIMES

TABLES_PREFIX = "huey"
PLACE = {"host", "hostaddr", "port"}


def queue(redis_url: str = "", database: str = "default", workers: int = 2) -> dict[str, Any]:
    """Django's HUEY setting; `database` is an alias of DATABASES. Connects to nothing.

    Tasks run in the consumer also under DEBUG (Huey's own default runs them in the caller), leave
    no results behind, and SIGTERM lets those running finish.
    """
    setting: dict[str, Any] = {
        "name": "tombstone",
        "immediate": False,
        "results": False,
        "utc": True,
        "consumer": {
            "workers": workers,
            "worker_type": "thread",
            "graceful_signal": "TERM",
            "max_delay": 1.0,  # seconds until a worker reads a queue again that was away
        },
    }
    if redis_url:
        return setting | {
            "huey_class": "purge.signed_queue.RedisHuey",
            "connection": {"url": redis_url},
        }
    storage = {
        "connection": Connect(database),
        "create_tables": False,  # the constructor would connect while settings are imported
        "table_prefix": TABLES_PREFIX,
    }
    return setting | {"huey_class": "purge.signed_queue.PostgresHuey", "connection": storage}


class Connect:
    """Opens the queue's connections with the parameters of a Django database alias.

    They are read anew each time, so that tests get the queue of the test database. The connections
    are the queue's own: a task's transaction neither holds back nor takes back what is enqueued.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def __call__(self) -> Any:
        import psycopg
        from django.db import connections

        parameters = connections[self.alias].get_connection_params()
        # Django's cursor and adapters are for its ORM; Huey wants rows as psycopg gives them.
        plain = {key: parameters[key] for key in parameters.keys() - {"context", "cursor_factory"}}
        direct = _direct(connections[self.alias])
        if direct:
            plain = {key: plain[key] for key in plain.keys() - PLACE}  # a pooler's port is its own
        return psycopg.connect(**(TIMES | plain | direct))


def _direct(connection: Any) -> dict[str, Any]:
    """The parameters of `LIFECYCLE_DIRECT_URL`: past a pooler, through which nobody can LISTEN."""
    from django.core.exceptions import ImproperlyConfigured
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    from lifecycle.conf import conf
    from lifecycle.db.test_databases import is_test_database

    if not conf.DIRECT_URL:
        return {}
    try:
        found: dict[str, Any] = conninfo_to_dict(conf.DIRECT_URL)
    except ProgrammingError:
        # Not psycopg's message, which repeats the address with its password.
        text = "LIFECYCLE_DIRECT_URL is no address of the form postgres://user@host:5432/name"
        raise ImproperlyConfigured(text) from None
    if is_test_database(connection):
        found.pop("dbname", None)  # a test runner has its own
    return found


def is_unsigned() -> bool:
    """Whether the site's Huey unpickles whatever is in its queue."""
    from huey.contrib.djhuey import HUEY
    from huey.serializer import Serializer

    # Any other than Huey's own default was chosen by somebody.
    return type(HUEY.serializer) is Serializer


def create_tables(using: str = "default", **kwargs: Any) -> None:
    """Make the queue's tables where they are missing; a receiver of `post_migrate`.

    Does nothing when the queue is in Redis or in another database than `using`, or the site has
    no Huey.
    """
    from django.apps import apps
    from django.db import connections, transaction

    if not apps.is_installed("huey.contrib.djhuey"):
        return
    from huey.contrib.djhuey import HUEY

    storage = HUEY.storage
    source = getattr(storage, "connection", None)
    if not isinstance(source, Connect) or source.alias != using:
        return
    with transaction.atomic(using), connections[using].cursor() as cursor:
        for statement in storage.ddl:
            cursor.execute(statement)
