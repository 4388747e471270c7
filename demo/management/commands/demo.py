"""`manage.py demo`: the story, then site and worker until Ctrl-C."""

import signal
import sys
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from rich.console import Console

from demo import site
from demo.children import Child, free_port
from demo.story import STEPS, Story, StoryError
from demo.view import view_for

ONE_AT_A_TIME = 7_243_911_036  # any number that nobody else locks
START_SECONDS = 30.0
POLL_SECONDS = 0.2


class Command(BaseCommand):
    help = "Show the life of some rows in less than a minute, then keep site and worker up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--exit", action="store_true", help="end after the story")
        parser.add_argument("--until", choices=STEPS, metavar="STEP", help="the last step")
        parser.add_argument("--port", type=int, default=8000, help="the site's; or a free one")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demonstration wants DEBUG=1: it writes rows and makes a user.")
        self.console = Console(highlight=False)
        self.children: list[Child] = []
        self.is_played = False
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, interrupt)
        try:
            self.run(options)
        except KeyboardInterrupt:
            if not self.is_played:
                sys.exit(130)
        finally:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            self.stop()

    def run(self, options: dict[str, Any]) -> None:
        take_turn()
        try:
            with view_for(self.console) as view:
                Story(view, self.spawn).play(up_to(options["until"]))
        except StoryError as error:
            raise CommandError(f"The story stopped. {error}") from error
        self.is_played = True
        if options["exit"]:
            self.say("The story is told.")
        else:
            self.serve(free_port(options["port"]))

    def serve(self, port: int) -> None:
        """The site beside the worker; returns only by Ctrl-C, or raises when one of them ends."""
        password = site.admin_user()
        child = self.spawn("site", "runserver", "--noreload", f"127.0.0.1:{port}")
        deadline = time.monotonic() + START_SECONDS
        while not site.answers(port):
            self.watch()
            if time.monotonic() > deadline:
                raise CommandError(f"The site does not answer:\n{child.last_words()}")
            time.sleep(POLL_SECONDS)
        self.say(f"\nhttp://127.0.0.1:{port}/admin/   user {site.USER}   password {password}")
        self.say("Site and worker are up until Ctrl-C.")
        while True:
            self.watch()
            time.sleep(POLL_SECONDS)

    def spawn(self, name: str, *arguments: str) -> Child:
        child = Child(name, *arguments)
        self.children.append(child)
        return child

    def watch(self) -> None:
        """Raise when a child has ended."""
        for child in self.children:
            if not child.is_running():
                raise CommandError(f"The {child.name} has ended:\n{child.last_words()}")

    def stop(self) -> None:
        """End what was started; nothing of it is left."""
        for child in reversed(self.children):
            child.stop()
        if self.children:
            self.say(f"Stopped: {', '.join(child.name for child in self.children)}.")

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)


def up_to(last: str | None) -> dict[str, Any]:
    """The steps of the story, to one of them or all."""
    names = list(STEPS)
    return {name: STEPS[name] for name in names[: names.index(last) + 1 if last else None]}


def take_turn() -> None:
    """Hold a lock of this session: of two tellings the second would remove the first one's rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ONE_AT_A_TIME])
        if not cursor.fetchone()[0]:
            raise CommandError(
                "The demonstration already runs on this database, or a session has its lock"
                f" (pg_advisory_lock({ONE_AT_A_TIME})): end that one."
            )


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM, and the end of the terminal, are Ctrl-C."""
    raise KeyboardInterrupt
