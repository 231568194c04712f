"""A feed's past: backfills asked for, paused, resumed, cancelled; and its cursor set back for a re-read."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from athena_dash.accounts.rights import MANAGE_PRACTICE, RUN_FEEDS, needs, practices_with, user_of
from athena_dash.core import clock
from athena_dash.sync import backfill, feeds
from athena_dash.sync.models import Backfill, Feed
from athena_dash.sync.resources import RESOURCES

LONGEST = 3660  # days of one backfill


class DaysForm(forms.Form):
    first = forms.DateField()
    last = forms.DateField()

    def clean(self) -> dict[str, date] | None:
        days = super().clean()
        if (
            days
            and "first" in days
            and "last" in days
            and not 0 <= (days["last"] - days["first"]).days < LONGEST
        ):
            raise forms.ValidationError(
                "The first day must not be after the last, and ten years are the most."
            )
        return days


class DayForm(forms.Form):
    day = forms.DateField()


@require_POST
@needs(RUN_FEEDS)
def ask_for_backfill(request: HttpRequest, pk: int) -> HttpResponse:
    feed = get_object_or_404(Feed, pk=pk, practice__in=practices_with(request.user, RUN_FEEDS))
    form = DaysForm(request.POST)
    if not RESOURCES[feed.resource].windows:
        messages.error(request, "athena lists no days of this feed; its history follows from the others.")
    elif form.is_valid():
        days = form.cleaned_data
        asked = backfill.ask(feed, days["first"], days["last"], user_of(request))
        messages.success(request, f"A backfill of {asked.chunks.count()} chunks was asked for, newest first.")
    else:
        messages.error(request, "Give two days, the first not after the last, at most ten years apart.")
    return redirect("feed", feed.pk)


DONE = {
    "pause": "Paused. The chunk in work is finished; no other is begun.",
    "resume": "Resumed.",
    "cancel": "Cancelled. What came in stays.",
}
MOVES = {"pause": backfill.pause, "resume": backfill.resume, "cancel": backfill.cancel}


@require_POST
@needs(RUN_FEEDS)
def move_backfill(request: HttpRequest, pk: int, move: str) -> HttpResponse:
    found = get_object_or_404(Backfill, pk=pk, practice__in=practices_with(request.user, RUN_FEEDS))
    MOVES[move](found)
    messages.success(request, DONE[move])
    return redirect("feed", found.feed_id)


@require_POST
@needs(MANAGE_PRACTICE)
def set_back(request: HttpRequest, pk: int) -> HttpResponse:
    """To the start of that day in the practice; kept in the cursor's history with who did it."""
    feed = get_object_or_404(Feed, pk=pk, practice__in=practices_with(request.user, MANAGE_PRACTICE))
    form = DayForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give the day from which to read again.")
        return redirect("feed", feed.pk)
    day = form.cleaned_data["day"]
    to = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(feed.practice.timezone))
    if to >= clock.now():
        messages.error(request, "A cursor can only be set back.")
    elif feeds.set_back(feed, to, user_of(request)):
        messages.success(request, f"Set back: what is new since {day:%d %b %Y} is read again.")
    else:
        messages.warning(
            request, "Not set back: the feed is running, or its cursor stands before that already."
        )
    return redirect("feed", feed.pk)
