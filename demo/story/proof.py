"""What ended is sealed and published; a certificate of one deletion is checked by a stranger."""

import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from demo import facts
from demo.models import PendingRegistration
from lifecycle.sealing.log import read_log

from .frame import Step, Story, StoryError


def published(story: Story) -> str:
    """The worker does it within seconds, and waits for nobody."""
    last = facts.last_event()
    story.until(lambda: _has_published(last), "the ledger published")
    log = read_log(facts.USING)
    if log is None:
        raise StoryError("no log is begun")
    return f"{log.shipped} events of {log.origin} are sealed, signed and published"


def _has_published(event: int) -> bool:
    log = read_log(facts.USING)
    if log and log.alarm:
        raise StoryError(f"{log.alarm['kind']}: {log.alarm['text']}; {log.alarm['command']}")
    return bool(log and log.shipped == log.size and log.last_event >= event)


def certified(story: Story) -> str:
    """Of a registration that was purged; checked as by somebody who has the file and a key."""
    label = PendingRegistration._meta.label
    rows = [name for name in story.whole.rows if name.startswith(label.lower())]
    name = next(name for name in rows if name != f"{label.lower()}:{story.first.pk}")
    with tempfile.TemporaryDirectory() as folder:
        key = StringIO()
        call_command("lifecycle", "proof", "--public-key", stdout=key)
        row = f"{label}:{name.partition(':')[2]}"
        quiet = {"stdout": StringIO(), "stderr": StringIO()}
        call_command("lifecycle", "certificate", row, "--out", folder, **quiet)
        (path,) = Path(folder).glob("*.tlog-proof")
        checked = _checked(path, key.getvalue().strip())
        return f"{checked}; python -m lifecycle.certificate: it holds, offline"


def _checked(path: Path, key: str) -> str:
    """The certificate's first line; `StoryError` where it does not hold."""
    command = [sys.executable, "-m", "lifecycle.certificate", str(path), "--key", key]
    where = settings.BASE_DIR
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StoryError(f"the certificate was refused: {done.stderr}")
    return done.stdout.partition("\n")[0]


STEPS: dict[str, Step] = {"published": published, "certificate": certified}
