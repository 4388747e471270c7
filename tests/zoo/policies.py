"""A policy for each kind of table."""

from datetime import timedelta

from django.db.models import (
    CharField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    Value,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Concat, Now

from lifecycle import (
    KeepNewest,
    KeepOldest,
    Notice,
    Policy,
    Signals,
    Stage,
    Stages,
    Update,
    Window,
    period_by,
    register,
    track_media,
)
from tests.zoo.models import (
    Account,
    Attachment,
    Badge,
    Client,
    Comment,
    Coupon,
    Draft,
    Draught,
    Errand,
    Guest,
    Knock,
    Leaver,
    Legacy,
    Life,
    Login,
    Member,
    Odd,
    Order,
    Person,
    Picture,
    Preference,
    Reading,
    Report,
    Scan,
    Sensor,
    Song,
    Spark,
    Ticket,
    Token,
    Trace,
    Upload,
    Visit,
)

HOUR = timedelta(hours=1)
DAYS = ExpressionWrapper(
    Cast(KeyTextTransform("days", "data"), IntegerField()) * Value(timedelta(days=1)),
    DurationField(),
)

register(
    Policy("tokens", Token, when=Q(active=True), expires="expires_at", cap_rows=10**9),
    Policy(
        "drafts",
        Draft,
        when=Q(status="draft"),
        expires=F("created_at") + timedelta(hours=24),
        grace=HOUR,
        keep_while=Exists(Picture.objects.filter(draft=OuterRef("pk"))),
    ),
    Policy("tickets", Ticket, expires="expires_at"),
    Policy("coupons", Coupon, expires="expires_at"),
    Policy("sensors", Sensor, expires="expires_at", grace=HOUR),
    Policy("odd-ones", Odd, expires="select"),
    Policy("reports", Report, when=Q(draft=True), expires="expires_at"),
    Policy("readings", Reading, expires="expires_at"),
    Policy("legacy", Legacy, expires="expires_at", capture=Signals()),
    Policy(
        "accounts",
        Account,
        when=Q(active=True),
        expires=F("seen_at") + timedelta(days=30),
        grace=HOUR,
        disposition=Update(active=False, email=""),
    ),
    Policy(
        "sparks",
        Spark,
        when=Q(flash=False),
        expires="expires_at",
        grace=timedelta(seconds=2),
        batch_rows=20,
    ),
    Policy(
        "flashes",
        Spark,
        when=Q(flash=True),
        expires="expires_at",
        batch_rows=20,
        cap_rows=10**9,
    ),
    Policy("members", Member, when=Q(status="draft"), expires="expires_at", grace=HOUR),
    Policy(
        "member-mails",
        Member,
        when=~Q(email=""),
        expires="left_at",
        disposition=Update(email=""),
    ),
    Policy("visits", Visit, on_request=True, identity=["pk", "made_at", "seq"]),
    Policy("people", Person, on_request=True, grace=HOUR),
    Policy("clients", Client, on_request=True, disposition=Update(email="", picture="")),
    Policy("comments", Comment, expires="expires_at"),
    Policy("attachments", Attachment, on_request=True),
    Policy("preferences", Preference, expires=F("created_at") + DAYS),
    Policy("orders", Order, expires="expires_at", grace=F("grace")),
    Policy(
        "tokens-short", Token, when=Q(label="short"), expires=F("expires_at") - HOUR, grace=HOUR
    ),
    Policy(
        "lives",
        Life,
        when=Q(active=True),
        expires="expires_at",
        grace=F("grace"),
        keep_while=Q(wanted=True),
        recheck=timedelta(minutes=90),
        cap_rows=10**9,
    ),
    Policy(
        "traces",
        Trace,
        when=~Q(label="pinned"),
        expires=F("made_at") + timedelta(days=30),
        keep_while=Q(wanted=True),
        capture=Window("1 day"),
        cap_rows=10**9,
    ),
    Policy("knocks", Knock, expires="until", grace=HOUR, capture=Window("1 hour"), cap_rows=10**9),
    Policy(
        "badges",
        Badge,
        expires="until",
        capture=Window("1 hour", record_subjects=False),
        cap_rows=10**9,
    ),
    Policy("songs", Song, expires="expires_at", grace=HOUR),
    Policy(
        "logins",
        Login,
        when=Q(real=True),
        expires=F("at") + HOUR,
        keep_while={
            "newest": KeepNewest(2, per="account", by="at"),
            "first": KeepOldest(1, per="account", by="at"),
            "pinned": Q(pinned=True),
        },
        cap_rows=10**9,
    ),
    Policy(
        "errands",
        Errand,
        expires=period_by(
            "outcome",
            {
                "done": timedelta(days=7),
                "failed": timedelta(days=90),
                "kept": None,
                None: timedelta(days=30),
            },
            since="done_at",
            otherwise=timedelta(days=365),
        ),
        cap_rows=10**9,
    ),
    Stages(
        "leavers",
        Leaver,
        Stage(
            "anonymise",
            timedelta(days=365),
            Update(
                name=Concat(Value("leaver "), Cast("pk", CharField())), email=None, emptied_at=Now()
            ),
        ),
        Stage("delete", timedelta(days=3 * 365)),
        since="left_at",
        when=Q(regular=False),
        grace=HOUR,
        cap_rows=10**9,
    ),
    Policy(
        "guests",
        Guest,
        expires=F("seen_at") + timedelta(days=365),
        grace=HOUR,
        keep_while=Q(wanted=True),
        notice=Notice(
            {
                "free": [timedelta(days=30), timedelta(days=7)],
                "trial": [],
                "paid": [timedelta(days=60)],
            },
            to="email",
            by="plan",
            language="language",
            time_zone="zone",
        ),
        cap_rows=10**9,
    ),
    Policy(
        "draughts", Draught, expires="made_at", grace=HOUR, keep_while=KeepNewest(3), cap_rows=10**9
    ),
)
track_media(Upload, grace=2 * HOUR)
track_media(Scan, grace=timedelta(0))
