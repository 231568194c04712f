"""Backfills of a practice: a calendar of their chunks, what one would cost, asked for, paused, resumed, cancelled."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import capfirst
from django.views.decorators.http import require_GET, require_POST

from athena_dash.accounts.rights import RUN_FEEDS, SEE_FEEDS, needs, practices_with, user_of
from athena_dash.core import clock
from athena_dash.core.render import page
from athena_dash.operations.backfill_calendar import calendars, months
from athena_dash.operations.backfill_cost import cost, left_of
from athena_dash.operations.practice_feeds import budget
from athena_dash.practices.models import Practice
from athena_dash.sync import backfill
from athena_dash.sync.models import Backfill, BackfillChunk, Feed
from athena_dash.sync.resources import RESOURCES, spoken

LONGEST = 3660  # days of one backfill
LISTED = 20
WINDOWED = [(name, capfirst(spoken(name))) for name, one in RESOURCES.items() if one.windows]
WRONG_DAYS = "The first day must not be after the last, and ten years are the most."


class BackfillForm(forms.Form):
    first = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="to", widget=forms.DateInput(attrs={"type": "date"}))
    resources = forms.MultipleChoiceField(
        label="Of", choices=WINDOWED, widget=forms.CheckboxSelectMultiple, initial=[WINDOWED[0][0]]
    )

    def clean(self) -> dict[str, Any] | None:
        days = super().clean()
        if (
            days
            and {"first", "last"} <= days.keys()
            and not 0 <= (days["last"] - days["first"]).days < LONGEST
        ):
            raise forms.ValidationError(WRONG_DAYS)
        return days


@require_GET
@needs(SEE_FEEDS)
def backfills(request: HttpRequest, slug: str) -> HttpResponse:
    """With days in the query it says what they would cost; with a month, it lists that month's chunks."""
    practice = get_object_or_404(practices_with(request.user, SEE_FEEDS), slug=slug)
    left = budget(practice, clock.now())
    a_day = left.backfill_calls_a_day if left else None
    chunks = list(
        BackfillChunk.objects.for_practice(practice)
        .select_related("backfill__feed", "run")
        .order_by("-last", "pk")
    )
    form = BackfillForm(request.GET if "first" in request.GET else None)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else None
    shown = listed(practice)
    context = {
        "practice": practice,
        "calendars": calendars(chunks, [name for name, _ in WINDOWED]) if chunks else [],
        "chosen": chosen(chunks, request.GET.get("feed", ""), request.GET.get("month", "")),
        "backfills": [(one, left_of(one, a_day)) for one in shown],
        "running": any(one.state == Backfill.State.RUNNING for one in shown),
        "may_run": practices_with(request.user, RUN_FEEDS).filter(pk=practice.pk).exists(),
        "form": form,
        "asked": asked,
        "cost": cost_of(practice, asked, a_day) if asked else None,
        "budget": left,
    }
    return page(
        request, "operations/backfills.html", context, parts={"backfills": "operations/_backfills.html"}
    )


def listed(practice: Practice) -> QuerySet[Backfill]:
    """The newest, each with how many of its chunks are in which state."""
    counts = {state.value: Count("chunks", filter=Q(chunks__state=state)) for state in BackfillChunk.State}
    found: QuerySet[Backfill] = (
        Backfill.objects.for_practice(practice)
        .select_related("asked_by", "feed")
        .annotate(size=Count("chunks"), records=Sum("chunks__records"), calls=Sum("chunks__calls"), **counts)
        .order_by("-asked_at", "-pk")[:LISTED]
    )
    return found


def chosen(chunks: list[BackfillChunk], resource: str, month: str) -> dict[str, Any] | None:
    """One cell of the calendar: {"name", "month", "chunks"}. None for a month that is none."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        return None
    found = [
        one
        for one in chunks
        if one.backfill.feed.resource == resource and first in months(one.first, one.last)
    ]
    return {"name": spoken(resource), "month": first, "chunks": found}


def cost_of(practice: Practice, asked: dict[str, Any], a_day: int | None) -> Any:
    feeds = feeds_of(practice, asked["resources"])
    windows = backfill.cut(asked["first"], asked["last"])
    return cost(feeds, (asked["last"] - asked["first"]).days + 1, len(feeds) * len(windows), a_day)


def feeds_of(practice: Practice, resources: list[str]) -> list[Feed]:
    return list(Feed.objects.for_practice(practice).filter(resource__in=resources).order_by("pk"))


@require_POST
@needs(RUN_FEEDS)
def ask_for_backfills(request: HttpRequest, slug: str) -> HttpResponse:
    practice = get_object_or_404(practices_with(request.user, RUN_FEEDS), slug=slug)
    form = BackfillForm(request.POST)
    feeds = feeds_of(practice, form.cleaned_data["resources"]) if form.is_valid() else []
    if feeds:
        days = form.cleaned_data
        made = [backfill.ask(feed, days["first"], days["last"], user_of(request)) for feed in feeds]
        size = BackfillChunk.objects.filter(backfill__in=made).count()
        messages.success(request, f"{size} chunks were asked for, newest first.")
    else:
        messages.error(request, f"Nothing was asked for. Choose what, from when and to when. {WRONG_DAYS}")
    return redirect("backfills", practice.slug)


DONE = {
    "pause": "Paused. The chunk in work is finished; no other is begun.",
    "resume": "Resumed.",
    "cancel": "Cancelled. What came in stays.",
}
MOVES = {"pause": backfill.pause, "resume": backfill.resume, "cancel": backfill.cancel}


@require_POST
@needs(RUN_FEEDS)
def move_backfill(request: HttpRequest, pk: int, move: str) -> HttpResponse:
    found = get_object_or_404(
        Backfill.objects.select_related("practice"),
        pk=pk,
        practice__in=practices_with(request.user, RUN_FEEDS),
    )
    MOVES[move](found)
    messages.success(request, DONE[move])
    return redirect("backfills", found.practice.slug)
