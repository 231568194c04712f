"""`/visits`: the worklist, and the search that hides its words behind a token."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from athena_dash.accounts.rights import SEE_PHI, SEE_VISITS, WORK_VISITS, needs, practices_with
from athena_dash.core.render import page
from athena_dash.worklist import search
from athena_dash.worklist.desk import desk_of
from athena_dash.worklist.facets import facets
from athena_dash.worklist.filters import Desk, Filters, Sort, Stage, read_filters
from athena_dash.worklist.names import names_of
from athena_dash.worklist.queries import page_of, shared_causes, visits
from athena_dash.worklist.rows import rows

SORTS = {Sort.RISK: "At risk", Sort.OLDEST: "Oldest first", Sort.NEWEST: "Newest first"}
STAGES = {Stage.HALF: "Half-complete", Stage.COMPLETE: "Complete", Stage.ALL: "All"}
DESKS = {Desk.MINE: "Mine", Desk.UNASSIGNED: "Unassigned", Desk.SNOOZED: "Snoozed", Desk.WORKED: "Worked"}


@require_safe
@needs(SEE_VISITS)
def worklist(request: HttpRequest) -> HttpResponse:
    desk = desk_of(request)
    filters = read_filters(request.GET)
    named = (
        set(practices_with(request.user, SEE_PHI).values_list("pk", flat=True)) if filters.found else set()
    )
    text = search.recall(filters.found)
    found = search.matching(text or "", named) if filters.found else None
    names = names_of(desk.practices)
    listed = page_of(visits(filters, desk, found), filters.order, request.GET.get("after", ""), desk.today)
    first = filters.stage is Stage.HALF and not filters.narrowed() and not request.GET.get("after")
    context = {
        "page": listed,
        "rows": rows(listed.rows, desk, names),
        "facets": facets(filters, desk, names, found),
        "filters": filters,
        "bundles": shared_causes(desk, names) if first else (),
        "stages": [
            (label, filters.but(stage=s, sort=None).query(), s is filters.stage)
            for s, label in STAGES.items()
        ],
        "desks": [(label, filters.toggled_desk(d).query(), d is filters.desk) for d, label in DESKS.items()],
        "sorts": [(label, filters.but(sort=s).query(), s is filters.order) for s, label in SORTS.items()],
        "order": filters.order,
        "clear_url": Filters(stage=filters.stage, sort=filters.sort).query(),
        # Whoever may see names may read what was searched; a colleague's search may be one.
        "searched": _searched(filters, text, shown=bool(named)),
        "connected": bool(desk.freshness.feeds),
        "heard_at": desk.freshness.heard_at,
        "quiet": desk.freshness.hides_visits,
        "may_work": practices_with(request.user, WORK_VISITS).exists(),
    }
    return page(request, "worklist/visits.html", context, parts={"worklist": "worklist/list.html"})


def _searched(filters: Filters, text: str | None, *, shown: bool) -> str:
    if not filters.found:
        return ""
    if text is None:
        return "An expired search"
    return f"“{text}”" if shown else "A search"


@require_POST
@needs(SEE_VISITS)
def find(request: HttpRequest) -> HttpResponse:
    """The words go into the cache, a token into the URL; the other filters stay as they were."""
    filters = read_filters(request.GET)
    text = request.POST.get("text", "").replace("\x00", "").strip()[:200]
    if not text:
        messages.info(
            request, "Type a patient's name, or the id of a patient, appointment, encounter or claim."
        )
        return redirect(reverse("visits") + filters.but(found="").query())
    return redirect(reverse("visits") + filters.but(found=search.remember(text)).query())
