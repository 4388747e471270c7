#!/usr/bin/env python3
"""Django's command line, with the embedded PostgreSQL where DATABASE_URL is not set."""

import os
import sys
import warnings

# These do their work with the database down; the others find the embedded server running.
WITHOUT_DATABASE = {
    "check",
    "compilemessages",
    "diffsettings",
    "help",
    "makemessages",
    "makemigrations",
    "startapp",
    "startproject",
    "version",
}


def needs_database(arguments: list[str]) -> bool:
    """Whether the command may talk to the database: when in doubt, yes."""
    if not arguments or arguments[0] in WITHOUT_DATABASE or arguments[0].startswith("-"):
        return "--database" in arguments
    return not {"-h", "--help", "--version"} & set(arguments)


def start_database(arguments: list[str]) -> None:
    """Hold the embedded server until this process ends, unless the settings name another."""
    from django.conf import settings

    from lifecycle import embedded

    path = settings.EMBEDDED_DATABASE
    if path and needs_database(arguments):
        embedded.ensure(path)
    elif path:
        # makemigrations compares with the database if it is there; here it is not, by design.
        warnings.filterwarnings("ignore", "Got an error checking a consistent migration history")


def main() -> None:
    """Run the command; a wrong setting or a server that cannot start is one line, no traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from lifecycle.embedded import EmbeddedError

    try:
        start_database(sys.argv[1:])
    except (ImproperlyConfigured, EmbeddedError) as error:
        sys.exit(f"manage.py: {error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
