"""What is guessed of a model by its fields, and what is not."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import models
from django.test.utils import isolate_apps

from lifecycle.adoption.guess import guess
from lifecycle.policy.fixed_age import age_of

NOW = models.DateTimeField


def model(name: str = "Parcel", **fields: Any) -> Any:
    meta = type("Meta", (), {"app_label": "zoo"})
    return type(name, (models.Model,), {"__module__": "tests.zoo.models", "Meta": meta, **fields})


@isolate_apps("tests.zoo")
@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("Parcel", {"expires_at": NOW(), "created_at": NOW()}, ("expires_at", 0)),
        ("Parcel", {"valid_until": models.DateField()}, ("valid_until", 0)),
        ("Parcel", {"deleted_at": NOW(null=True), "created": NOW()}, ("deleted_at", 30)),
        ("Parcel", {"deleted_at": NOW(), "created": NOW()}, ("created", 1095)),
        ("Parcel", {"deleted": models.BooleanField(), "date": NOW()}, ("date", 1095)),
        ("AccessLog", {"seen": NOW(auto_now_add=True)}, ("seen", 365)),
        ("WebhookDelivery", {"sent_at": NOW()}, ("sent_at", 365)),
        ("Parcel", {"last_seen": NOW()}, None),
        ("Parcel", {"created_at": models.CharField(max_length=9)}, None),
    ],
)
def test_by_its_fields(name: str, fields: dict[str, Any], expected: Any) -> None:
    found = guess(model(name, **fields))
    if expected is None:
        assert (found.policy, found.text) == (None, "")
        assert found.reason
        return
    assert found.policy is not None
    assert age_of(found.policy.expires) == (expected[0], timedelta(days=expected[1]))
    assert found.policy.observe_first
    assert f"`{expected[0]}`" in found.reason
    assert bool(found.policy.when) == (expected[0] == "deleted_at")


@isolate_apps("tests.zoo")
def test_none_where_others_refer_to_it() -> None:
    parcel = model(created_at=NOW())
    model("Stamp", parcel=models.ForeignKey(parcel, models.CASCADE, related_name="+"))
    found = guess(parcel)
    assert found.policy is None
    assert "zoo.Stamp" in found.reason


@isolate_apps("tests.zoo")
def test_no_two_models_get_one_name() -> None:
    long = "Parcel" * 8
    labels = [long + "A", long + "B", "Par_cel", "Par__cel", "ParcelÄ", "Parcel"]
    names = [guess(model(label, created_at=NOW())).policy.name for label in labels]  # type: ignore[union-attr]
    assert len({*names}) == len(labels)
    assert names[-1] == "guess-zoo-parcel"


@isolate_apps("tests.zoo")
def test_none_where_no_policy_can_stand() -> None:
    meta = type("Meta", (), {"app_label": "zoo", "managed": False})
    seen = model("Seen", Meta=meta, created_at=NOW())
    pair = model("Pair", pk=models.CompositePrimaryKey("a", "b"), a=models.IntegerField(),
                 b=models.IntegerField(), created_at=NOW())  # fmt: skip
    assert guess(seen).policy is guess(pair).policy is None


@isolate_apps("tests.zoo")
def test_the_text_declares_the_same() -> None:
    found = guess(model(deleted_at=NOW(null=True)))
    assert "when=Q(deleted_at__isnull=False)," in found.text
    assert 'expires=F("deleted_at") + timedelta(days=30),' in found.text
    assert "observe_first=True" in found.text
