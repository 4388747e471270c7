"""Each ends at its own end; what is kept of it elsewhere has a policy too."""

from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef

from lifecycle import Policy, register, signals
from tests.peers.models import Album, Animal, Article, Branch, Paper, Poll, Print, Recipe, Topic

BELOW = Topic.objects.filter(path__startswith=OuterRef("path"), depth=OuterRef("depth") + 1)

register(
    Policy("papers", Paper, expires="expires_at"),
    Policy("prints", Print, expires="expires_at"),
    Policy("albums", Album, expires="expires_at"),
    # treebeard knows of no foreign key: what is above others is kept until they have gone.
    Policy("topics", Topic, expires="expires_at", keep_while=Exists(BELOW)),
    Policy("branches", Branch, expires="expires_at"),
    Policy("animals", Animal, expires="expires_at"),
    Policy("articles", Article, expires="expires_at"),
    Policy("polls", Poll, expires="expires_at"),
    Policy("poll-histories", Poll.history.model, expires=F("history_date") + timedelta(days=30)),
    Policy("recipes", Recipe, expires="expires_at"),
)


def mend_the_tree(policy: str, **kwargs: Any) -> None:
    """Rows that go in sets leave numbers behind that the trees' own `delete()` would mend."""
    if policy == "topics":
        Topic.objects.fix_tree()
    if policy == "branches":
        Branch.objects.rebuild()


signals.purged.connect(mend_the_tree, dispatch_uid="tests.peers.trees")
