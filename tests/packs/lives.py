"""The life of a row of each package, by the package's own API; runs inside the site."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth import authenticate, get_user_model, login
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.test import Client, RequestFactory
from django.utils import timezone

from tests.lifecycle.scaffolds.lives import days_later, ended, user

PASSWORD = "correct-horse-7"


def sign_in(name: str, password: str) -> Any:
    """A request, and who it is signed in as."""
    from django.contrib.sessions.backends.db import SessionStore

    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.7")
    request.session = SessionStore()
    if found := authenticate(request, username=name, password=password):
        login(request, found)
    return found


def axes() -> None:
    from axes.handlers.proxy import AxesProxyHandler
    from axes.models import AccessAttempt, AccessFailureLog, AccessLog

    user("alex", password=PASSWORD)
    assert sign_in("alex", PASSWORD)
    for _ in range(3):
        sign_in("lost", "wrong")

    def is_locked() -> bool:
        request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.7")
        request.axes_attempt_time = timezone.now()
        return not AxesProxyHandler.is_allowed(request, {"username": "lost"})

    assert is_locked()
    days_later(29)
    assert (AccessLog.objects.count(), AccessFailureLog.objects.count()) == (1, 3)
    days_later(6)  # of AXES_COOLOFF_TIME 5 days are left
    assert (AccessLog.objects.count(), AccessFailureLog.objects.count()) == (0, 0)
    assert is_locked()
    days_later(6)
    assert not is_locked()
    assert not AccessAttempt.objects.exists()
    assert ended("axes-attempts") == 1


def celery_results() -> None:
    from celery import Celery, group
    from django_celery_results.models import GroupResult, TaskResult

    app = Celery("site", backend="django-db", set_as_current=False)
    app.conf.update(task_always_eager=True, task_store_eager_result=True, result_expires=None)

    @app.task(name="half")
    def half(number: int) -> float:
        return number / 2

    half.delay(4)
    half.delay("no number")
    app.backend.store_result("under-way", None, "STARTED")
    app.backend.store_result("again", None, "RETRY")
    done = group(half.s(1), half.s(2)).apply()
    done.save(backend=app.backend)
    days_later(6)
    assert TaskResult.objects.filter(status="SUCCESS").exists()
    days_later(2)
    assert sorted(TaskResult.objects.values_list("status", flat=True)) == [
        "FAILURE", "RETRY", "STARTED",
    ]  # fmt: skip
    days_later(21)
    assert TaskResult.objects.count() == 3
    assert GroupResult.objects.count() == 1
    days_later(2)
    assert {*TaskResult.objects.values_list("task_id", flat=True)} == {"under-way", "again"}
    assert not GroupResult.objects.exists()
    app.backend.store_result("under-way", 1.0, "SUCCESS")  # counts from now
    days_later(6)
    assert TaskResult.objects.filter(task_id="under-way").exists()
    days_later(2)
    assert TaskResult.objects.get().task_id == "again"


def work_off() -> None:
    """What Q2's cluster does with what is queued, in this process."""
    from multiprocessing import Queue, Value

    from django_q.brokers import get_broker
    from django_q.monitor import monitor
    from django_q.signing import SignedPackage
    from django_q.worker import worker

    broker, tasks, results = get_broker(), Queue(), Queue()
    while found := broker.queue_size() and broker.dequeue():
        for ack_id, payload in found:
            tasks.put(SignedPackage.loads(payload) | {"ack_id": ack_id})
    tasks.put("STOP")
    worker(tasks, results, Value("f", -1))
    results.put("STOP")
    monitor(results, broker)


def q2() -> None:
    from django_q.models import OrmQ, Schedule, Task
    from django_q.tasks import async_task, fetch, schedule

    good, bad = async_task("math.sqrt", 4), async_task("math.sqrt", -4)
    work_off()
    async_task("math.sqrt", 9)
    schedule("math.sqrt", 16, schedule_type="D")
    assert fetch(good).result == 2.0
    assert fetch(bad).success is False
    days_later(8)
    assert Task.objects.get().id == bad
    days_later(23)
    assert not Task.objects.exists()
    assert (OrmQ.objects.count(), Schedule.objects.count()) == (1, 1)
    assert (ended("q2-successes"), ended("q2-failures")) == (1, 1)


def reversion() -> None:
    import reversion
    from reversion.models import Revision, Version
    from shop.models import Letter

    def write(letter: Any, text: str) -> None:
        with reversion.create_revision():
            letter.text = text
            letter.save()

    first, second = Letter(), Letter()
    write(first, "a")
    write(second, "b")
    write(first, "aa")
    days_later(300)
    write(first, "aaa")
    days_later(66)
    texts = [v.field_dict["text"] for v in Version.objects.get_for_object(first)]
    assert texts == ["aaa"]
    assert Version.objects.get_for_object(second).count() == 1  # old, and the latest
    first.delete()
    days_later(400)
    Version.objects.get_deleted(Letter).get().revision.revert()
    assert Letter.objects.filter(text="aaa").exists()
    assert Revision.objects.count() == 2
    assert ended("reversion-revisions") == 2


def simple_history() -> None:
    from shop.models import Note

    note = Note.objects.create(title="a")
    note.title = "b"
    note.save()
    days_later(729)
    assert note.history.count() == 2
    days_later(2)
    assert note.history.get().title == "b"  # the newest of a row that is there
    note.title = "c"
    note.save()
    days_later(31)
    assert note.history.get().title == "c"
    key = note.pk
    note.delete()
    days_later(600)
    assert Note.history.filter(id=key).count() == 2
    days_later(131)
    assert not Note.history.filter(id=key).exists()
    assert ended("history-shop-note") == 4


def easy_audit() -> None:
    from easyaudit.models import CRUDEvent, LoginEvent, RequestEvent

    user("eve", password=PASSWORD)
    Group.objects.create(name="audited")
    Client().get("/audited")
    sign_in("eve", PASSWORD)

    def left() -> tuple[int, int, int]:
        requests = RequestEvent.objects.filter(url="/audited")
        logins = LoginEvent.objects.filter(username="eve")
        return requests.count(), logins.count(), CRUDEvent.objects.count()

    assert left() == (1, 1, 1)
    days_later(29)
    assert left() == (1, 1, 1)
    days_later(2)
    assert left() == (0, 1, 1)
    days_later(60)
    assert left() == (0, 0, 1)
    days_later(275)
    assert left() == (0, 0, 0)


def silk() -> None:
    from silk.models import Profile, Request, Response, SQLQuery
    from silk.profiling.profiler import silk_profile

    Client().get("/profiled")
    with silk_profile(name="alone"):
        Group.objects.count()
    request = Request.objects.get()
    path = Path(request.prof_file.path)
    assert path.exists()
    assert SQLQuery.objects.filter(request=request).exists()
    Profile.objects.create(name="alone", start_time=timezone.now())
    days_later(6)
    assert Response.objects.count() == 1
    days_later(2)
    for model in (Request, Response, SQLQuery, Profile):
        assert not model.objects.exists(), model
    assert not path.exists()
    assert ended("silk-requests") == 2  # with its query


def activity_stream() -> None:
    from actstream import action
    from actstream.actions import follow
    from actstream.models import Action, Follow
    from actstream.registry import register

    register(get_user_model(), Group)
    ann, club = user("ann"), Group.objects.create(name="club")
    follow(ann, club, send_action=False)
    action.send(ann, verb="joined", target=club)
    days_later(364)
    action.send(ann, verb="left", target=club)
    days_later(2)
    assert ann.actor_actions.get().verb == "left"
    days_later(370)
    assert not Action.objects.exists()
    assert Follow.objects.get().follow_object == club
    assert ended("old-actions") == 2


def otp() -> None:
    from django.core import mail
    from django_otp.oath import TOTP
    from django_otp.plugins.otp_email.models import EmailDevice
    from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
    from django_otp.plugins.otp_totp.models import TOTPDevice

    mail.outbox = []
    owner = user("otto")
    used = TOTPDevice.objects.create(user=owner, name="used", confirmed=False)
    TOTPDevice.objects.create(user=owner, name="never", confirmed=False)
    StaticDevice.objects.create(user=owner, name="codes").token_set.create(
        token=StaticToken.random_token()
    )
    address = EmailDevice.objects.create(user=owner, name="mail", email="otto@example.com")
    address.generate_challenge()
    days_later(6)
    assert used.verify_token(TOTP(used.bin_key).token())
    used.confirmed = True
    used.save()
    assert TOTPDevice.objects.count() == 2
    assert EmailDevice.objects.get().token is None
    days_later(2)
    assert TOTPDevice.objects.get().name == "used"
    days_later(2000)
    assert TOTPDevice.objects.get().name == "used"
    assert (StaticDevice.objects.count(), StaticToken.objects.count()) == (1, 1)
    assert EmailDevice.objects.count() == 1
    assert ended("unconfirmed-totpdevices") == 1


def webauthn() -> None:
    from django_otp_webauthn.models import WebAuthnAttestation, WebAuthnCredential

    from tests.packs.authenticator import Authenticator

    here, gone = user("here"), user("gone")
    keys = {name: Authenticator(owner) for name, owner in (("here", here), ("gone", gone))}
    for key in keys.values():
        key.register()
    WebAuthnCredential.objects.filter(user=gone).update(confirmed=True)
    never = Authenticator(user("never"))
    never.register()
    WebAuthnCredential.objects.filter(user=never.owner).update(confirmed=False)
    days_later(8)
    assert {*WebAuthnCredential.objects.values_list("user__username", flat=True)} == {*keys}
    days_later(300)
    keys["gone"].sign_in()
    gone.is_active = False
    gone.save()
    days_later(300)
    assert WebAuthnCredential.objects.count() == 2  # used within the year
    days_later(100)
    assert WebAuthnCredential.objects.get().user == here  # active, and never used
    assert WebAuthnAttestation.objects.count() == 1
    keys["here"].sign_in()
    assert ended("unconfirmed-passkeys") == ended("passkeys-of-inactive-users") == 1


def guardian() -> None:
    from guardian.models import GroupObjectPermission, UserObjectPermission
    from guardian.shortcuts import assign_perm

    gina, team = user("gina"), Group.objects.create(name="team")
    stays, goes = (Group.objects.create(name=name) for name in ("stays", "goes"))
    for target in (stays, goes):
        assign_perm("change_group", gina, target)
        assign_perm("change_group", team, target)
    days_later(30)
    assert UserObjectPermission.objects.filter(user=gina).count() == 2
    goes.delete()
    days_later(7)
    days_later(2)
    assert UserObjectPermission.objects.get(user=gina).content_object == stays
    assert GroupObjectPermission.objects.get(group=team).content_object == stays
    gina = get_user_model().objects.get(pk=gina.pk)
    assert gina.has_perm("auth.change_group", stays)
    assert ended("orphaned-user-permissions") == ended("orphaned-group-permissions") == 1


def wagtail() -> None:
    from wagtail.models import (
        Comment,
        GroupApprovalTask,
        Page,
        PageLogEntry,
        Revision,
        Workflow,
        WorkflowTask,
    )  # fmt: skip

    author = user("wanda", is_superuser=True)
    root = Page.objects.get(depth=1)

    def page_of(title: str) -> Any:
        return root.add_child(instance=Page(title=title, slug=title, owner=author))

    def revise(page: Any, title: str) -> Any:
        page.title = title
        return page.save_revision(user=author, log_action=True)

    page, plan, flow = page_of("page"), page_of("plan"), page_of("flow")
    made = {name: revise(page, name) for name in ("old", "live", "said", "new")}
    made["live"].publish(user=author)
    Comment.objects.create(
        page=page, user=author, text="?", contentpath="title", revision_created=made["said"]
    )
    plan.go_live_at = timezone.now() + timedelta(days=999)
    made["planned"] = plan.save_revision(user=author, approved_go_live_at=plan.go_live_at)
    made["after"] = revise(plan, "after")
    workflow = Workflow.objects.create(name="reviewed")
    task = GroupApprovalTask.objects.create(name="approve")
    WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=0)
    made["asked"] = revise(flow, "asked")
    state = workflow.start(flow, author)
    made["later"] = revise(flow, "later")
    days_later(364)
    assert Revision.objects.count() == len(made)
    assert PageLogEntry.objects.exists()
    days_later(2)

    def left() -> set[str]:
        keys = {*Revision.objects.values_list("pk", flat=True)}
        return {name for name, revision in made.items() if revision.pk in keys}

    assert left() == {*made} - {"old"}
    assert Comment.objects.get().revision_created == made["said"]
    state.cancel(user=author)
    days_later(31)
    assert left() == {*made} - {"old", "asked"}
    days_later(400)
    assert left() == {*made} - {"old", "asked"}
    assert Page.objects.get(pk=page.pk).get_latest_revision_as_object().title == "new"
    assert not PageLogEntry.objects.filter(action="wagtail.create").exists()
    assert ended("wagtail-revisions") == 2


def post_office() -> None:
    from post_office import mail
    from post_office.models import Attachment, Email, Log

    def send(subject: str, **how: Any) -> Any:
        file = {f"{subject}.txt": ContentFile(b"text")}
        return mail.send("to@example.com", "from@example.com", subject=subject, message="m",
                         attachments=file, **how)  # fmt: skip

    sent, waits = send("sent", priority="now"), send("waits")
    path = Path(sent.attachments.get().file.path)
    days_later(89)
    assert (Email.objects.count(), Attachment.objects.count()) == (2, 2)
    days_later(2)
    assert Email.objects.get() == waits
    assert not Log.objects.filter(email_id=sent.pk).exists()
    days_later(1)
    days_later(2)
    assert Attachment.objects.get() == waits.attachments.get()
    assert not path.exists()
    assert Path(waits.attachments.get().file.path).exists()
    assert mail.send_queued()[0] == 1  # after three months it can still be sent
    days_later(95)
    assert not Email.objects.exists()
    assert ended("old-emails") == 2


def knox() -> None:
    from knox.models import AuthToken

    owner = user("kim")
    AuthToken.objects.create(owner, expiry=timedelta(days=2))
    _, forever = AuthToken.objects.create(owner, expiry=None)
    days_later(1)
    assert AuthToken.objects.count() == 2
    days_later(2)
    assert AuthToken.objects.get().expiry is None
    days_later(900)
    assert AuthToken.objects.get().token_key == forever[:15]
    assert ended("expired-auth-tokens") == 1


def import_export() -> None:
    """Its log is the admin's."""
    from django.contrib.admin.models import LogEntry

    browser = Client()
    browser.force_login(
        user("iris", is_staff=True, is_superuser=True),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    file = ContentFile(b"id,name\n,imported\n", name="groups.csv")
    answer = browser.post("/admin/auth/group/import/", {"import_file": file, "format": "0"})
    assert answer.status_code == 302, answer.content
    assert LogEntry.objects.get().object_repr == "imported"
    days_later(364)
    assert LogEntry.objects.count() == 1
    days_later(2)
    assert not LogEntry.objects.exists()
    assert Group.objects.filter(name="imported").exists()
    assert ended("old-admin-log-entries") == 1
