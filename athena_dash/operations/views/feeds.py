"""Feeds: what each one last brought, how fresh and how complete it is, and pause, resume, run now, check."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from athena_dash.accounts.rights import (
    MANAGE_PRACTICE,
    RUN_FEEDS,
    SEE_FAILURES,
    SEE_FEEDS,
    needs,
    practices_with,
)
from athena_dash.core import clock
from athena_dash.core.render import page
from athena_dash.core.templatetags.ui import span
from athena_dash.operations.feed_charts import charts
from athena_dash.operations.feed_rows import lagged, metered, rows_of
from athena_dash.operations.objective import business_hours, kept
from athena_dash.operations.practice_feeds import practice_feeds
from athena_dash.practices.opening_hours import opening_hours
from athena_dash.sync import feeds as feeding
from athena_dash.sync import jobs
from athena_dash.sync.models import Audit, Failure, Feed, Subject
from athena_dash.sync.resources import RESOURCES

RUNS_LISTED = 50
FAILURES_LISTED = 10
AUDITS_LISTED = 10
MOVES_LISTED = 15
DAYS_OF_OBJECTIVE = 5


def _visible(request: HttpRequest, right: str) -> QuerySet[Feed]:
    return Feed.objects.filter(practice__in=practices_with(request.user, right))


@require_GET
@needs(SEE_FEEDS)
def feeds(request: HttpRequest) -> HttpResponse:
    practices = list(practices_with(request.user, SEE_FEEDS))
    slug = request.GET.get("practice", "")
    shown = [practice for practice in practices if slug in ("", practice.slug)]
    groups = practice_feeds(shown, clock.now())
    rows = [row for group in groups for row in group.rows]
    context = {
        "groups": groups,
        "total": len(rows),
        "trusted": sum(row.state.trusted for row in rows),
        "practices": practices,
        "slug": slug,
        "seeing": set(practices_with(request.user, SEE_FAILURES).values_list("pk", flat=True)),
        "runnable": set(practices_with(request.user, RUN_FEEDS).values_list("pk", flat=True)),
    }
    return page(request, "operations/feeds.html", context, parts={"feeds": "operations/_feeds.html"})


@require_GET
@needs(SEE_FEEDS)
def feed(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(_visible(request, SEE_FEEDS).select_related("practice"), pk=pk)
    now = clock.now()
    failures = Failure.objects.filter(
        practice__in=practices_with(request.user, SEE_FAILURES), feed=found, resolved_at__isnull=True
    )
    hours, late = metered([found], now), lagged([found], now)
    key = (found.practice_id, found.resource)
    runs = list(found.runs.order_by("-started_at")[:RUNS_LISTED])
    opening = opening_hours(found.practice)
    days = kept([found], business_hours(opening, now, DAYS_OF_OBJECTIVE), now)[found.pk]
    context = {
        "row": rows_of([found], hours, now)[0],
        "charts": charts(found, hours.get(key, []), late.get(key, []), runs, days, now),
        "interval": span(found.interval),
        "fresh_within": span(found.fresh_within),
        "opening": opening,
        "subjects": subjects_of(found, now) if RESOURCES[found.resource].subject else None,
        "runs": runs,
        "failures": failures.order_by("-last_seen")[:FAILURES_LISTED],
        "sees_failures": practices_with(request.user, SEE_FAILURES).filter(pk=found.practice_id).exists(),
        "audits": audits_of(found),
        "read_by_others": feeding.read_by_others(found),
        "windows": RESOURCES[found.resource].windows,
        "moves": found.moves.select_related("by").order_by("-pk")[:MOVES_LISTED],
        "may_set_back": practices_with(request.user, MANAGE_PRACTICE).filter(pk=found.practice_id).exists(),
        "may_run": practices_with(request.user, RUN_FEEDS).filter(pk=found.practice_id).exists(),
    }
    return page(request, "operations/feed.html", context, parts={"feed": "operations/_feed.html"})


def subjects_of(feed: Feed, now: datetime) -> dict[str, Any]:
    """{"known", "due", "oldest"}: whom athena is asked about one by one."""
    counted: dict[str, Any] = Subject.objects.filter(
        practice_id=feed.practice_id, resource=feed.resource
    ).aggregate(known=Count("pk"), due=Count("pk", filter=Q(due_at__lte=now)), oldest=Min("due_at"))
    return counted


def audits_of(feed: Feed) -> QuerySet[Audit]:
    done = Audit.objects.filter(practice_id=feed.practice_id, kind=feed.resource, finished_at__isnull=False)
    return done.order_by("-started_at", "pk")[:AUDITS_LISTED]


@require_POST
@needs(RUN_FEEDS)
def check_completeness(request: HttpRequest, slug: str) -> HttpResponse:
    practice = get_object_or_404(practices_with(request.user, RUN_FEEDS), slug=slug)
    if jobs.ask_for_audit(practice.pk):
        messages.success(
            request,
            f"{practice.name} is compared with athena now. What is missing is fetched; look again soon.",
        )
    else:
        messages.warning(request, "No new check was asked for: one waits already, or the queue is away.")
    return redirect("feeds")


DONE = {
    "pause": "Paused. Nothing new arrives until it is resumed, and gaps that need it read as suspect sync.",
    "resume": "Resumed; the next run is due now.",
    "run": "A run was asked for; it starts as soon as a worker is free.",
}
MOVES = {"pause": feeding.pause, "resume": feeding.resume, "run": feeding.run_now}


@require_POST
@needs(RUN_FEEDS)
def move_feed(request: HttpRequest, pk: int, move: str) -> HttpResponse:
    found = get_object_or_404(_visible(request, RUN_FEEDS), pk=pk)
    MOVES[move](found)
    messages.success(request, DONE[move])
    if "in_list" in request.POST:
        return redirect(f"{reverse('feeds')}?practice={request.POST['in_list']}")
    return redirect("feed", found.pk)
