"""Arguments that several subcommands share."""

import getpass
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from typing import Any

from django.utils.translation import check_for_language

from lifecycle.exceptions import LifecycleError


def add_policy(
    parser: ArgumentParser,
    about: str = "the policy's name",
    nargs: str = "",
    required: bool = False,
) -> None:
    """`--policy NAME`, and with `nargs` the name alone too: "?" for one, "*" for several.

    The name is in `options["policy"]`, None where none was given; several in "policies".
    """
    if nargs == "*":
        parser.add_argument("policies", nargs=nargs, metavar="policy", default=SUPPRESS,
                            action="extend", help=about)  # fmt: skip
        parser.add_argument("--policy", dest="policies", metavar="NAME", default=[],
                            action="append", help="the same")  # fmt: skip
        return
    either = parser.add_mutually_exclusive_group(required=required)
    either.add_argument("--policy", metavar="NAME", help=about)
    if nargs:
        # With a default of its own, an absent name would empty what --policy has given.
        either.add_argument("policy", nargs=nargs, default=SUPPRESS, help="the same")


def add_policy_or_all(parser: ArgumentParser) -> None:
    """The policy's name, or `--all`; `policy_or_all` reads which."""
    add_policy(parser, nargs="?")
    parser.add_argument("--all", action="store_true", help="every policy of the database")


def policy_or_all(options: dict[str, Any]) -> str | None:
    """The policy that was named; None for all. `LifecycleError` for neither or both."""
    if bool(options["policy"]) == options["all"]:
        raise LifecycleError("Name one policy, or say --all.")
    return options["policy"] or None


def add_actor(parser: ArgumentParser) -> None:
    """Who does this: the user of the shell where nobody is named."""
    parser.add_argument(
        "--actor", default=shell_user(), help="who does this, written into the ledger; default: you"
    )


def shell_user() -> str:
    """The name of the user who runs the command; '' where the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def add_json(parser: ArgumentParser) -> None:
    """The output as JSON."""
    parser.add_argument("--json", action="store_true", help="for programs")


def add_yes(parser: ArgumentParser) -> None:
    """For scripts: do not ask."""
    parser.add_argument(
        "--yes", "--noinput", "--no-input", action="store_true", help="do not ask; for scripts"
    )


def agreed(command: Any, question: str, options: dict[str, Any]) -> bool:
    """Whether the person at the terminal says yes, or `--yes` was given.

    `LifecycleError` where nobody can be asked.
    """
    if options["yes"]:
        return True
    if not sys.stdin.isatty():
        raise LifecycleError("There is no terminal to ask at: look at the above, then say --yes.")
    command.stdout.write(f"{question} [y/N] ", ending="")
    command.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def add_language(parser: ArgumentParser, about: str) -> None:
    """`--language`, for what is written for others; None: that of the site."""
    text = f"{about}: en, de; LANGUAGE_CODE, where none is named"
    parser.add_argument("--language", type=language, metavar="CODE", help=text)


def language(code: str) -> str:
    """A language that Django has."""
    if not check_for_language(code):
        raise ArgumentTypeError(f"{code!r} is no language that Django has: write en or de.")
    return code
