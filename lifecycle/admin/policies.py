"""The policies: what the database knows of each, and the switch."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.policy_page import PolicyPage, with_counts
from lifecycle.admin.readonly import refuse
from lifecycle.admin.row_search import RowSearch
from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.exceptions import LifecycleError, NoPolicy
from lifecycle.ledger import policy_states as states
from lifecycle.models import PolicyState
from lifecycle.policy.registry import all_policies, get_policy
from lifecycle.policy.stages import stages_of


class CountedList(ChangeList):
    """The policies of a page, each with what page one counts of its agenda."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = with_counts(list(self.result_list), self.queryset.db)


@admin.register(PolicyState)
class PolicyStateAdmin(PolicyPage, RowSearch):
    """What the database knows of each policy, and what its agenda lists."""

    list_display = ("name", "model", "state", "scheduled", "due", "next_due", "as_in_code")
    list_filter = ("state",)
    ordering = ("name",)
    actions = ("pause", "resume")
    search_help_text = _("One row, as app.Model:pk, or a part of a policy's name")

    def get_list_display(self, request: HttpRequest) -> Any:
        """With a column for stages where the site has any."""
        shown = super().get_list_display(request)
        is_staged = any(stages_of(policy) for policy in all_policies())
        return (*shown, "stage") if is_staged else shown

    def has_pause_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("lifecycle.pause_policy")

    def has_resume_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("lifecycle.resume_policy")

    @admin.action(description=_("Pause the selected policies"), permissions=["pause"])
    def pause(self, request: HttpRequest, chosen: QuerySet[PolicyState]) -> None:
        """Each waits for its batch under way."""
        for state in chosen:
            self._change(request, state, states.pause, _("Paused: %(name)s."))

    @admin.action(description=_("Resume the selected policies"), permissions=["resume"])
    def resume(self, request: HttpRequest, chosen: QuerySet[PolicyState]) -> None:
        """A policy that a brake has stopped is resumed alone, not among others."""
        several = len(chosen) > 1
        for state in chosen:
            if several and state.state == PolicyState.State.HALTED:
                text = gettext(
                    "Left: %(name)s was halted by a brake; look at it and resume it alone."
                ) % {"name": state.name}
                self.message_user(request, text, messages.ERROR)
            else:
                self._change(request, state, states.resume, _("Resumed: %(name)s."))

    def _change(self, request: HttpRequest, state: PolicyState, change: Any, done: Any) -> None:
        try:
            change(state.name, actor=request.user.get_username(), using=state._state.db)
        except LifecycleError as error:
            refuse(request, error)
        else:
            self.message_user(request, str(done) % {"name": state.name}, messages.SUCCESS)

    def find(self, request: HttpRequest, model: type[Model], key: str, rows: Any) -> Any:
        return rows.filter(model=model._meta.label_lower)

    def find_other(self, term: str, rows: Any) -> Any:
        return rows.filter(name__icontains=term)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return CountedList

    @admin.display(boolean=True, description=_("as in code"))
    def as_in_code(self, state: PolicyState) -> bool:
        """Whether this process declares the policy as it is stored; else it ends nothing."""
        try:
            return fingerprint(get_policy(state.name)) == state.fingerprint
        except NoPolicy:
            return False
