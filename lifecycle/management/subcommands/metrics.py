"""`manage.py lifecycle metrics`: the metrics once, or served on a port of their own."""

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError

HELP = "Print the metrics for Prometheus, write them into a file, or serve them on a port."
ANY_VERSION = True  # what does not answer, or is of another version, has `lifecycle_up` 0
LOCAL = "127.0.0.1"


def add_arguments(parser: ArgumentParser) -> None:
    """Where they go."""
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--port", type=int, metavar="PORT", help="serve them there until SIGTERM or Ctrl-C"
    )
    place.add_argument(
        "--output", type=Path, metavar="FILE",
        help="replace this file at once, for node_exporter's textfile collector",
    )  # fmt: skip
    parser.add_argument(
        "--address", default=LOCAL, metavar="ADDRESS",
        help=f"of --port: who reaches it may read the metrics; default {LOCAL}",
    )  # fmt: skip


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """Print, write or serve what the databases say; of those that are named, else of all.

    What is printed or written says that a database does not answer, and so does the exit code.
    """
    try:
        from lifecycle.metrics.collector import LifecycleCollector
    except ImproperlyConfigured as error:
        raise LifecycleError(f"{error}.") from error
    from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile

    errors: list[Exception] = []
    registry = CollectorRegistry(auto_describe=False)
    if options["port"] is not None:
        registry.register(LifecycleCollector(databases))
        serve(command, registry, options["address"], options["port"])
        return
    registry.register(LifecycleCollector(databases, errors.append))
    if options["output"]:
        try:
            write_to_textfile(str(options["output"]), registry)
        except OSError as error:
            raise LifecycleError(f"{options['output']}: {error.strerror}.") from error
    else:
        command.stdout.write(generate_latest(registry).decode(), ending="")
    if errors:
        raise errors[0]


def serve(command: BaseCommand, registry: Any, address: str, port: int) -> None:
    """Answer until SIGTERM or Ctrl-C, then end with exit code 0."""
    from prometheus_client import start_http_server

    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    try:
        server, thread = start_http_server(port, address, registry)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise LifecycleError(f"{address}:{port} cannot be served: {why}.") from error
    command.stdout.write(f"Metrics at http://{address}:{server.server_port}/metrics")
    command.stdout.flush()
    try:
        over.wait()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
