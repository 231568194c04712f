"""Feeds: what each one last brought, how fresh and how complete it is, and pause, resume, run now, check."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST
from redis import RedisError

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
from athena_dash.operations.completeness_rows import completeness_rows
from athena_dash.operations.feed_rows import feed_rows
from athena_dash.practices.querysets import PracticeQuerySet
from athena_dash.sync import feeds as feeding
from athena_dash.sync import jobs
from athena_dash.sync.models import Audit, Backfill, BackfillChunk, Failure, Feed
from athena_dash.sync.resources import RESOURCES
from athena_dash.sync.standing import Standing, standings

RUNS_LISTED = 50
FAILURES_LISTED = 10
AUDITS_LISTED = 10
BACKFILLS_LISTED = 5
MOVES_LISTED = 15


def _visible(request: HttpRequest, right: str) -> QuerySet[Feed]:
    return Feed.objects.filter(practice__in=practices_with(request.user, right))


@require_GET
@needs(SEE_FEEDS)
def feeds(request: HttpRequest) -> HttpResponse:
    practices = practices_with(request.user, SEE_FEEDS)
    slug = request.GET.get("practice", "")
    shown = _visible(request, SEE_FEEDS)
    rows = feed_rows(shown.filter(practice__slug=slug) if slug else shown, clock.now())
    context = {
        "rows": rows,
        "trusted": sum(row.state.trusted for row in rows),
        "practices": practices,
        "completeness": completeness_rows(practices.filter(slug=slug) if slug else practices),
        "slug": slug,
        "standings": standing_of(practices.filter(slug=slug) if slug else practices),
        "runnable": set(practices_with(request.user, RUN_FEEDS).values_list("pk", flat=True)),
    }
    return page(request, "operations/feeds.html", context, parts={"feeds": "operations/_feeds.html"})


def standing_of(practices: PracticeQuerySet) -> list[Standing]:
    """None while Valkey is away: what the workers know of athena is there."""
    try:
        return list(standings(list(practices.values_list("pk", flat=True))).values())
    except RedisError:
        return []


@require_GET
@needs(SEE_FEEDS)
def feed(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(_visible(request, SEE_FEEDS), pk=pk)
    failures = Failure.objects.filter(
        practice__in=practices_with(request.user, SEE_FAILURES), feed=found, resolved_at__isnull=True
    )
    context = {
        "row": feed_rows(_visible(request, SEE_FEEDS).filter(pk=found.pk), clock.now())[0],
        "interval": span(found.interval),
        "fresh_within": span(found.fresh_within),
        "runs": found.runs.order_by("-started_at")[:RUNS_LISTED],
        "failures": failures.order_by("-last_seen")[:FAILURES_LISTED],
        "audits": audits_of(found),
        "read_by_others": feeding.read_by_others(found),
        "backfills": backfills_of(found),
        "windows": RESOURCES[found.resource].windows,
        "moves": found.moves.select_related("by").order_by("-pk")[:MOVES_LISTED],
        "may_set_back": practices_with(request.user, MANAGE_PRACTICE).filter(pk=found.practice_id).exists(),
        "may_run": practices_with(request.user, RUN_FEEDS).filter(pk=found.practice_id).exists(),
    }
    return page(request, "operations/feed.html", context)


def backfills_of(feed: Feed) -> QuerySet[Backfill]:
    """Each with how many of its chunks are in which state."""
    states = BackfillChunk.State
    counts = {state.value: Count("chunks", filter=Q(chunks__state=state)) for state in states}
    found = feed.backfills.select_related("asked_by").annotate(
        size=Count("chunks"), records=Sum("chunks__records"), calls=Sum("chunks__calls"), **counts
    )
    newest: QuerySet[Backfill] = found.order_by("-asked_at", "-pk")[:BACKFILLS_LISTED]
    return newest


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
    return redirect("feed", found.pk)
