"""The logs: each record has its action and its fields, and the reference tells all of them."""

import ast
import json
import logging
import logging.config
import re
from datetime import timedelta
from typing import Any

import pytest
from django.dispatch import Signal
from django.utils import timezone

from lifecycle import signals
from lifecycle.logs import ACTIONS, ALWAYS, Log
from purge.alerts import watch as alerts
from purge.alerts.mail import patient
from purge.runner import run_due
from tests.infra.servers import ROOT
from tests.mailing import WAYS, set_mail
from tests.support import let_pass
from tests.zoo.models import Token

REFERENCE = (ROOT / "docs/reference/logs.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/how-to/watch-it.md").read_text(encoding="utf-8")
SOURCES = [
    path
    for path in (*ROOT.glob("lifecycle/**/*.py"), *ROOT.glob("purge/**/*.py"))
    if path.name != "logs.py"
]


def example(name: str) -> dict[str, Any]:
    """What an example of the guide defines, word for word."""
    found = re.search(rf"<!-- {name} -->\n```python\n(.*?)```", GUIDE, re.DOTALL)
    assert found
    defined: dict[str, Any] = {}
    exec(found[1], defined)
    return defined


def calls() -> list[ast.Call]:
    """Every call of the packages that logs."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
    return [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "log"
    ]


@pytest.mark.slow
def test_the_packages_log_in_one_way_only() -> None:
    assert [path for path in SOURCES if "getLogger" in path.read_text(encoding="utf-8")] == []
    logged = {ast.literal_eval(c.args[0]) for c in calls() if isinstance(c.args[0], ast.Constant)}
    assert ACTIONS.keys() - logged == {
        "blocked",
        "capture_failed",
        "held_deleted",
        "lagging",
        "overdue",
    }  # by their kind
    assert logged <= ACTIONS.keys()


def test_every_action_is_told() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (info|warning|error) \| (.*?) \|(.*) \|$", REFERENCE, re.M)
    told = {row[0]: row for row in rows}
    assert [*told] == [*ACTIONS]
    for action, (level, fields) in ACTIONS.items():
        _, told_level, when, more = told[action]
        assert told_level == ("error" if level == "exception" else level)
        assert ("With a traceback" in when) == (level == "exception")
        assert [name for name in fields.split() if f"`{name}`" not in more] == []
    assert [name for name in ("action", *ALWAYS) if f"| `{name}` |" not in REFERENCE] == []


def test_fields_that_are_not_given_are_there(caplog: pytest.LogCaptureFixture) -> None:
    Log("purge")("goes_on", "100 % of it")
    (record,) = caplog.records
    assert (record.action, record.policy, record.run) == ("goes_on", "", None)  # type: ignore[attr-defined]
    assert (record.trouble, record.getMessage()) == (None, "100 % of it")  # type: ignore[attr-defined]
    assert record.filename == "test_logs.py"


@pytest.fixture
def kept_logging() -> Any:
    """Logging as it was, after a test that configures it."""
    loggers = [logging.getLogger(name) for name in ("purge", "lifecycle")]
    before = [(each.handlers[:], each.level, each.propagate) for each in loggers]
    yield
    for each, (handlers, level, propagate) in zip(loggers, before, strict=True):
        each.handlers, each.propagate = handlers, propagate
        each.setLevel(level)


@pytest.mark.usefixtures("kept_logging")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["lines", "json"])
def test_examples_of_the_guide(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(example(form)["LOGGING"])
    Token.objects.create(expires_at=timezone.now() - timedelta(minutes=5))
    run_due()
    try:
        raise ValueError("as in a failing watch")
    except ValueError:
        Log("purge")("watch_failed", "default: watch failed", database="default")
    first, *rest = capsys.readouterr().err.splitlines()
    if form == "lines":
        assert re.fullmatch(r"\S+ \S+ INFO run tokens: 1 purged", first)
        assert rest[-1] == "ValueError"
        return
    ran, failed = (json.loads(line) for line in (first, *rest))
    assert ran | {"time": "", "run": 1} == {
        "time": "", "level": "INFO", "logger": "purge", "message": "tokens: 1 purged",
        "action": "run", "policy": "tokens", "database": "default", "run": 1, "tombstoned": 0,
        "purged": 1, "updated": 0, "kept": 0, "held": 0, "blocked": 0, "locked": 0,
    }  # fmt: skip
    assert failed["traceback"].endswith("ValueError")


@pytest.mark.django_db(transaction=True)
def test_receiver_of_the_guide(capsys: pytest.CaptureFixture[str]) -> None:
    page = example("signals")["page"]
    try:
        Token.objects.create(expires_at=timezone.now() + timedelta(seconds=1))
        let_pass(timedelta(minutes=11))
        alerts.watch("default")
    finally:
        for each in vars(signals).values():
            if isinstance(each, Signal):
                each.disconnect(page)
    assert capsys.readouterr().out == "retention: tokens  1\n"


@pytest.mark.parametrize("way", WAYS)
def test_settings_of_the_guide(settings: Any, way: str) -> None:
    set_mail(settings, 25, way)
    given = {name: value for name, value in example(f"mails: {way}").items() if name.isupper()}
    assert all(hasattr(settings, name) for name in given)
    for name, value in given.items():
        setattr(settings, name, value)
    assert patient().host == "mail.example.com"
