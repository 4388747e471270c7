"""`lifecycle` without an app that ends rows."""

import pytest

from lifecycle import hooks
from lifecycle.exceptions import LifecycleError


def test_without_an_acting_app(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hooks._registered
    monkeypatch.setattr(hooks, "_registered", [])
    assert hooks.last_runs("default") == {}
    assert hooks.unanswered("default") == []
    with pytest.raises(LifecycleError, match='add "purge" to INSTALLED_APPS'):
        hooks.make_pass("default")
