"""What the planner decided: which answers were too old, which it asks for again, which wait, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from athena_dash.accounts.rights import SEE_FEEDS, needs, practices_with
from athena_dash.core.render import page
from athena_dash.core.templatetags.sparkline import Bar
from athena_dash.practices.opening_hours import opening_hours
from athena_dash.sync.models import Plan

LISTED = 60  # plans; one is made every two minutes
SUMS = ("due", "chosen", "put_off", "calls", "dollars")


@require_GET
@needs(SEE_FEEDS)
def planner(request: HttpRequest, slug: str) -> HttpResponse:
    practice = get_object_or_404(practices_with(request.user, SEE_FEEDS), slug=slug)
    plans = list(Plan.objects.for_practice(practice).order_by("-at", "-pk")[:LISTED])
    context = {
        "practice": practice,
        "opening": opening_hours(practice),
        "newest": plans[0] if plans else None,
        "lines": [told(line) for line in plans[0].lines] if plans else [],
        "sums": sums(plans[0]) if plans else {},
        "earlier": [(plan, sums(plan)) for plan in plans[1:] if plan.lines],
        "bars": [Bar(0, "no plan")] * (LISTED - len(plans)) + [bar_of(plan) for plan in reversed(plans)],
    }
    return page(request, "operations/planner.html", context, parts={"planner": "operations/_planner.html"})


def told(line: dict[str, Any]) -> dict[str, Any]:
    return {**line, "oldest": datetime.fromisoformat(line["oldest"])}


def sums(plan: Plan) -> dict[str, float]:
    return {name: sum(line[name] for line in plan.lines) for name in SUMS}


def bar_of(plan: Plan) -> Bar:
    of = sums(plan)
    words = f"{plan.at:%H:%M} UTC {of['due']} due, {of['chosen']} chosen, {of['put_off']} put off"
    return Bar(of["due"], words, tone="wait" if of["put_off"] else "")
