"""A feed's cursor set back, so that what is new since then is read again."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from athena_dash.accounts.rights import MANAGE_PRACTICE, needs, practices_with, user_of
from athena_dash.core import clock
from athena_dash.sync import feeds
from athena_dash.sync.models import Feed


class WhereForm(forms.Form):
    """To a move of the cursor that is on record, or to the start of a day in the practice."""

    move = forms.IntegerField(required=False)
    day = forms.DateField(required=False)


def instant_of(form: WhereForm, feed: Feed) -> datetime | None:
    if not form.is_valid():
        return None
    if pk := form.cleaned_data["move"]:
        return feed.moves.values_list("at", flat=True).filter(pk=pk).first()
    day = form.cleaned_data["day"]
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(feed.practice.timezone)) if day else None


@require_POST
@needs(MANAGE_PRACTICE)
def set_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Kept in the cursor's history with who did it."""
    feed = get_object_or_404(Feed, pk=pk, practice__in=practices_with(request.user, MANAGE_PRACTICE))
    to = instant_of(WhereForm(request.POST), feed)
    if to is None:
        messages.error(request, "Say from which move of the cursor, or from which day, to read again.")
    elif to >= clock.now():
        messages.error(request, "A cursor can only be set back.")
    elif feeds.set_back(feed, to, user_of(request)):
        since = to.astimezone(ZoneInfo(feed.practice.timezone))
        messages.success(request, f"Set back: what is new since {since:%d %b %Y %H:%M %Z} is read again.")
    else:
        messages.warning(
            request, "Not set back: the feed is running, or its cursor stands before that already."
        )
    return redirect("feed", feed.pk)
