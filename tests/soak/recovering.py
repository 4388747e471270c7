"""`manage.py purge --replay --from-proof` of a test's site, as a process that may be killed."""

import sys

import django
from django.core.management import call_command


def main() -> None:
    """Nobody else is at work on the log: that needs no minute to be known."""
    django.setup()
    from purge.proof import place

    place.SILENT = 0.0
    words = ("--replay", "--from-proof", "--online", "--yes", "--actor", "Ada")
    call_command("purge", *words, stdout=sys.stderr)


if __name__ == "__main__":
    main()
