"""Arguments that several subcommands share."""

from argparse import ArgumentParser


def add_policy(parser: ArgumentParser) -> None:
    """The policy's name."""
    parser.add_argument("policy")


def add_actor(parser: ArgumentParser) -> None:
    """Who does this."""
    parser.add_argument("--actor", default="", help="who does this; told to the ledger")
