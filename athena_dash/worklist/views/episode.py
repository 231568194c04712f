"""A person says whether a claim pays for a visit beside its own; the visit is judged again in place."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from athena_dash.accounts.rights import WORK_VISITS, needs
from athena_dash.correlation import coverages
from athena_dash.correlation.decisions import Settled
from athena_dash.correlation.models import Coverage
from athena_dash.sync import pipeline
from athena_dash.worklist.desk import signed_in
from athena_dash.worklist.views.actions import done
from athena_dash.worklist.views.visit import visit_with

VERBS = {
    "confirm": (coverages.confirm, "Claim {} pays for this visit."),
    "decline": (coverages.decline, "Claim {} does not pay for this visit."),
    "undo": (coverages.undo, "Undone. The rules decide about claim {} again."),
}


@require_POST
@needs(WORK_VISITS)
def say(request: HttpRequest, pk: int) -> HttpResponse:
    """POST `claim` and `said`, one of VERBS; anything else changes nothing."""
    visit = visit_with(request, pk, WORK_VISITS)
    verb, words = VERBS.get(request.POST.get("said", ""), (None, ""))
    coverage = Coverage.objects.filter(visit=visit, claim_id=request.POST.get("claim", "")).first()
    if verb is None or coverage is None:
        messages.error(request, "The claim says nothing of this visit any more. Nothing was changed.")
        return done(request, visit)
    claim = coverage.claim_id
    try:
        with transaction.atomic():
            pipeline.lock(visit.practice_id)
            verb(coverage.pk, signed_in(request))
            pipeline.relate(visit.practice_id, {"claim": {claim}})
    except Settled:
        messages.error(request, "Somebody has decided about it meanwhile. Nothing was changed.")
    else:
        messages.success(request, words.format(claim))
    visit.refresh_from_db()
    return done(request, visit)
