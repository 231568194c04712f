"""What an admin may tune, as one form: grace, amounts, opening hours, what is never billable,
status words, filing limits.

Each field is called by its policy; an empty one means the shipped default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from django import forms

from athena_dash.practices.filing import FilingRule, shipped_appeal, shipped_rule
from athena_dash.practices.models import Policy
from athena_dash.practices.packages import SHIPPED
from athena_dash.practices.packages_field import PackagesField, by_words
from athena_dash.practices.policies import RULE_DEFAULTS, WEEKDAYS, default
from athena_dash.practices.policy_words import label, said
from athena_dash.practices.statuses import STAGES, ClaimStage, meaning
from athena_dash.practices.tests_field import TestsField

LONGEST_GRACE = 24 * 90  # hours; beyond that the policy would hide what it should show
LONGEST_LIMIT = 3 * 366  # days; no payer waits longer than three years
AMOUNTS: Mapping[str, tuple[float, float]] = {  # name → least, most
    "grace_hours_facility.G13": (0, LONGEST_GRACE),
    "grace_hours_manager.G24": (0, LONGEST_GRACE),
    "no_show_fee": (0, 1000),
    "filing_alarm_days": (1, 180),
    "secondary_days": (1, LONGEST_LIMIT),
}
TESTS = "in_house_tests"
PACKAGES = "packages"
OPENING = ("opening.from", "opening.to")
EXCLUSIONS: Mapping[str, str] = {  # name → what of the practice it lists
    "not_billable.visit_types": "visit_types",
    "not_billable.departments": "departments",
    "not_billable.providers": "providers",
    "not_billable.payers": "payers",
    "capitated_payers": "payers",
}
CLOCK_RULES: Mapping[str, Callable[[str], FilingRule]] = {"filing": shipped_rule, "appeal": shipped_appeal}
EXPLAINABLE = [stage for stage in ClaimStage if stage not in (ClaimStage.NONE, ClaimStage.OTHER)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the practice's data hold. `statuses` and `insurance_types`, which payers' names
    follow: (word, how many carry it)."""

    exclusions: Mapping[str, Sequence[tuple[str, str]]]
    statuses: Sequence[tuple[str, int]]
    insurance_types: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to tune. `own`: the stored policy that overrides the default, with who set it and when."""

    name: str
    title: str
    inherited: str
    source: str
    fields: tuple[forms.BoundField, ...]
    own: Policy | None
    count: int = 0
    unmapped: bool = False


class PoliciesForm(forms.Form):
    """`stored`: the practice's policies by name; `values`: what the fields start with, else what is stored."""

    def __init__(
        self,
        *args: Any,
        stored: Mapping[str, Policy],
        titles: Mapping[str, str],
        seen: Seen,
        values: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.stored, self.titles, self.seen = stored, dict(sorted(titles.items())), seen
        own = {name: policy.value for name, policy in stored.items()} if values is None else values
        self.words = with_stored(seen.statuses, "claim_status.", own)
        self.types = with_stored(
            seen.insurance_types, "filing_days.", own, "filing_source.", "appeal_days.", "appeal_source."
        )
        for name, field in self.tuned(own):
            field.required, field.label, field.initial = False, label(name), own.get(name)
            self.fields[name] = field

    def tuned(self, own: Mapping[str, Any]) -> Iterator[tuple[str, forms.Field]]:
        for code in self.titles:
            yield f"grace_hours.{code}", number(0, LONGEST_GRACE, RULE_DEFAULTS[code].grace_hours)
        for name, (least, most) in AMOUNTS.items():
            yield name, number(least, most, default(name))
        for name in OPENING:
            yield (
                name,
                forms.TimeField(
                    input_formats=["%H:%M"], widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
                ),
            )
        yield "opening.days", weekdays()
        for name, kind in EXCLUSIONS.items():
            yield name, choices_of(self.seen.exclusions.get(kind, ()), own.get(name) or ())
        yield TESTS, TestsField()
        yield PACKAGES, PackagesField()
        for word, _ in self.words:
            yield f"claim_status.{word}", stage_of(word)
        for clock, shipped in CLOCK_RULES.items():
            for kind, _ in self.types:
                days = forms.IntegerField(min_value=1, max_value=LONGEST_LIMIT)
                days.widget.attrs["placeholder"] = shipped(kind).days or ""
                yield f"{clock}_days.{kind.lower()}", days
                yield f"{clock}_source.{kind.lower()}", forms.CharField(max_length=200)

    def clean(self) -> dict[str, Any]:
        """A practice closes after it opens, whichever of the two is inherited."""
        said: dict[str, Any] = super().clean() or {}
        opens, closes = (tidy(said.get(name)) or default(name) for name in OPENING)
        if opens >= closes:
            self.add_error("opening.to", f"It must be later than the opening at {opens}.")
        return said

    def wanted(self) -> dict[str, Any]:
        """{policy: value, or None for the default}."""
        return {name: tidy(value) for name, value in self.cleaned_data.items()}

    def grace_rows(self) -> list[Row]:
        rows = ((f"grace_hours.{code}", title, RULE_DEFAULTS[code]) for code, title in self.titles.items())
        return [self.row(name, title, f"{rule.grace_hours:g} h", rule.owner) for name, title, rule in rows]

    def amount_rows(self) -> list[Row]:
        return [self.row(name, label(name), said(name, default(name)), "") for name in AMOUNTS]

    def opening_rows(self) -> list[Row]:
        rows = ((name, said(name, default(name))) for name in (*OPENING, "opening.days"))
        return [self.row(name, label(name), inherited, "") for name, inherited in rows]

    def exclusion_rows(self) -> list[Row]:
        return [self.row(name, label(name), "none", "") for name in EXCLUSIONS]

    def tests_row(self) -> Row:
        return self.row(TESTS, label(TESTS), "none", "")

    def packages_row(self) -> Row:
        return self.row(PACKAGES, label(PACKAGES), by_words(SHIPPED), "")

    def status_rows(self) -> list[Row]:
        """Words nobody has explained first."""
        rows = []
        for word, count in self.words:
            shipped, own = meaning(word), self.stored.get(f"claim_status.{word}")
            unmapped = not shipped.known and own is None
            rows.append(
                self.row(f"claim_status.{word}", word, shipped.plain, "", count=count, unmapped=unmapped)
            )
        return sorted(rows, key=lambda row: not row.unmapped)

    def filing_rows(self) -> list[Row]:
        """First claims, then appeals."""
        return [
            self.row(
                f"{clock}_days.{kind.lower()}",
                kind if clock == "filing" else f"{kind}: {clock}",
                shipped(kind).length,
                shipped(kind).source,
                f"{clock}_source.{kind.lower()}",
                count=count,
            )
            for clock, shipped in CLOCK_RULES.items()
            for kind, count in self.types
        ]

    def row(self, name: str, title: str, inherited: str, source: str, *more: str, **facts: Any) -> Row:
        names = (name, *more)
        own = next((self.stored[each] for each in names if each in self.stored), None)
        return Row(name, title, inherited, source, tuple(self[each] for each in names), own, **facts)


def tidy(value: Any) -> Any:
    """Whole numbers without a point, times as HH:MM, as they were typed; nothing typed is None."""
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None if value in ("", [], {}) else value


def with_stored(
    seen: Sequence[tuple[str, int]], prefix: str, own: Mapping[str, Any], *prefixes: str
) -> list[tuple[str, int]]:
    """What was seen, and what was once tuned and is not seen any more."""
    kept = {name[len(each) :] for each in (prefix, *prefixes) for name in own if name.startswith(each)}
    known = {word.casefold() for word, _ in seen}
    return [*seen, *((word, 0) for word in sorted(kept) if word.casefold() not in known)]


def number(least: float, most: float, shipped: Any) -> forms.FloatField:
    attrs = {"placeholder": f"{shipped:g}", "step": "any"}
    return forms.FloatField(min_value=least, max_value=most, widget=forms.NumberInput(attrs=attrs))


def choices_of(seen: Iterable[tuple[str, str]], own: Iterable[str]) -> forms.MultipleChoiceField:
    known = dict(seen)
    choices = {**{value: value for value in own}, **known}
    listed = sorted(choices.items(), key=lambda choice: choice[1].lower())
    return forms.MultipleChoiceField(choices=listed, widget=forms.CheckboxSelectMultiple)


def weekdays() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(choices=list(WEEKDAYS.items()), widget=forms.CheckboxSelectMultiple)


def stage_of(word: str) -> forms.ChoiceField:
    shipped = meaning(word)
    first = ("", f"as shipped: {shipped.plain}" if shipped.known else "not explained yet")
    return forms.ChoiceField(choices=[first, *((stage.value, STAGES[stage].plain) for stage in EXPLAINABLE)])
