"""Failures: the groups first, then the members of one group; acknowledge and mute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.db.models import Max, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from athena_dash.accounts.rights import REPLAY, SEE_FAILURES, needs, practices_with, user_of
from athena_dash.core import clock
from athena_dash.core.render import page
from athena_dash.core.templatetags.sparkline import Bar
from athena_dash.operations import menus
from athena_dash.practices.models import Practice
from athena_dash.recovery import groups
from athena_dash.recovery.filters import STATES, FailureFilter, facet_counts
from athena_dash.recovery.groups import Group
from athena_dash.sync.models import Failure, Feed
from athena_dash.sync.resources import spoken

PAGE = 100


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group with what only the screen needs of it."""

    group: Group
    where: str  # the practice, or how many
    bars: tuple[Bar, ...]
    trend: str  # the bars in words
    query: str  # carries the filter into the group's page

    @property
    def feed(self) -> str:
        return spoken(self.group.resource)


MUTES = {"1": "1 day", "7": "7 days", "30": "30 days"}


def visible_failures(request: HttpRequest) -> QuerySet[Failure]:
    return Failure.objects.filter(practice__in=practices_with(request.user, SEE_FAILURES))


@require_GET
@needs(SEE_FAILURES)
def failures(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    practices = list(practices_with(request.user, SEE_FAILURES))
    names = {practice.slug: practice.name for practice in practices}
    chosen = FailureFilter.of(request.GET)
    visible = visible_failures(request)
    found = groups.find_groups(chosen.apply(visible, now), now)
    context = {
        "rows": [_row(group, practices, chosen, now) for group in found],
        "total": sum(group.count for group in found),
        "gaps": sum(group.gaps for group in found),
        "at_risk": sum(group.at_risk for group in found),
        "chosen": chosen,
        "menus": menus.menus(chosen, facet_counts(visible, chosen, now), names),
        "chips": menus.chips(chosen, names),
        "clear_url": menus.link(FailureFilter(state=chosen.state)),
        "states": [
            (state, label, menus.link(chosen.choosing("state", state))) for state, label in STATES.items()
        ],
        "last_sync": _last_sync(practices),
    }
    return page(request, "operations/failures.html", context, parts={"groups": "operations/_groups.html"})


def _row(group: Group, practices: list[Practice], chosen: FailureFilter, now: datetime) -> GroupRow:
    names = [practice.name for practice in practices if practice.pk in group.practice_ids]
    hours = [now - timedelta(hours=hour) for hour in reversed(range(groups.TREND_HOURS))]
    bars = tuple(
        Bar(count, f"{hour:%H}:00 UTC: {count} new") for hour, count in zip(hours, group.trend, strict=True)
    )
    return GroupRow(
        group=group,
        where=names[0] if len(names) == 1 else f"{len(names)} practices",
        bars=bars,
        trend=f"{sum(group.trend)} new failures in 24 hours",
        query=menus.link(chosen.without("reason").without("stage").without("feed")),
    )


@require_GET
@needs(SEE_FAILURES)
def failure_group(request: HttpRequest, fingerprint: str) -> HttpResponse:
    now = clock.now()
    chosen = FailureFilter.of(request.GET)
    of_group = visible_failures(request).filter(fingerprint=fingerprint)
    if not of_group.exists():
        raise Http404
    members = chosen.apply(of_group, now)
    found = groups.find_groups(members, now)
    rows, next_page = _keyset(members.select_related("practice", "feed"), request.GET.get("after", ""))
    newest = of_group.select_related("feed").latest("last_seen")
    context = {
        "group": found[0] if found else None,
        "known": newest,
        "reason": newest.get_reason_display(),
        "stage": newest.get_stage_display(),
        "feed": spoken(newest.feed.resource) if newest.feed else "",
        "fingerprint": fingerprint,
        "chosen": chosen,
        "rows": rows,
        "page": {"shown": len(rows), "first": "after" not in request.GET, "next": next_page},
        "total": found[0].count if found else 0,
        "states": [
            (state, label, menus.link(chosen.choosing("state", state))) for state, label in STATES.items()
        ],
        "mutes": MUTES,
        "may_replay": practices_with(request.user, REPLAY).exists(),
    }
    return page(request, "operations/failure_group.html", context)


@require_POST
@needs(REPLAY)
def acknowledge_group(request: HttpRequest, fingerprint: str) -> HttpResponse:
    groups.acknowledge(fingerprint, _practices_of(request, fingerprint), user_of(request), clock.now())
    messages.success(request, "Acknowledged: you are looking into it.")
    return redirect("failure-group", fingerprint)


@require_POST
@needs(REPLAY)
def mute_group(request: HttpRequest, fingerprint: str) -> HttpResponse:
    days = request.POST.get("days", "")
    until = clock.now() + timedelta(days=int(days)) if days in MUTES else None
    groups.mute(fingerprint, _practices_of(request, fingerprint), until)
    messages.success(request, f"Muted until {until:%d %b}." if until else "No longer muted.")
    return redirect("failure-group", fingerprint)


def _practices_of(request: HttpRequest, fingerprint: str) -> list[int]:
    """Practices with that group in which the user may decide; nothing to decide reads as not found."""
    deciding = Failure.objects.filter(
        practice__in=practices_with(request.user, REPLAY), fingerprint=fingerprint
    )
    found = list(deciding.order_by().values_list("practice_id", flat=True).distinct())
    if not found:
        raise Http404
    return found


def _keyset(members: QuerySet[Failure], after: str) -> tuple[list[Failure], str]:
    """One page, newest first, and the cursor of the next one."""
    if after.isdigit():
        members = members.filter(Q(pk__lt=int(after)))
    rows = list(members.order_by("-pk")[: PAGE + 1])
    return rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else ""


def _last_sync(practices: list[Practice]) -> object:
    return Feed.objects.filter(practice__in=practices).aggregate(at=Max("last_success_at"))["at"]
