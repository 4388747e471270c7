"""`manage.py lifecycle roles`: operator, officer, counsel and viewer as groups of the admin."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.management.arguments import add_json
from lifecycle.management.groups import Standing, groups, make_groups
from lifecycle.management.output import write_json

HELP = "Show the bundles of permissions for people in the admin; --create makes groups of them."
ANY_VERSION = True  # it asks nothing of the ledger
ROWS = (
    "Whose rows their members see is up to the site: give the groups `view_...` of its own models"
    " too."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Whether the groups are made."""
    parser.add_argument(
        "--create", action="store_true",
        help="make the groups that are missing, and give them what they are missing",
    )  # fmt: skip
    add_json(parser)


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """Print the bundles; make their groups once, where the site has its groups."""
    found = make_groups() if options["create"] else groups()
    if options["json"]:
        write_json(command, [_data(each) for each in found])
        return
    for each in found:
        command.stdout.write(_said(each))
    missing = any(each.missing or not each.exists for each in found)
    command.stdout.write("`manage.py lifecycle roles --create` makes them." if missing else ROWS)


def _data(each: Standing) -> dict[str, Any]:
    return {
        "group": each.bundle.group, "for": each.bundle.for_whom, "exists": each.exists,
        "members": each.members, "permissions": sorted(each.bundle.here),
        "missing": each.missing, "others": each.others,
    }  # fmt: skip


def _said(each: Standing) -> str:
    there = f"{each.members} members" if each.exists else "not made yet"
    lines = [f"{each.bundle.group} ({there}): {each.bundle.for_whom}"]
    for name in sorted(each.bundle.here):
        lines.append(f"    {name}" + (" (missing)" if name in each.missing else ""))
    lines += [f"    {name} (added by the site)" for name in each.others]
    return "\n".join(lines)
