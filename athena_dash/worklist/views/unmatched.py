"""`/unmatched`: records that belong to no visit yet, so that nothing that arrived is ever out of sight."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from athena_dash.accounts.rights import SEE_VISITS, needs, practices_with
from athena_dash.core.render import page
from athena_dash.correlation.models import Link
from athena_dash.worklist.unmatched import OPEN_STATES, STATE_WORDS, counts, page_of, rows


@require_safe
@needs(SEE_VISITS)
def unmatched(request: HttpRequest) -> HttpResponse:
    practice_ids = [practice.pk for practice in practices_with(request.user, SEE_VISITS)]
    kind = request.GET.get("kind", "")
    kind = kind if kind in Link.Kind.values else ""
    state = request.GET.get("state", "")
    state = state if state in OPEN_STATES else ""
    listed = page_of(practice_ids, kind, state, request.GET.get("after", ""))
    waiting = counts(practice_ids)
    states = [
        (value, label, sum(w.by_state.get(value, 0) for w in waiting if not kind or w.kind == kind))
        for value, label in STATE_WORDS.items()
    ]
    context = {
        "page": listed,
        "rows": rows(listed.rows),
        "waiting": waiting,
        "everything": sum(w.total for w in waiting),
        "total": sum(count for value, _, count in states if not state or value == state),
        "states": states,
        "kind": kind,
        "state": state,
        "state_words": STATE_WORDS,
        "several": len(practice_ids) > 1,
    }
    return page(
        request, "worklist/unmatched.html", context, parts={"unmatched": "worklist/unmatched_list.html"}
    )
