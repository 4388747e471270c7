"""Every command in bad circumstances: one plain line and an exit code, never a traceback."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.db import (
    DatabaseError,
    DataError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from lifecycle import hold
from lifecycle.management import plain
from lifecycle.management.extensions import subcommands
from lifecycle.management.output import as_json
from purge.management.archive import SUBCOMMANDS as ARCHIVE
from tests.commands.documented import assert_documented
from tests.infra import forked
from tests.infra.servers import ROOT
from tests.lifecycle.management.test_commands import manage
from tests.zoo.models import Draft

ARGUMENTS = {
    "enable": ["drafts"], "disable": ["drafts"], "pause": ["drafts"], "resume": ["drafts"],
    "restore": ["zoo.Draft:1"], "hold": ["zoo.Draft:1"], "release": ["zoo.Draft:1"],
    "why": ["zoo.Draft:1"], "grants": ["--site", "a", "--worker", "b"], "uninstall": ["--yes"],
    "certificate": ["zoo.Draft:1"], "drill": ["no_such_dump"],
    "erase": ["zoo.Client:1", "--reference", "R"], "apply": ["1", "--confirm", "1"],
    "export": ["zoo.Draft:1", "--to", "/nowhere/out.zip"],
    "plan": ["hold", "zoo.Draft", "--all", "--reason", "R"],
}  # fmt: skip
NAMES = list(subcommands())
COMMANDS = [
    ["purge"], ["purge", "--dry-run"], ["purge", "--replay", "--dry-run"],
    *(["lifecycle", name, *ARGUMENTS.get(name, [])] for name in NAMES if name != "scaffold"),
]  # fmt: skip
EVERY = [*COMMANDS, ["lifecycle", "scaffold"], *(["archive", name] for name in ARCHIVE)]


def ids(command: list[str]) -> str:
    return " ".join(command)


@pytest.fixture
def away() -> Iterator[None]:
    """The server is not there: every way to a connection fails as psycopg says it."""
    refused = OperationalError(
        'connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused'
        "\n\tIs the server running on that host and accepting TCP/IP connections?"
    )
    with (
        patch.object(connections["default"], "cursor", side_effect=refused),
        patch.object(connections, "create_connection", side_effect=refused),
    ):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("away")
@pytest.mark.django_db
@pytest.mark.parametrize("command", COMMANDS, ids=ids)
def test_the_database_is_away(command: list[str]) -> None:
    with pytest.raises(CommandError) as caught:
        call_command(*command, stdout=StringIO(), stderr=StringIO())
    text = str(caught.value)
    assert text.startswith("The database does not answer: connection failed: connection to server")
    assert "\n" not in text
    assert caught.value.returncode == 1


@pytest.mark.usefixtures("away")
@pytest.mark.django_db
def test_a_traceback_is_there_for_who_asks() -> None:
    with pytest.raises(OperationalError):
        call_command("lifecycle", "status", traceback=True, stdout=StringIO())


@pytest.mark.django_db
def test_what_the_database_refuses_tells_no_value() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE ROLE nobody_here")
        cursor.execute("SET LOCAL ROLE nobody_here")
    with pytest.raises(CommandError) as caught:
        call_command("lifecycle", "status", stdout=StringIO(), stderr=StringIO())
    assert "no right to do this: permission denied for table lifecycle_" in str(caught.value)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("permission denied for table zoo_draft", True),
        ("permission denied for table zoo_draft: of jo@example.com", False),
        ("no right to see jo@example.com", False),
    ],
)
@pytest.mark.django_db
def test_a_missing_right_is_named_where_the_server_names_it(words: str, named: bool) -> None:
    raised = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = {}; END $$"
    with connection.cursor() as cursor, pytest.raises(ProgrammingError) as refused:
        cursor.execute(raised.format(f"'{words}'"))
    told = plain.told(refused.value)
    assert ("permission denied for table zoo_draft" in told) == named
    assert "42501" in told or named
    assert "jo@" not in told


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("SET LOCAL statement_timeout = 1; SELECT pg_sleep(9)", "statement_timeout (SQLSTATE 57"),
        (
            "SET LOCAL transaction_read_only = on; CREATE TABLE x ()",
            "default_transaction_read_only",
        ),
    ],
)
def test_what_a_setting_refuses_is_said_in_words(text: str, says: str) -> None:
    with (
        pytest.raises(DatabaseError) as refused,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(text)
    assert says in plain.told(refused.value)


def test_errors_without_a_code_are_of_the_connection() -> None:
    said = "The database does not answer: connection already closed"
    assert plain.told(InterfaceError("connection already closed")) == said
    assert plain.told(InterfaceError()) == "The database does not answer: InterfaceError"
    of_code = "The database refused: {}. --traceback shows more."
    assert plain.told(DataError("a text with a value")) == of_code.format("DataError")
    assert plain.told(TransactionManagementError("x")) == of_code.format(
        "TransactionManagementError"
    )


@pytest.mark.django_db
@pytest.mark.parametrize("command", COMMANDS, ids=ids)
def test_ctrl_c(command: list[str]) -> None:
    with (
        patch.object(connections["default"], "cursor", side_effect=KeyboardInterrupt),
        patch.object(connections, "create_connection", side_effect=KeyboardInterrupt),
        pytest.raises(CommandError) as caught,
    ):
        call_command(*command, stdout=StringIO(), stderr=StringIO())
    assert (str(caught.value), caught.value.returncode) == ("Interrupted.", 130)


@pytest.mark.parametrize("command", EVERY, ids=ids)
def test_common_options_stand_before_and_after(command: list[str]) -> None:
    app = {"purge": "purge", "archive": "purge", "lifecycle": "lifecycle"}[command[0]]
    parser = load_command_class(app, command[0]).create_parser("manage.py", command[0])
    given = ["-v", "2", "--no-color", "--traceback", "--settings", "a.b", "--skip-checks"]
    named = command[:2] in [["archive", name] for name in ("load", "erase", "lost")]
    arguments = [command[1], "a-name"] if named else command[1:]
    after = vars(parser.parse_args([*arguments, *given]))
    before = vars(parser.parse_args([*given, *arguments]))
    assert after == before
    assert (after["verbosity"], after["settings"], after["no_color"]) == (2, "a.b", True)
    assert vars(parser.parse_args(arguments))["verbosity"] == 1


TIME = re.compile(r'"(\d{4}-\d\d-\d\d[ T][^"]*)"')
FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")


@pytest.mark.django_db(transaction=True)
def test_json_has_one_form_of_times(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"
    row = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    hold(row, until=timezone.now() + timedelta(days=9))
    commands = [
        ["lifecycle", "status", "tickets"], ["lifecycle", "holds"], ["lifecycle", "report"],
        ["lifecycle", "why", f"zoo.Draft:{row.pk}"], ["purge"], ["purge", "--dry-run"],
    ]  # fmt: skip
    found = []
    for command in commands:
        text = manage(*command, "--json")
        data, _ = json.JSONDecoder().raw_decode(text)
        found += TIME.findall(as_json(data))
    assert len(found) > 5
    own = [
        each for each in found if "+05:30" not in each
    ]  # the ledger's detail is as it was written
    assert [each for each in own if not FORM.fullmatch(each)] == []
    assert len(own) > 5


@pytest.mark.django_db(transaction=True)
def test_purge_json_is_of_the_pass() -> None:
    row = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    (made,) = every = json.loads(manage("purge", "--json"))
    assert_documented("purge", every)
    (drafts,) = (each for each in made["policies"] if each["policy"] == "drafts")
    assert (made["database"], made["dry_run"], drafts["tombstoned"]) == ("default", False, 1)
    assert Draft.objects.filter(pk=row.pk).exists()


READER_GONE = """
import sys
from django.core.management.base import CommandError
from rich.table import Table
from lifecycle.management.output import console_of, make_visible
from lifecycle.management.plain import PlainCommand

class Command(PlainCommand):
    requires_system_checks = []
    def handle(self, **options):
        make_visible(self)
        for n in range(20_000):
            self.stdout.write(f"line {n}")
            console_of(self).print(f"rich {n}")
        sys.exit(7)

import django
from django.conf import settings
settings.configure()
Command().run_from_argv(["manage.py", "long"])
"""


@pytest.mark.slow
def test_a_reader_that_leaves_does_not_change_the_exit_code() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", READER_GONE],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as long:
        assert long.stdout
        assert long.stderr
        assert long.stdout.readline() == b"line 0\n"
        long.stdout.close()
        assert long.wait(60) == 7
        assert long.stderr.read() == b""


SETTINGS = """
from pathlib import Path
SECRET_KEY, USE_TZ = "x", True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.postgres",
                  "pgtrigger", "lifecycle", "purge", "huey.contrib.djhuey"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x"}}
DATABASES["default"] |= {"HOST": "127.0.0.1", "PORT": "1"}
"""


DJANGO = """
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""


def first_hour(folder: Path, *arguments: str, settings: str = SETTINGS) -> tuple[int, str]:
    """A command in a project of its own, whose database is not there."""
    (folder / "mysettings.py").write_text(settings)
    words = [*arguments, "--settings", "mysettings"]
    variables = os.environ | {"PYTHONPATH": f"{folder}:{ROOT}"}
    done = forked.run("-c", DJANGO, *words, cwd=folder, env=variables, timeout=100)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_forgotten_queue_is_a_message_of_check(tmp_path: Path) -> None:
    code, text = first_hour(tmp_path, "check")
    assert (code, "purge.E005" in text, "HUEY = queue()" in text) == (1, True, True)
    named = re.search(r"\((/[^()]+checks\.md)#purge-e005\)", text)
    assert named
    assert (
        '<a id="purge-e005">' in Path(named[1]).read_text()
    )  # from another folder than the checkout
    whole = f"from purge.queue import queue\n{SETTINGS}HUEY = queue()\n"
    assert first_hour(tmp_path, "check", settings=whole)[0] == 0
    code, text = first_hour(tmp_path, "check", "--database", "default", settings=whole)
    assert (code, "lifecycle.E116" in text, "Connection refused" in text) == (1, True, True)
    code, text = first_hour(tmp_path, "purge", settings=whole)
    assert (code, text.count("\n")) == (1, 1)
    assert text.startswith("CommandError: The database does not answer: connection failed")
