"""Numbers that are names are shown as they are typed, also where a site groups thousands."""

import re
from pathlib import Path

import pytest

import lifecycle
import purge

APPS = [Path(str(app.__file__)).parent for app in (lifecycle, purge)]
TEMPLATES = sorted(path for app in APPS for path in app.glob("templates/**/*.html"))
NAME = re.compile(r"(?:=|{{ )((?:\w+\.)+(?:pk|id|event_id|number|run))(?: |%)")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_groups_a_name(template: Path) -> None:
    assert NAME.findall(template.read_text()) == []


def test_a_name_that_would_be_grouped_is_found() -> None:
    assert NAME.findall("{% blocktranslate with number=plan.pk %}{{ number }}") == ["plan.pk"]
    assert NAME.findall("<td>{{ entry.event_id }}</td>") == ["entry.event_id"]
    assert NAME.findall("with number=event.pk|unlocalize %}") == []
