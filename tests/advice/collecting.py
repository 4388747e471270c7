"""Every text that this package can print, found in its sources, and the commands that it names.

A command stands in backticks, or alone in its line, so that where it ends is plain; whatever else
looks like one is found as a stray, so that no new hint escapes.
"""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.core.management import get_commands, load_command_class

from lifecycle.management.extensions import subcommands
from purge.management.archive import SUBCOMMANDS as ARCHIVE
from tests.infra.servers import ROOT

#: what a text has filled in when it is printed, as far as a command needs it
FILLED = {
    "database": " --database default", "database_option(each.database)": " --database default",
    "database_option(using)": " --database default", "status": " drafts", "allow": " --allow 5",
    "why": "", "release": "", "labels[0]": "zoo", "row": "zoo.Draft:1", "last.hold": "7",
    "alias": "default", "plan.pk": "7", "found.pk": "7", "number": "7",
}  # fmt: skip
WORDS = {"ROWS": "5", "FILE": "a-file", "ROLE": "a_role", "ROW": "zoo.Draft:1", "N": "5"}
COMMAND = re.compile(
    r"`manage\.py ([^`]+)`|<code>manage\.py ([^<]+)</code>|^ +manage\.py (.+)$", re.MULTILINE
)
#: how a table, or a database, is known again, and no advice
NAMED_AS_MARK = re.compile(r"made by manage\.py (?:archive load|lifecycle drill)")


def texts() -> Iterator[tuple[str, str]]:
    """Where it stands, and each text of the sources that a person may read."""
    for folder in ("lifecycle", "purge"):
        for path in sorted((ROOT / folder).rglob("*")):
            place = str(path.relative_to(ROOT))
            if path.suffix == ".py":
                yield from ((place, text) for text in of_python(path))
            elif path.suffix == ".sql":
                code = re.sub(r"(?m)(?:^|\s)--\s.*", "", path.read_text())
                yield from ((place, text) for text in re.findall(r"'((?:[^']|'')*)'", code))
            elif path.suffix in (".html", ".txt"):
                yield place, path.read_text()


def of_python(path: Path) -> Iterator[str]:
    """The strings of a module but for its docstrings; what is filled in stands in braces."""
    tree = ast.parse(path.read_text())
    inner = {id(part) for node in ast.walk(tree) for part in _parts(node)}
    for node in ast.walk(tree):
        text = _text(node)
        if text is not None and id(node) not in inner:
            yield text


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """What is no text of its own: docstrings, and pieces of a longer one."""
    if isinstance(node, ast.Expr):
        yield node.value
    if isinstance(node, ast.JoinedStr):
        yield from node.values
    if isinstance(node, ast.BinOp) and _text(node) is not None:
        yield from (node.left, node.right)


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_piece, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return None if left is None or right is None else left + right
    return None


def _piece(node: ast.expr) -> str:
    if isinstance(node, ast.FormattedValue):
        return f"{{{ast.unparse(node.value)}}}"
    return str(node.value) if isinstance(node, ast.Constant) else ""


def commands_in(text: str) -> list[str]:
    """The commands that a text names, without `manage.py`, filled in."""
    found = (" ".join("".join(command).split()) for command in COMMAND.findall(text))
    return [filled(command) for command in found]


def filled(command: str) -> str:
    """With words in the place of what is filled in, or what the reader puts there."""
    command = command.replace("%s", "5")
    command = re.sub(r"%\((\w+)\)s", r"{\1}", command)
    command = re.sub(r"\{([^}]*)\}", lambda found: FILLED.get(found[1], "drafts"), command)
    return re.sub(r"\b[A-Z]+\b", lambda found: WORDS.get(found[0], "a-word"), command)


def strays_in(text: str) -> list[str]:
    """What looks like a command and does not stand where its end is plain."""
    rest = NAMED_AS_MARK.sub("", COMMAND.sub("", text))
    return stray().findall(rest)


@cache
def stray() -> re.Pattern[str]:
    """`manage.py`, or a subcommand named without it."""
    ours = "|".join(subcommands())
    archive = "|".join(ARCHIVE)
    return re.compile(
        rf"manage\.py|\blifecycle (?:{ours})\b|\barchive (?:{archive})\b|\bpurge --\w+"
        r"|`(?:migrate|makemigrations|flush|run_huey)`|\b[Rr]un\s+(?:migrate|makemigrations)\b"
    )


def parse(command: str) -> Any:
    """The options of a command; raises `CommandError` where it could not be typed so."""
    name, *arguments = shlex.split(command)
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    return parser.parse_args(arguments)
