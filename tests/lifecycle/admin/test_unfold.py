"""The pages beside django-unfold: in another process, for it takes the place of Django's site."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from demo.models import User
from lifecycle import hold
from lifecycle.ledger.row_names import named
from tests.infra.servers import ROOT
from tests.purge.worker.consumer import address
from tests.zoo.models import Draft

pytestmark = pytest.mark.django_db(transaction=True)
VISIT = """
import json, sys, django
django.setup()
from django.contrib import admin
from django.test import Client
from demo.models import User
client = Client()
client.force_login(User.objects.get(username="boss"))
pages = {path: client.get(path) for path in json.loads(sys.argv[1])}
shown = {path: [page.status_code, page.text] for path, page in pages.items()}
print(json.dumps([type(getattr(admin.site, "_wrapped", admin.site)).__name__, shown]))
"""


def visited(*paths: str) -> tuple[str, dict[str, list]]:
    """The class of the admin site, and status and text of each page."""
    own = {"DJANGO_SETTINGS_MODULE": "tests.lifecycle.admin.unfolded"}
    own |= {"DATABASE_URL": address()}
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", VISIT, json.dumps(paths)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    site, pages = json.loads(done.stdout.splitlines()[-1])
    return site, pages


@pytest.mark.slow
def test_every_page_of_ours_has_its_look() -> None:
    boss = User.objects.create_superuser("boss")
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(hours=3))
    hold(draft, reason="a dispute")
    row = f"{reverse('admin:lifecycle_row')}?row={named(draft)}"
    user = reverse("admin:demo_user_change", args=[boss.pk])
    said = {
        "/admin/lifecycle/": "What ends next",
        row: "a dispute",
        "/admin/lifecycle/event/": 'aria-label="Pages"',
        "/admin/lifecycle/agendaentry/": "drafts",
        "/admin/purge/run/": 'aria-label="Pages"',
        user: "This row is",
        f"{reverse('admin:purge_plan_add')}?model=zoo.Draft&act=hold": "column of condition 1",
        reverse("admin:purge_request_add"): "as app.Model:pk",
        f"{reverse('admin:purge_forecast_ahead')}?until=": "Nothing ends under",
    }
    site, pages = visited(*said)
    assert site == "UnfoldAdminSite"
    for path, (status, text) in pages.items():
        assert (path, status) == (path, 200)
        assert said[path] in text, path
        assert "unfold" in text, path
        if "agendaentry" not in path:
            assert "lifecycle/admin.css" in text, path
