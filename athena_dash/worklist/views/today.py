"""`/` sends everybody to the first screen of their role; `/today` is the billing desk's."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from athena_dash.accounts.rights import SEE_VISITS, home_of, needs
from athena_dash.core.render import page
from athena_dash.worklist.desk import desk_of
from athena_dash.worklist.filters import Filters
from athena_dash.worklist.names import names_of
from athena_dash.worklist.queries import DEADLINE_DAYS, shared_causes
from athena_dash.worklist.today import today_of


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    return redirect(home_of(request.user))


@require_safe
@needs(SEE_VISITS)
def today(request: HttpRequest) -> HttpResponse:
    desk = desk_of(request)
    numbers = today_of(desk)
    context = {
        "numbers": numbers,
        "bundles": shared_causes(desk, names_of(desk.practices)),
        "today": desk.today,
        "heard": desk.freshness.by_practice(),
        "heard_at": desk.freshness.heard_at,
        "near_limit_url": Filters(limit=DEADLINE_DAYS).query(),
        "opened_url": Filters(opened=numbers.yesterday).query(),
    }
    return page(request, "worklist/today.html", context)
