"""`lifecycle report`: what it counts, and how it is read: terminal, page, mail."""

import json
from datetime import timedelta
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from lifecycle import hold, restore
from purge.media.run import run_media
from purge.reports.report import Line, Report, report
from purge.reports.texts import as_html, as_text, subject
from purge.runner import run_due
from tests.commands.documented import assert_documented
from tests.purge.alerts.conftest import Mailbox
from tests.purge.media.support import folder, orphaned, stored
from tests.support import let_pass
from tests.zoo import models as zoo
from tests.zoo.models import Contract, Draft, Order, Spark, Token

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("lifecycle", "report", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def line(days: int, policy: str) -> Line:
    return next(each for each in report(days, "default").lines if each.policy == policy)


def a_week() -> None:
    """Tokens are purged; of four drafts one is restored, one held, one blocked, one purged."""
    now = timezone.now()
    Token.objects.bulk_create([Token(expires_at=now) for _ in range(3)])
    drafts = [Draft.objects.create(created_at=now - timedelta(days=2)) for _ in range(4)]
    order = Order.objects.create(expires_at=now, grace=timedelta(0))
    zoo.Line.objects.bulk_create([zoo.Line(order=order) for _ in range(2)])
    Contract.objects.create(draft=drafts[2])
    run_due()
    restore(drafts[0])
    hold(drafts[1])
    let_pass(timedelta(hours=2))
    Token.objects.create(expires_at=timezone.now() + timedelta(days=10))
    run_due()


@pytest.mark.slow
def test_what_is_counted() -> None:
    a_week()
    drafts, tokens = line(7, "drafts"), line(7, "tokens")
    assert (drafts.tombstoned, drafts.purged, drafts.restored) == (4, 1, 1)
    assert (drafts.held, drafts.blocked) == (1, 1)
    assert any("cannot end" in said for said in drafts.problems)
    assert (tokens.purged, tokens.held, tokens.blocked, tokens.lag) == (3, 0, 0, None)
    assert tokens.next_days == 1
    found = report(7, "default")
    along = [each for each in found.lines if not each.policy]
    assert [(each.table, each.purged) for each in along] == [("zoo.line", 2)]
    assert found.total.purged == 7
    hold(
        Spark.objects.create(expires_at=timezone.now() + timedelta(days=99))
    )  # a table with two policies
    assert report(7, "default").total.held == 2
    assert list(found.soon.values()).count(0) == 30 - len([n for n in found.soon.values() if n])

    let_pass(timedelta(days=3))
    assert line(2, "tokens").purged == 0
    assert line(4, "tokens").purged == 3
    assert line(2, "tokens").next_days == 1


def test_first_event_is_found_in_any_ledger() -> None:
    with connection.cursor() as cursor:
        from lifecycle.db.connection import statement
        from purge.reports import report as module

        text = statement(module.__file__, "first_event")
        for hours in (0, 30, 31, 60, 200):
            let_pass(timedelta(hours=30))
            Token.objects.create(expires_at=timezone.now() + timedelta(days=99))
            cursor.execute(text, {"since": timezone.now() - timedelta(hours=hours)})
            (first,) = cursor.fetchone()
            cursor.execute(
                "SELECT count(*) FROM lifecycle_event WHERE id < %s AND recorded_at >= %s",
                [first, timezone.now() - timedelta(hours=hours)],
            )
            assert cursor.fetchone() == (0,)
        cursor.execute(text, {"since": timezone.now() - timedelta(hours=40)})
        (first,) = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM lifecycle_event WHERE id >= %s", [first])
        assert cursor.fetchone()[0] in (2, 3)  # of five


def test_files(tmp_path: Path) -> None:
    with folder(tmp_path):
        orphaned(stored(), stored(), "../outside.jpg")
        run_media()
        found = report(7, "default")
    assert found.total.files == 2
    (files,) = (each for each in found.lines if each.policy == "(media)")
    assert (files.files, files.blocked) == (0, 1)
    assert "(media): 1 files cannot be deleted: their `blocked` events say why" in found.problems
    assert "(media)" in as_text([found])


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.slow
def test_terminal_page_and_mail_say_the_same(mailbox: Mailbox, tmp_path: Path) -> None:
    a_week()
    page = tmp_path / "report.html"
    sent = ["--email", "ops@example.com", "--email", "jo@example.com"]
    out, err = run("--html", str(page), *sent)
    rows = {row.split("  ")[0]: row.split() for row in out.splitlines() if "  " in row}
    assert rows["policy"][1:4] == ["tombstoned", "purged", "restored"]
    assert rows["drafts"][1:6] == ["4", "1", "1", "1", "1"]
    assert rows["all"][2] == "7"
    assert "archived" not in out
    assert max(map(len, out.splitlines())) <= 100
    assert f"Written to {page}." in err
    (mail,) = mailbox.mails
    assert mail["To"] == "ops@example.com, jo@example.com"
    assert mail["Subject"] == "Retention: 7 purged, 1 blocked, 1 problem"
    assert mail.get_body(("plain",)).get_content().split() == out.split()  # type: ignore[union-attr]
    shown = Page(mail.get_body(("html",)).get_content())  # type: ignore[union-attr]
    assert shown.text.split() == Page(page.read_text()).text.split()
    assert "drafts: 1 rows cannot end" in shown.text
    assert "script" not in shown.tags


def test_for_programs() -> None:
    a_week()
    (told,) = every = json.loads(run("--json", "--days", "1")[0])
    assert_documented("lifecycle report", every)
    drafts = next(each for each in told["lines"] if each["policy"] == "drafts")
    assert (drafts["purged"], drafts["lag"]) == (1, None)
    assert told["database"] == "default"


def test_names_are_escaped() -> None:
    now = timezone.now()
    bad = Line("<script>x</script>", "a&b", "<i>", problems=["<b>wrong</b>"])
    page = as_html([Report("<default>", now, now, [bad])])
    assert "script" not in Page(page).tags
    assert "<script>x</script> (<i>)" in Page(page).text
    assert "<b>wrong" not in page
    assert "<script>" in as_text([Report("default", now, now, [bad])])


def test_nothing_has_happened() -> None:
    now = timezone.now()
    nothing = [Report("default", now, now, [])]
    assert "Nothing is listed." in as_html(nothing)
    assert as_text(nothing).splitlines()[2:] == ["policy  purged", "all          0"]
    assert subject(nothing) == "Retention: 0 purged, 0 blocked"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--days", "0"], "'0' is no number of days from 1 to 3650"),
        (["--days", "9999"], "is no number of days"),
        (["--days", "²"], "is no number of days"),
        (["--email", "jo"], "'jo' is no mail address"),
        (["--html", "/nowhere/at/all.html"], "cannot be written: No such file or directory"),
        (["--html", "/"], "cannot be written"),
    ],
)
def test_mistakes(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*arguments)


def test_mail_server_that_is_away(mailbox: Mailbox) -> None:
    mailbox.refuses = True
    with pytest.raises(CommandError, match="The mail was not sent: SMTPDataError"):
        run("--email", "ops@example.com")
    assert mailbox.refused == 1
