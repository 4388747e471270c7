"""The page of one policy, in words first: what ends, how it stands, what a person may do."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.readonly import moment
from lifecycle.admin.visibility import may_view
from lifecycle.exceptions import NoPolicy
from lifecycle.insight import capped, declared
from lifecycle.insight.amounts import MOST, Amount
from lifecycle.insight.capped import Counts
from lifecycle.ledger.ended import Clock
from lifecycle.ledger.holds import Hold, holds
from lifecycle.models import ON_TABLE, PolicyState, RowException
from lifecycle.phrases import to_the_second, translated
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies, get_policy
from lifecycle.templatetags.lifecycle_admin import about_hold

State = PolicyState.State
DECLARED = moment("declared_at")
UNDECLARED = _(
    "Unknown: this code does not declare the policy. Below is what the database has of it."
)
STATES: dict[str, Any] = {
    State.ENABLED: _("Enabled: it ends rows."),
    State.OBSERVE: _("It observes: it records what falls due, and ends nothing."),
    State.PAUSED: _("Paused by a person: it records, and ends nothing until it is resumed."),
    State.HALTED: _("Halted by a brake: it records, and ends nothing until a person resumes it."),
    State.REMOVED: _("Removed: it is no longer in the code, and its triggers are gone."),
}
#: by state: the permission that it takes, and what can be done
BUTTONS = {
    State.ENABLED: ("pause", _("Pause it: tick it in the list of policies, and choose Pause.")),
    State.PAUSED: ("resume", _("Resume it: tick it in the list of policies, and choose Resume.")),
    State.HALTED: (
        "resume",
        _(
            "Look at what it would end, then resume it, alone: tick it in the list of policies, "
            "and choose Resume."
        ),
    ),
}
COMMANDS = {
    State.ENABLED: _("`manage.py lifecycle disable %(name)s` lets it only observe."),
    State.OBSERVE: _(
        "`manage.py lifecycle enable %(name)s --dry-run` counts what it would end, "
        "`manage.py lifecycle enable %(name)s` lets it end them."
    ),
    State.PAUSED: _("`manage.py lifecycle disable %(name)s` lets it only observe."),
    State.HALTED: _("`manage.py lifecycle enable %(name)s --dry-run` counts what it would end."),
}


#: what the agenda lists of a policy, as far as it was counted
ON_AGENDA = ("scheduled", "due", "tombstoned", "next_due")


class PolicyPage:
    """The fields of the page, as displays of a `PolicyState`."""

    fieldsets: Any = (
        (None, {"fields": ("name", "which", "when", "grace", "ending", "kept", "basis")}),
        (_("Now"), {"fields": ("stands", "held", *ON_AGENDA, "may")}),
        (_("Rules"), {"fields": ("brakes", "seen")}),
        (
            _("SQL and fingerprint"),
            {
                "classes": ("collapse",),
                "fields": (
                    *("model", "state", "as_in_code", "fingerprint", "spent", DECLARED),
                    *("due_sql", "state_sql"),
                ),
            },
        ),
    )

    readonly_fields: Any = (DECLARED,)

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        state = super().get_object(request, *args, **kwargs)  # type: ignore[misc]
        if state is not None:
            (state,) = with_counts([state], str(state._state.db))
            state.asked_by = request
        return state

    @admin.display(description=_("Which rows"))
    def which(self, state: PolicyState) -> str:
        return _declared(state, declared.which)

    @admin.display(description=_("End"))
    def when(self, state: PolicyState) -> str:
        policy = _policy(state)
        said = [_declared(state, declared.when), declared.stages(policy) if policy else ""]
        return "\n".join(translated(each) for each in said if each)

    @admin.display(description=_("Stage"))
    def stage(self, state: PolicyState) -> str:
        policy = _policy(state)
        return translated(declared.stage(policy)) if policy else ""

    @admin.display(description=_("Grace"))
    def grace(self, state: PolicyState) -> str:
        return _declared(state, declared.grace)

    @admin.display(description=_("How"))
    def ending(self, state: PolicyState) -> str:
        return _declared(state, declared.ending)

    @admin.display(description=_("Kept"))
    def kept(self, state: PolicyState) -> str:
        return _declared(state, declared.kept)

    @admin.display(description=_("Legal basis"))
    def basis(self, state: PolicyState) -> str:
        return _declared(state, declared.basis)

    @admin.display(description=_("Brakes"))
    def brakes(self, state: PolicyState) -> str:
        return _declared(state, declared.brakes)

    @admin.display(description=_("Writes and holds"))
    def seen(self, state: PolicyState) -> str:
        return _declared(state, declared.seen)

    @admin.display(description=_("State"))
    def stands(self, state: PolicyState) -> str:
        said = [str(STATES.get(state.state, state.state))]
        if _on_table(state):
            said.append(gettext("All of its table is held: nothing ends there."))
        if not self.as_in_code(state) and state.state != State.REMOVED:  # type: ignore[attr-defined]
            said.append(
                gettext("This code declares it otherwise, or not at all: here it ends nothing.")
            )
        return " ".join(said)

    @admin.display(description=_("Holds"))
    def held(self, state: Any) -> str:
        """Those on all rows in full; of rows, how many are held. Of what the user may view."""
        if not _may_view(state, self.admin_site):  # type: ignore[attr-defined]
            return gettext("You may not view %(model)s.") % {"model": state.model}
        rows = _held_rows(state)
        said = ngettext(
            "%(rows)s row of the table is held.",
            "%(rows)s rows of the table are held.",
            rows.number,
        )
        whole = [_in_words(each) for each in _on_table(state)]
        told = [said % {"rows": translated(str(rows))}] if rows.number else []
        return "\n".join([*whole, *told]) or gettext("None.")

    @admin.display(description=_("Scheduled"))
    def scheduled(self, state: Any) -> str:
        return translated(str(state.counts.scheduled))

    @admin.display(description=_("Due"))
    def due(self, state: Any) -> str:
        return translated(str(state.counts.due))

    @admin.display(description=_("Tombstoned"))
    def tombstoned(self, state: Any) -> str:
        return translated(str(state.counts.tombstoned))

    @admin.display(description=_("Next due"))
    def next_due(self, state: Any) -> str:
        return to_the_second(state.counts.next_due)

    @admin.display(description=_("What you may do"))
    def may(self, state: Any) -> str:
        """By the state and the permissions of who looks."""
        permission, text = BUTTONS.get(state.state, ("", ""))
        may = state.asked_by.user.has_perm
        told = [str(text)] if permission and may(f"lifecycle.{permission}_policy") else []
        if state.state in COMMANDS:
            command = str(COMMANDS[state.state]) % {"name": state.name}
            told.append(gettext("On the command line: %(command)s") % {"command": command})
        return "\n".join(told) or gettext("Nothing.")


def with_counts(found: list[Any], using: str) -> list[Any]:
    """The policies, each with what the agenda lists of it as `counts`: one question for all."""
    policies = {policy.name: policy for policy in all_policies()}
    with transaction.atomic(using=using):
        counts = capped.read(using, policies, len(policies)).counts
    for state in found:
        state.counts = counts.get(state.name, Counts())
    return found


def _policy(state: PolicyState) -> Policy | None:
    try:
        return get_policy(state.name)
    except NoPolicy:
        return None


def _declared(state: PolicyState, say: Any) -> str:
    policy = _policy(state)
    return translated(say(policy)) if policy else str(UNDECLARED)


def _may_view(state: Any, site: AdminSite) -> bool:
    """Tables whose model is no longer in the code are a superuser's, as in the lists."""
    try:
        return may_view(state.asked_by, site, apps.get_model(state.model))
    except (LookupError, ValueError):
        return bool(state.asked_by.user.is_superuser)


def _in_force(state: PolicyState) -> Any:
    """The row exceptions that hold something of its table now."""
    found = RowException.objects.using(state._state.db).filter(kind="hold", model=state.model)
    return found.filter(Q(until=None) | Q(until__gt=Clock()))


def _held_rows(state: PolicyState) -> Amount:
    """Rows with a hold; those with two are one."""
    keys = _in_force(state).exclude(ON_TABLE).order_by("key").values("key").distinct()
    found = keys[: MOST + 1].count()
    return Amount(min(found, MOST), found > MOST)


def _on_table(state: PolicyState) -> list[Hold]:
    numbers = list(_in_force(state).filter(ON_TABLE).values_list("event_id", flat=True))
    return holds(str(state._state.db), numbers) if numbers else []


def _in_words(each: Hold) -> str:
    return about_hold(gettext("All rows, hold %(number)s since %(since)s"), each)
