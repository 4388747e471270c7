"""`manage.py cleanup_draft_services`: drafts of services that nobody has finished."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from demo.cleanups import Cleanup, Part
from demo.cleanups.ages import hours
from demo.cleanups.services import KEEPS, DraftServices


class Command(Cleanup):
    help = "End drafts of services; those with media or sessions are kept only where flags say so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        hours.add_to(parser, "--hours", settings.DEMO_DRAFT_HOURS, "begun so many hours ago")
        for name in KEEPS:
            about = f"keep drafts that have {name}"
            parser.add_argument(f"--keep-with-{name}", action="store_true", help=about)
        super().add_arguments(parser)

    def parts(self, options: dict[str, Any]) -> list[Part]:
        keep = [name for name in KEEPS if options[f"keep_with_{name}"]]
        return [DraftServices(options["hours"], keep)]
