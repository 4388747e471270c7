"""One model for each kind of table that a site may have."""

import uuid

from django.db import models

from lifecycle import LifecycleQuerySetMixin


class ZooQuerySet(LifecycleQuerySetMixin, models.QuerySet):
    pass


class Token(models.Model):
    """The plain case: a nullable end, no grace."""

    label = models.CharField(max_length=50, blank=True)
    active = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True)
    objects = ZooQuerySet.as_manager()


class Draft(models.Model):
    """A condition, a grace, children that keep or protect it."""

    title = models.CharField(max_length=50, blank=True)
    status = models.CharField(max_length=10, default="draft")
    created_at = models.DateTimeField()
    objects = ZooQuerySet.as_manager()


class Picture(models.Model):
    """Keeps its draft while it is there."""

    draft = models.ForeignKey(Draft, models.CASCADE)


class Contract(models.Model):
    """Protects its draft."""

    draft = models.ForeignKey(Draft, models.PROTECT)


class Ticket(models.Model):
    """A UUID key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    expires_at = models.DateTimeField(null=True)


class Coupon(models.Model):
    """A text key."""

    code = models.CharField(primary_key=True, max_length=40)
    expires_at = models.DateTimeField(null=True)


class Odd(models.Model):
    """Names that have to be quoted."""

    order = models.BigAutoField(primary_key=True, db_column="Primary Key")
    select = models.DateTimeField(null=True, db_column="from where's")

    class Meta:
        db_table = "Zoo; it's an odd table"


class Document(models.Model):
    """A parent table with the column that decides."""

    expires_at = models.DateTimeField(null=True)


class Report(Document):
    """A child table with the policy."""

    draft = models.BooleanField(default=True)


class Reading(models.Model):
    """A partitioned table; the migration makes the partitions."""

    id = models.BigAutoField(primary_key=True)
    region = models.CharField(max_length=10)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        managed = True


class Legacy(models.Model):
    """A table without triggers."""

    file = models.FileField(blank=True)
    expires_at = models.DateTimeField(null=True)


class Account(models.Model):
    """A row that is changed instead of deleted."""

    email = models.CharField(max_length=50, blank=True)
    active = models.BooleanField(default=True)
    seen_at = models.DateTimeField()


class Member(models.Model):
    """Known by the moment it joined; two policies, one of which changes the row."""

    email = models.CharField(max_length=50, blank=True)
    status = models.CharField(max_length=10, default="draft")
    joined_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)


class Visit(models.Model):
    """Goes along with its member, and has a policy of its own."""

    member = models.ForeignKey(Member, models.CASCADE)
    made_at = models.DateTimeField(auto_now_add=True)
    seq = models.IntegerField(null=True)


class Person(models.Model):
    """Ends only on request."""

    name = models.CharField(max_length=50, blank=True)


class Preference(models.Model):
    """An end that depends on a number in JSON, which may be anything."""

    created_at = models.DateTimeField()
    data = models.JSONField(default=dict)


class Order(models.Model):
    """A grace that is a column, and children that go along."""

    expires_at = models.DateTimeField(null=True)
    grace = models.DurationField(null=True)


class Spark(models.Model):
    """Ends within seconds: with a grace of two, or with none."""

    flash = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    objects = ZooQuerySet.as_manager()


class Line(models.Model):
    """Goes along with its order."""

    order = models.ForeignKey(Order, models.CASCADE)


class Comment(models.Model):
    """Rows above rows in one table; what answers a comment goes along with it."""

    above = models.ForeignKey("self", models.CASCADE, null=True)
    expires_at = models.DateTimeField(null=True)


class Attachment(models.Model):
    """Goes along with its comment, and has a policy of its own."""

    comment = models.ForeignKey(Comment, models.CASCADE)


class Life(models.Model):
    """Every way in which a row's end can move, in its own columns."""

    label = models.CharField(max_length=50, blank=True)
    active = models.BooleanField(default=True)
    wanted = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True)
    grace = models.DurationField(null=True)
    objects = ZooQuerySet.as_manager()


class Photo(models.Model):
    """Goes along with its person, and leaves a file behind."""

    person = models.ForeignKey(Person, models.CASCADE)
    file = models.FileField(blank=True)


class Call(models.Model):
    """Stays when its person goes."""

    person = models.ForeignKey(Person, models.SET_NULL, null=True)


class Bill(models.Model):
    """Protects its person."""

    person = models.ForeignKey(Person, models.PROTECT)


class Client(models.Model):
    """Changed on request instead of deleted."""

    email = models.CharField(max_length=50, blank=True)
    picture = models.FileField(blank=True)
    active = models.BooleanField(default=True)


class Sensor(models.Model):
    """A key whose text in PostgreSQL is not its text in Python."""

    address = models.GenericIPAddressField(primary_key=True)
    expires_at = models.DateTimeField(null=True)
    objects = ZooQuerySet.as_manager()


class Probe(models.Model):
    """Goes along with its sensor; without a policy, and with such a key too."""

    address = models.GenericIPAddressField(primary_key=True)
    sensor = models.ForeignKey(Sensor, models.CASCADE)


class Sample(models.Model):
    """Goes along with its sensor; the key is a span of time."""

    after = models.DurationField(primary_key=True)
    sensor = models.ForeignKey(Sensor, models.CASCADE)


class Trace(models.Model):
    """A log that ends by its age, in windows of a day."""

    label = models.CharField(max_length=50, blank=True)
    made_at = models.DateTimeField(null=True, db_index=True)
    wanted = models.BooleanField(default=False)
    objects = ZooQuerySet.as_manager()


class Proof(models.Model):
    """Protects its trace."""

    trace = models.ForeignKey(Trace, models.PROTECT)


class Knock(models.Model):
    """In windows of an hour, with a grace."""

    until = models.DateTimeField(null=True, db_index=True)
    objects = ZooQuerySet.as_manager()


class Badge(models.Model):
    """Its key is a secret."""

    secret = models.CharField(primary_key=True, max_length=40)
    until = models.DateTimeField(db_index=True)


def by_title(song: "Song", name: str) -> str:
    """A name that a song's title decides."""
    return f"songs/{song.title}/{name}"


class Song(models.Model):
    """Two file fields, one of which may be NULL and has a column that has to be quoted."""

    title = models.CharField(max_length=50, blank=True)
    expires_at = models.DateTimeField(null=True)
    file = models.FileField(upload_to=by_title, blank=True)
    cover = models.ImageField(upload_to="covers", null=True, db_column="it's a cover")


class Clip(Song):
    """A child table with a file of its own."""

    video = models.FileField(blank=True)


class Take(models.Model):
    """Goes along with its song, and leaves a file behind."""

    song = models.ForeignKey(Song, models.CASCADE)
    file = models.FileField(blank=True)


class Upload(models.Model):
    """Under no policy; only its files are looked after."""

    file = models.FileField(blank=True)


class Scan(models.Model):
    """Files in a partitioned table; the migration makes the partitions."""

    file = models.FileField(blank=True)


class Login(models.Model):
    """Of each account the newest are kept, and the first one."""

    account = models.IntegerField(null=True)
    at = models.DateTimeField(null=True)
    real = models.BooleanField(default=True)
    pinned = models.BooleanField(default=False)
    objects = ZooQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("account", "at")),)


class Draught(models.Model):
    """Of all rows the newest stay, and nothing else is asked."""

    title = models.CharField(max_length=50, blank=True)
    made_at = models.DateTimeField(auto_now_add=True, db_index=True)
    objects = ZooQuerySet.as_manager()


class Leaver(models.Model):
    """Emptied after a year, deleted after three."""

    name = models.CharField(max_length=50, default="")
    email = models.EmailField(null=True)  # noqa: DJ001
    emptied_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    regular = models.BooleanField(default=False)
    objects = ZooQuerySet.as_manager()


class Unpaid(models.Model):
    """Stands in the way of its leaver's deletion."""

    leaver = models.ForeignKey(Leaver, models.PROTECT)


class Errand(models.Model):
    """Kept for as long as its outcome says."""

    outcome = models.CharField(max_length=10, null=True)  # noqa: DJ001
    done_at = models.DateTimeField(null=True)
    objects = ZooQuerySet.as_manager()


class Guest(models.Model):
    """Warned by mail before the account goes, for its plan."""

    name = models.CharField(max_length=50, default="Jo")
    email = models.CharField(max_length=100, default="", blank=True)
    plan = models.CharField(max_length=10, default="free")
    language = models.CharField(max_length=10, default="", blank=True)
    zone = models.CharField(max_length=40, default="", blank=True)
    wanted = models.BooleanField(default=False)
    seen_at = models.DateTimeField(null=True)
    objects = ZooQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
