"""`/visits/<id>/check`: ask athena about one visit now, and watch it answer."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from django_htmx.http import reswap, retarget

from athena_dash.accounts.rights import WORK_VISITS, needs
from athena_dash.sync import live_read
from athena_dash.sync.jobs import ring_live_reads
from athena_dash.worklist.desk import signed_in
from athena_dash.worklist.views.actions import done
from athena_dash.worklist.views.visit import visit_with


@require_http_methods(["GET", "HEAD", "POST"])
@needs(WORK_VISITS)
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """POST asks. GET, for htmx: how far it is; and once it has ended, the whole visit as it now stands."""
    visit = visit_with(request, pk, WORK_VISITS)
    if request.method == "POST":
        try:
            live_read.ask(visit, signed_in(request))
        except live_read.TooSoon:
            messages.info(request, "athena was asked about this visit a moment ago; its answer stands below.")
            return done(request, visit)
        ring_live_reads(visit.practice_id)
    read = live_read.newest_of(visit)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("visit", pk)
    if read and read.finished_at is None:
        answer = render(
            request, "worklist/check.html", {"visit": visit, "check": read, "may": {"work": True}}
        )
        return reswap(retarget(answer, "#check"), "outerHTML")
    return retarget(done(request, visit), "#visit")
