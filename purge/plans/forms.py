"""The forms by which a plan is made in the admin: first of what, then of which rows, and why."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.own_pages import moment_field
from lifecycle.exceptions import LifecycleError
from lifecycle.phrases import translated
from lifecycle.policy.registry import policies_of
from purge.models import Plan
from purge.plans.refusals import BY_POLICY, LONGEST
from purge.plans.where import LOOKUPS, Condition, conditions_of

CONDITIONS = 5
MOST_CHOSEN = 500  # rows that were ticked in a list; Django takes no form of 1,000 fields
#: act: the permission that planning it takes, beside `purge.add_plan`
ACTS = {
    "hold": "lifecycle.hold_row",
    "release": "lifecycle.release_row",
    "restore": "lifecycle.restore_row",
    "extend": "lifecycle.restore_row",
    "purge": "purge.purge_row",
}
COMPARISONS = {
    "exact": _("is"),
    "iexact": _("is, whatever the case"),
    "contains": _("contains"),
    "icontains": _("contains, whatever the case"),
    "startswith": _("begins with"),
    "istartswith": _("begins with, whatever the case"),
    "endswith": _("ends with"),
    "iendswith": _("ends with, whatever the case"),
    "lt": _("is less, or before"),
    "lte": _("is at most, or until"),
    "gt": _("is more, or after"),
    "gte": _("is at least, or from"),
    "in": _("is one of (with commas)"),
    "range": _("is between (two, with a comma)"),
    "isnull": _("is empty (true or false)"),
}
REFERENCE = {"release": _("only the holds under this reference; or empty: all")}
UNTIL = {
    "hold": _("in the site's time zone; or empty: for ever"),
    "extend": _("in the site's time zone"),
}


class AboutForm(forms.Form):
    """Of which model, and what."""

    model = forms.ChoiceField(label=_("Model"))
    act = forms.ChoiceField(label=_("Act"))

    def __init__(self, models: list[Any], acts: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        with_policy = [each._meta.label for each in models if policies_of(each)]
        others = [each._meta.label for each in models if not policies_of(each)]
        groups = ((gettext("with a policy"), with_policy), (gettext("others"), others))
        chosen = [(name, list(zip(found, found, strict=True))) for name, found in groups if found]
        self.fields["model"].choices = [("", "-"), *chosen]  # type: ignore[attr-defined]
        self.fields["act"].choices = [(each, Plan.Act(each).label) for each in acts]  # type: ignore[attr-defined]


class PlanForm(forms.Form):
    """Which rows, why, until when. `asked` are the conditions, checked as the command's.

    `chosen` are keys of rows that were ticked in a list, which need no conditions.
    """

    every = forms.BooleanField(required=False, label=_("Every row"))
    policy = forms.ChoiceField(label=_("Policy"), required=False)
    reason = forms.CharField(
        label=_("Reason"), max_length=LONGEST, widget=forms.TextInput({"size": 60})
    )
    reference = forms.CharField(label=_("Reference"), max_length=LONGEST, required=False)
    once = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self, model: Any, act: str, columns: list[str], chosen: list[str], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.model, self.asked, self.chosen = model, list[Condition](), chosen
        for number in range(0 if self.chosen else CONDITIONS):
            self._add_condition(number, columns)
        if self.chosen:
            del self.fields["every"]
        if act in UNTIL:
            self.fields["until"] = moment_field(UNTIL[act], act == "extend", _("Until"))
        self.fields["reference"].help_text = REFERENCE.get(act, _("a case, a ticket"))
        self._offer_policies(act)

    def _offer_policies(self, act: str) -> None:
        names = [each.name for each in policies_of(self.model)]
        if act not in BY_POLICY or len(names) < 2:
            del self.fields["policy"]
            return
        field: Any = self.fields["policy"]
        every = [] if act == "purge" else [("", gettext("all"))]
        field.choices = [*every, *zip(names, names, strict=True)]
        field.required = act == "purge"

    def _add_condition(self, number: int, columns: list[str]) -> None:
        place = {"number": number + 1}
        names = [("", gettext("- column -")), *zip(columns, columns, strict=True)]
        lookups = [(each, COMPARISONS[each]) for each in LOOKUPS]
        aria = {"aria-label": gettext("column of condition %(number)s") % place}
        self.fields[f"column{number}"] = forms.ChoiceField(
            choices=names, required=False, label=_("Column"), widget=forms.Select(aria)
        )
        comparison = gettext("comparison of condition %(number)s") % place
        self.fields[f"lookup{number}"] = forms.ChoiceField(
            choices=lookups, required=False, label=_("Comparison"),
            widget=forms.Select({"aria-label": comparison}),
        )  # fmt: skip
        value = gettext("value of condition %(number)s") % place
        self.fields[f"value{number}"] = forms.CharField(
            required=False, label=_("Value"), strip=False,
            widget=forms.TextInput({"aria-label": value, "autocomplete": "off"}),
        )  # fmt: skip

    @property
    def conditions(self) -> Iterator[tuple[Any, Any, Any]]:
        """Column, comparison and value of each condition, to be shown."""
        for number in range(0 if self.chosen else CONDITIONS):
            names = (f"{part}{number}" for part in ("column", "lookup", "value"))
            column, lookup, value = (self[name] for name in names)
            yield column, lookup, value

    @property
    def others(self) -> Iterator[Any]:
        """The fields that are of no condition."""
        conditions = {bound.name for each in self.conditions for bound in each}
        yield from (bound for bound in self.visible_fields() if bound.name not in conditions)

    def clean(self) -> dict[str, Any]:
        """With the conditions as where.py takes them; no error has a value in it."""
        values: dict[str, Any] = super().clean() or {}
        if len(self.chosen) > MOST_CHOSEN:
            text = ngettext(
                "More than %(count)s row: say which by conditions.",
                "More than %(count)s rows: say which by conditions.",
                MOST_CHOSEN,
            )
            raise forms.ValidationError(text, params={"count": MOST_CHOSEN})
        if self.chosen:
            return values
        texts = list(self._texts(values))
        if not self.errors and bool(texts) == bool(values.get("every")):
            raise forms.ValidationError(gettext("Say which rows by conditions, or tick Every row."))
        try:
            self.asked = conditions_of(self.model, texts)
        except LifecycleError as error:
            raise forms.ValidationError("%(why)s", params={"why": translated(error)}) from None
        return values

    def _texts(self, values: dict[str, Any]) -> Iterator[str]:
        for number in range(CONDITIONS):
            column, value = values.get(f"column{number}"), values.get(f"value{number}", "")
            lookup = values.get(f"lookup{number}") or "exact"
            if column:
                yield f"{column}__{lookup}={value}"
            elif value:
                text = gettext("Choose the column of condition %(number)s.")
                raise forms.ValidationError(text, params={"number": number + 1})


def columns_of(model: Any, left_out: list[str]) -> list[str]:
    """The columns that may be asked for: not a password, nor what the model's admin leaves out."""
    hidden = {"password"} if issubclass(model, AbstractBaseUser) else set()
    hidden |= set(left_out)
    return [each.name for each in model._meta.concrete_fields if each.name not in hidden]
