"""Replays: the plan, its start, the running batch, and the verified report."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.signing import BadSignature
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from athena_dash.accounts.models import PhiAccess
from athena_dash.accounts.rights import REPLAY, SEE_FAILURES, SEE_VISITS, needs, practices_with, user_of
from athena_dash.core import clock
from athena_dash.core.render import page
from athena_dash.core.templatetags.ui import span
from athena_dash.operations.views.failures import visible_failures
from athena_dash.recovery import replay as replaying
from athena_dash.recovery.filters import FailureFilter
from athena_dash.recovery.models import Replay, ReplayItem, Verb
from athena_dash.recovery.plan import FrozenPlan, make_plan
from athena_dash.recovery.report import csv_lines, report
from athena_dash.sync.models import Failure

LISTED = 100
ITEMS = 200
MOVES = {"pause": replaying.pause, "resume": replaying.resume, "cancel": replaying.cancel}
UNSETTLED = (ReplayItem.Outcome.FAILED, ReplayItem.Outcome.UNKNOWN)


def visible_replays(request: HttpRequest, right: str = SEE_FAILURES) -> QuerySet[Replay]:
    return Replay.objects.filter(practice__in=practices_with(request.user, right)).select_related(
        "practice", "started_by"
    )


@require_GET
@needs(SEE_FAILURES)
def replays(request: HttpRequest) -> HttpResponse:
    counted = visible_replays(request).annotate(
        total=Count("items"),
        done=Count("items", filter=~Q(items__outcome=ReplayItem.Outcome.WAITING)),
        failed=Count("items", filter=Q(items__outcome__in=UNSETTLED)),
        gaps=Sum("items__gaps_closed"),
        dollars=Sum("items__dollars_closed"),
    )
    listed = list(counted.order_by("-pk")[:LISTED])
    running = any(replay.state == Replay.State.RUNNING for replay in listed)
    context = {"replays": listed, "running": running}
    return page(request, "operations/replays.html", context, parts={"replays": "operations/_replays.html"})


@require_GET
@needs(REPLAY)
def plan_replay(request: HttpRequest) -> HttpResponse:
    """A GET, because looking at a plan changes nothing: reload makes a newer one."""
    now = clock.now()
    chosen = request.GET.getlist("failure")
    fingerprint = "" if chosen else request.GET.get("fingerprint", "")
    if not chosen and not fingerprint:
        raise Http404
    plan = make_plan(
        _members(request, chosen, fingerprint),
        replayable=practices_with(request.user, REPLAY),
        verb=Verb(verb) if (verb := request.GET.get("verb", "")) in Verb.values else None,
        fingerprint=fingerprint,
        as_of=now,
    )
    context = {
        "plan": plan,
        "duration": span(timedelta(seconds=max(plan.seconds, 1))),
        "worth": sum((gap.at_risk or 0 for gap in plan.held), Decimal(0)),
        "key": uuid4(),
        "verbs": Verb,
        "fingerprint": fingerprint,
    }
    return page(request, "operations/plan.html", context)


def _members(request: HttpRequest, chosen: list[str], fingerprint: str) -> QuerySet[Failure]:
    visible = visible_failures(request)
    if chosen:
        return visible.filter(pk__in=[int(pk) for pk in chosen if pk.isdigit()])
    return FailureFilter.of(request.GET).apply(visible.filter(fingerprint=fingerprint), clock.now())


@require_POST
@needs(REPLAY)
def start_replay(request: HttpRequest) -> HttpResponse:
    try:
        frozen, key = FrozenPlan.read(request.POST.get("plan", "")), UUID(request.POST.get("key", ""))
    except (BadSignature, ValueError):
        messages.error(
            request, "This plan is no longer valid: it is older than an hour, or was altered. Plan again."
        )
        return redirect("failures")
    allowed = set(practices_with(request.user, REPLAY).values_list("pk", flat=True))
    started = replaying.start(frozen, key=key, user=user_of(request), may_replay=allowed)
    if not started:
        raise Http404
    return redirect("replay", started[0].pk) if len(started) == 1 else redirect("replays")


@require_GET
@needs(SEE_FAILURES)
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(visible_replays(request), pk=pk)
    told = report(found)
    outcome = request.GET.get("outcome", "")
    items = found.items.select_related("failure")
    if outcome in ReplayItem.Outcome.values:
        items = items.filter(outcome=outcome)
    context = {
        "replay": found,
        "report": told,
        "eta": span(timedelta(seconds=told.eta_seconds)) if told.eta_seconds else "",
        "running": found.state == Replay.State.RUNNING,
        "outcome_counts": [
            (value, label.capitalize(), told.counts[value]) for value, label in ReplayItem.Outcome.choices
        ],
        "outcome": outcome,
        "items": items.order_by("pk")[:ITEMS],
        "arrived": _arrived_since(request, found),
        "may_replay": practices_with(request.user, REPLAY).filter(pk=found.practice_id).exists(),
        "may_see_visits": practices_with(request.user, SEE_VISITS).filter(pk=found.practice_id).exists(),
    }
    return page(request, "operations/replay.html", context, parts={"batch": "operations/_batch.html"})


def _arrived_since(request: HttpRequest, found: Replay) -> int:
    """Failures of the same group that came after the members were frozen; they are not part of this replay."""
    if not found.fingerprint:
        return 0
    same = visible_failures(request).filter(practice_id=found.practice_id, fingerprint=found.fingerprint)
    return same.filter(first_seen__gt=found.planned_at, resolved_at__isnull=True).count()


@require_POST
@needs(REPLAY)
def move_replay(request: HttpRequest, pk: int, move: str) -> HttpResponse:
    found = get_object_or_404(visible_replays(request, REPLAY), pk=pk)
    if not MOVES[move](found):
        messages.info(request, "Too late: the replay had already moved on.")
    return redirect("replay", found.pk)


@require_GET
@needs(SEE_FAILURES)
def replay_report(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    found = get_object_or_404(visible_replays(request), pk=pk)
    PhiAccess.objects.create(
        user_id=user_of(request).pk,
        practice_id=found.practice_id,
        action="export replay report",
        subject=str(found),
    )
    return StreamingHttpResponse(
        csv_lines(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="replay-{found.pk}.csv"'},
    )
