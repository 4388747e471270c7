"""Guides done as they are written, in one site; the tests are one story, in order.

The first of them is `make test`'s too.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import django
import psycopg
import pytest
from django.conf import settings

from tests.advice.following import Site, fresh, marked
from tests.advice.test_followed import test_answer_an_erasure_request  # noqa: F401
from tests.demo.telling import own_database
from tests.infra.guides import blocks
from tests.infra.servers import ROOT, until
from tests.places.test_guides import ask
from tests.s3 import strict
from tests.s3.swift import Bucket


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, database_server: None, worker_id: str
) -> Iterator[Site]:
    with fresh(tmp_path_factory.mktemp("followed"), f"test_followed_{worker_id}") as site:
        yield site


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with strict.running() as server:
        yield server.bucket()


DRAFTS = """
from datetime import timedelta
from django.db.models import F
from lifecycle import Policy, register
from .models import Draft

end = F("created_at") + timedelta(days=1)
register(Policy("drafts", Draft, expires=end, grace=timedelta(days=7)))
"""


def test_test_your_policies(site: Site) -> None:
    """test-your-policies.md: the suite that it shows, by the runner of Django"""
    site.append("shop/policies.py", DRAFTS)
    site.follow("test-your-policies.md")
    site.manage("makemigrations -v0")
    assert "Ran 1 test in" in site.run("python manage.py test shop 2>&1")


def test_archive_to_s3_or_r2(site: Site, bucket: Bucket) -> None:
    """archive-to-s3-or-r2.md: in a bucket, by the variables that it names"""
    site.variables |= {name: str(value) for name, value in bucket.settings.items()}
    site.follow("archive-to-s3-or-r2.md")
    site.manage("makemigrations -v0", "migrate -v0")
    site.sql(LOGS)
    site.manage("purge")
    assert bucket.keys() == []
    site.sql(NEXT_MONTH)
    site.manage("purge")
    assert site.sql("SELECT actor FROM audit_logs") == [("new",)]
    name = site.archive()
    assert name.startswith("audit_logs_20241001_to_20241227_2")
    written = [f"audit-archives/{name}{end}" for end in (".json", ".manifest.json", ".txt")]
    assert bucket.keys() == written
    assert bucket.get(written[2]).count(b"anna") == 12


NEXT_MONTH = "UPDATE lifecycle_agenda SET due_at = now() WHERE policy = 'audit-logs'"
LOGS = """
INSERT INTO audit_logs (actor, detail, created_at)
SELECT 'anna', '{}', timestamptz '2024-10-01 12:00 UTC' + n * interval '1 day'
  FROM generate_series(0, 11) n;
INSERT INTO audit_logs (actor, detail, created_at)
VALUES ('bert', '{}', '2024-12-27 12:00 UTC'), ('new', '{}', now());
"""


COUNT = "from shop.models import AuditLog; print(AuditLog.objects.count(), 'rows')"
COUNTED = f"""\
$ python manage.py purge -v0
$ python manage.py shell -v0 -c "{COUNT}"
"""


def test_bring_rows_back(site: Site, bucket: Bucket) -> None:
    """bring-rows-back.md: of the archive that the guide before has made"""
    written = {"audit_logs_20241001_to_20241227_20250127_040001": site.archive()}
    looked, aside, loaded, released, untrusted = marked("bring-rows-back.md", **written)
    site.typed(looked[1] + aside[1])
    assert site.sql("SELECT actor, count(*) FROM looked_at GROUP BY 1 ORDER BY 1") == [
        *(("anna", 12), ("bert", 1))
    ]
    assert site.sql("SELECT actor FROM audit_logs") == [("new",)]
    site.typed(loaded[1])
    site.sql(NEXT_MONTH)
    told = site.typed(COUNTED + released[1] + untrusted[1].replace("looked_at", "unknown"))
    assert "13 rows\n" in told
    assert site.sql("SELECT count(*) FROM unknown") == [(13,)]
    site.sql(NEXT_MONTH)
    site.manage("purge")
    assert site.sql("SELECT count(*) FROM audit_logs") == [(1,)]
    assert len(bucket.keys("audit-archives/")) == 6


def test_cover_every_model(site: Site) -> None:
    """cover-every-model.md: what the check prints is pasted, and is content then"""
    (_, setting), (_, pasted) = marked("cover-every-model.md")
    before = {name: (site.path / name).read_text() for name in CODE}
    site.append("mysite/settings.py", setting)
    told = site.refused("python manage.py check")
    assert all(line.strip() in told for line in pasted.splitlines() if "keep_forever(" in line)
    code = re.findall(r"^\s*((?:from \S+ import|keep_forever\().*)$", told, re.MULTILINE)
    site.append("shop/policies.py", "\n".join(code) + "\n")
    assert "lifecycle.W041" in site.run("python manage.py check 2>&1")
    for name, text in before.items():
        site.write(name, text)


def test_run_without_huey(site: Site) -> None:
    """run-without-huey.md: passes by a scheduler, and by a task where Django has tasks"""
    (_, apps), (_, cron) = marked("run-without-huey.md")
    own = (site.path / "mysite/settings.py").read_text()
    site.write("mysite/no_huey.py", WITHOUT.sub(apps, own, count=1))
    site.variables["DJANGO_SETTINGS_MODULE"] = "mysite.no_huey"
    site.sql(OVERDUE_DRAFT)
    site.manage("check --fail-level ERROR", "purge")
    assert site.sql(DRAFTS_ENDED) == [(1,)]
    if django.VERSION >= (6, 0):
        site.sql(OVERDUE_DRAFT)
        site.run(cron.removeprefix("* * * * *").strip())
        assert site.sql(DRAFTS_ENDED) == [(2,)]
    del site.variables["DJANGO_SETTINGS_MODULE"]


WITHOUT = re.compile(r"from purge.queue import queue\n.*?HUEY = queue\(\)\n", re.DOTALL)
OVERDUE_DRAFT = "INSERT INTO shop_draft (created_at) VALUES (now() - interval '2 days')"
DRAFTS_ENDED = (
    "SELECT count(*) FROM lifecycle_event WHERE policy = 'drafts' AND kind = 'tombstoned'"
)


def test_uninstall(site: Site) -> None:
    """uninstall.md: to the end but the last line, for the environment is that of the tests"""
    taken, cut, gone, back = (text for _, text in marked("uninstall.md"))
    code = {name: (site.path / name).read_text() for name in CODE}
    site.write("shop/models.py", MIXIN.sub("", code["shop/models.py"]))
    site.typed(taken.replace("jsonl", "jsonl --yes"))
    assert site.sql(OURS) == [(0,)]
    assert len((site.path / "ledger.jsonl").read_text().splitlines()) > 10
    site.typed(cut.replace("--migrations", "--migrations --yes"))
    (site.path / "shop/policies.py").unlink()
    site.write("mysite/settings.py", WITHOUT.sub("", code["mysite/settings.py"]))
    *commands, last = gone.splitlines(True)
    assert last == "python -m pip uninstall django-tombstone\n"
    site.typed("".join(commands))
    assert "lifecycle" not in "".join(map(Path.read_text, site.path.glob("shop/migrations/*.py")))
    count = site.sql("SELECT count(*) FROM lifecycle_event")
    site.sql(f"{OVERDUE_DRAFT}; DELETE FROM shop_draft; DELETE FROM audit_logs")
    assert site.sql("SELECT count(*) FROM lifecycle_event") == count
    for name, text in code.items():
        site.write(name, text)
    site.typed("python manage.py makemigrations\n" + back)
    site.manage("check --database default --fail-level ERROR")
    site.sql(OVERDUE_DRAFT)
    assert site.sql("SELECT count(*) FROM lifecycle_event") > count


CODE = ("shop/models.py", "shop/policies.py", "mysite/settings.py")
MIXIN = re.compile(r"^from lifecycle.*\n|LifecycleQuerySetMixin, ", re.MULTILINE)
OURS = """
SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND starts_with(tgname, 'pgtrigger_lc_')
"""


PASSWORD = "only-a-test"  # for servers that ask for one


@pytest.fixture
def roles(site: Site) -> Iterator[tuple[str, dict[str, str]]]:
    """A database, and what the guide's names are here: roles are of the whole server."""
    name = f"{site.variables['PGDATABASE']}_roles"
    kinds = ("owner", "site", "officer", "worker", "reader")
    entry = settings.DATABASES["default"]
    try:
        with own_database(entry, name) as url:
            yield (
                url,
                {f"shop_{kind}": f"{name}_{kind}" for kind in kinds}
                | {"DATABASE shop": f"DATABASE {name}"},
            )
    finally:
        site.sql("; ".join(f"DROP ROLE IF EXISTS {name}_{kind}" for kind in kinds))


def test_roles_and_an_easy_database(site: Site, roles: tuple[str, dict[str, str]]) -> None:
    """roles.md, go-easy-on-the-database.md: each process logs in as its role, and may no more"""
    url, names = roles
    (_, made), (_, granted) = marked("roles.md", **names)
    (_, setting), (_, stats) = marked("go-easy-on-the-database.md")
    ask(url, made)
    logins = {
        kind: login(site, url, names[f"shop_{kind}"])
        for kind in ("owner", "site", "officer", "worker", "reader")
    }
    site.append("mysite/settings.py", setting)
    acting(site, logins["owner"]).typed(granted)
    ask(logins["site"], OVERDUE_DRAFT)
    ask(url, stats.replace("TO worker", f"TO {names['shop_worker']}"))
    told = acting(site, logins["worker"]).manage(
        "purge", "check --database default", "lifecycle status"
    )
    assert "W12" not in told
    assert ask(logins["reader"], DRAFTS_ENDED) == [(1,)]
    for kind, refused in NOT_FOR.items():
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(logins[kind], refused)
    site.use(default=site.url)


NOT_FOR = {
    "site": "DELETE FROM lifecycle_agenda",
    "worker": "UPDATE lifecycle_event SET count = 7",
    "reader": "SELECT * FROM shop_draft",
}


def login(site: Site, url: str, role: str) -> str:
    site.sql(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'")
    return re.sub("//.*?@", f"//{role}:{PASSWORD}@", url)


def acting(site: Site, url: str) -> Site:
    """The same project, as a process that logs in by this URL."""
    site.use(default=url)
    return site


COUPONS = """
from lifecycle import Policy, register
from .models import Coupon
register(Policy("coupons", Coupon, expires="ends_at"))
"""


def test_recover_after_a_restore(site: Site) -> None:
    """recover-after-a-restore.md: a table from a dump of yesterday, beside today's ledger"""
    (_, paused), (_, replayed), (_, code) = marked("recover-after-a-restore.md")
    site.append("shop/policies.py", COUPONS)
    site.manage("makemigrations -v0", "migrate -v0")
    site.sql(SUMMER)
    site.run("pg_dump -Fc -t shop_coupon > yesterday")
    site.manage("purge", *(line.removeprefix("python manage.py ") for line in paused.splitlines()))
    assert site.sql(CAMPAIGNS) == [("kept",), ("summer",)]
    site.sql("TRUNCATE shop_coupon")
    site.run('pg_restore --data-only --disable-triggers -d "$PGDATABASE" yesterday')
    assert site.sql(CAMPAIGNS) == [("kept",), ("old",), ("summer",)]
    site.typed(f"{replayed.rstrip()} --yes\n")
    assert site.sql(CAMPAIGNS) == [("kept",), ("summer",)]
    site.code(f"{COUPON}\n{code}")
    site.manage("purge --replay --yes")
    assert site.sql(CAMPAIGNS) == [("kept",), ("summer",)]
    assert site.sql(SAID) == [("loaded", "ops: jo"), ("restored", "ops: jo")]


SUMMER = """
INSERT INTO shop_coupon (campaign, ends_at)
VALUES ('old', now() - interval '1 d'), ('summer', now() + interval '9 d'),
       ('kept', now() + interval '9 d');
"""
CAMPAIGNS = "SELECT campaign FROM shop_coupon ORDER BY 1"
COUPON = """
from shop.models import Coupon
coupon = Coupon.objects.get(campaign="kept")
"""
SAID = """
SELECT kind, actor FROM lifecycle_event
 WHERE policy = 'coupons' AND kind IN ('loaded', 'restored') ORDER BY 1
"""


def test_back_up_and_restore(site: Site) -> None:
    """back-up-and-restore.md: the whole of it, one schema of it, and an empty database again"""
    ledger = site.sql(LEDGER)
    site.run("pg_dump > whole.sql\npg_dump -n public > public.sql")
    with own_database(settings.DATABASES["default"], f"{site.variables['PGDATABASE']}_copy") as url:
        copy = acting(site, url)
        site.run(f"psql -q '{url}' < whole.sql")
        assert ask(url, LEDGER) == ledger
        copy.manage("lifecycle status", "check --database default --fail-level ERROR")
        ask(url, "DROP SCHEMA public, lifecycle CASCADE")
        site.run(f"psql -q '{url}' < public.sql")
        assert "lifecycle install" in site.run("python manage.py lifecycle status 2>&1 || true")
        copy.manage("lifecycle install", "lifecycle status")
        assert ask(url, LEDGER) == ledger
        [(_, emptied)] = marked("back-up-and-restore.md")
        copy.typed(emptied.replace("ledger", "ledger --yes").replace("flush", "flush --no-input"))
        assert ask(url, "SELECT count(*) FROM shop_coupon") == [(0,)]
        ask(url, SUMMER)
        assert ask(url, LEDGER) != ledger
        site.use(default=site.url)
    assert site.sql(LEDGER) == ledger


LEDGER = "SELECT count(*), max(id) FROM lifecycle_event"


def test_add_to_an_existing_site(site: Site) -> None:
    """add-to-an-existing-site.md: the README's policy on a table of 30 carts; 20 are due"""
    first, looked, observed, late, worker, report, enabled, stopped = (
        text for _, text in marked("add-to-an-existing-site.md")
    )
    # The policy that the guide of archives has left has no index, which a check tells.
    site.append("mysite/settings.py", 'SILENCED_SYSTEM_CHECKS = ["lifecycle.W029"]\n')
    site.manage("makemigrations -v0", "migrate -v0")
    site.sql(CARTS)
    site.typed(first)
    assert "shop.Cart" in site.typed(looked)
    site.append("shop/policies.py", blocks(ROOT / "README.md")["policies"])
    site.typed(observed + late)
    assert site.sql(STATE) == [("observe",)]
    with site.running(worker):
        until(lambda: site.sql(LISTED) == [(20,)], 60)
    report += "python manage.py purge\n" + enabled.replace("\n", " --yes\n")
    told = site.typed(report)
    assert re.search(r"^20 +rows match", told, re.MULTILINE)
    assert site.sql(STATE) == [("enabled",)]
    assert site.sql(ENDED) == [(0,)]
    site.typed("python manage.py purge\n" + stopped)
    assert site.sql(ENDED) == [(20,)]
    assert site.sql("SELECT count(*) FROM shop_cart") == [(30,)]
    assert site.sql(STATE) == [("paused",)]


CARTS = """
INSERT INTO shop_cart (paid, created_at)
SELECT n > 20, now() - interval '31 days' FROM generate_series(1, 30) n
"""
STATE = "SELECT state FROM lifecycle_policy WHERE name = 'unpaid-carts'"
LISTED = "SELECT coalesce(sum(count), 0)::int FROM lifecycle_agenda WHERE policy = 'unpaid-carts'"
ENDED = """
SELECT coalesce(sum(count), 0)::int FROM lifecycle_event
 WHERE policy = 'unpaid-carts' AND kind = 'tombstoned'
"""
