"""A host's receivers of `pre_delete` and `post_delete`, while the worker deletes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models.signals import post_delete

from tests.support import events_of, run_until_idle
from tests.zoo.factories import EternalTokenFactory, ExpiredTokenFactory
from tests.zoo.models import Token


@contextmanager
def receiving(call: Callable[..., Any]) -> Iterator[None]:
    post_delete.connect(call, Token)
    try:
        yield
    finally:
        post_delete.disconnect(call, Token)


@pytest.mark.plants(1)  # the ledger cannot tell the receiver's own DELETE from the worker's
@pytest.mark.django_db(transaction=True)
def test_each_row_that_a_receiver_deletes_is_recorded_once() -> None:
    """As many rows as the worker's own set has, in a statement of the receiver's."""
    sibling, expired = EternalTokenFactory(), ExpiredTokenFactory()

    def delete_sibling(instance: Token, **kwargs: Any) -> None:
        if instance.pk == expired.pk:
            Token.objects.filter(pk=sibling.pk).delete()

    with receiving(delete_sibling):
        run_until_idle()
    assert not Token.objects.exists()
    assert events_of(sibling, "purged", "deleted") == ["purged"]
    assert events_of(expired, "purged", "deleted") == ["purged"]


@pytest.mark.django_db(transaction=True)
def test_dry_run_calls_no_receiver(capsys: pytest.CaptureFixture[str]) -> None:
    """It could delete a file, which no rollback brings back."""
    token = ExpiredTokenFactory()
    heard: list[Any] = []
    with receiving(lambda **told: heard.append(told)):
        call_command("purge", "--dry-run", "--policy", "tokens")
    assert heard == []
    assert str(token.pk) in capsys.readouterr().out
    assert Token.objects.filter(pk=token.pk).exists()
    run_until_idle()
