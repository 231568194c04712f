"""What people may add to a visit: a note, an assignee, a snooze with its end and its reason, what they did about it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from athena_dash.accounts.models import User
from athena_dash.accounts.rights import RIGHTS, WORK_VISITS
from athena_dash.core import clock
from athena_dash.correlation.business_time import next_business_day
from athena_dash.practices.models import Practice
from athena_dash.practices.policies import policies_of

LONGEST_SNOOZE = dt.timedelta(days=90)  # the shortest usual filing limit (revenue-cycle.md §3.1)

PEND = 3  # business days, athena's own default for a pended claim (revenue-cycle.md §5)
MOST_DAYS = 30


class NoteForm(forms.Form):
    text = forms.CharField(
        label="Note",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 1, "data-key": "n", "placeholder": "Add a note"}),
    )


class AssignForm(forms.Form):
    """Members of the practice who may work visits; empty takes the visit off every desk."""

    assignee = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        empty_label="Nobody",
        widget=forms.Select(attrs={"data-key": "a"}),
    )

    def __init__(self, practice: Practice, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [role for role, rights in RIGHTS.items() if WORK_VISITS in rights]
        members = User.objects.filter(
            memberships__practice=practice, memberships__role__in=roles, is_active=True
        )
        self.fields["assignee"].queryset = members.order_by("first_name", "username")  # type: ignore[attr-defined]


class SnoozeForm(forms.Form):
    """Until the start of a day in the practice's zone."""

    until = forms.DateField(widget=forms.DateInput(attrs={"type": "date", "data-key": "s"}))
    reason = forms.CharField(max_length=300)

    def __init__(self, practice: Practice, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(practice.timezone)
        today = clock.today(self.zone)
        self.fields["until"].widget.attrs |= {
            "min": (today + dt.timedelta(days=1)).isoformat(),
            "max": (today + LONGEST_SNOOZE).isoformat(),
        }

    def clean_until(self) -> dt.datetime:
        until: dt.date = self.cleaned_data["until"]
        today = clock.today(self.zone)
        if until <= today:
            raise forms.ValidationError("Choose a day after today.")
        if until > today + LONGEST_SNOOZE:
            raise forms.ValidationError("Choose a day within 90 days: a filing limit could pass unseen.")
        return dt.datetime.combine(until, dt.time(), tzinfo=self.zone)


class WorkedForm(forms.Form):
    """What was done, and after how many business days of the practice the visit returns if athena shows no fix."""

    what = forms.CharField(max_length=1000)
    days = forms.IntegerField(
        min_value=1, max_value=MOST_DAYS, initial=PEND, widget=forms.NumberInput(attrs={"class": "short"})
    )

    def __init__(self, practice: Practice, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.practice = practice

    def returns_at(self) -> dt.datetime:
        """The start of that day in the practice's zone."""
        zone = ZoneInfo(self.practice.timezone)
        closed = policies_of(self.practice.pk).closed_days
        day = clock.today(zone)
        for _ in range(self.cleaned_data["days"]):
            day = next_business_day(day, closed)
        return dt.datetime.combine(day, dt.time(), tzinfo=zone)
