"""One failure: what broke, what was tried, the payload beside what we made of it, and the replay buttons."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from athena_dash.accounts.models import PhiAccess
from athena_dash.accounts.rights import (
    REPLAY,
    SEE_FAILURES,
    SEE_RAW,
    SEE_VISITS,
    needs,
    practices_with,
    user_of,
)
from athena_dash.core import clock
from athena_dash.core.render import page
from athena_dash.operations import payload
from athena_dash.operations.mapped import facts
from athena_dash.operations.views.failures import visible_failures
from athena_dash.recovery import replay
from athena_dash.recovery.held import open_gaps
from athena_dash.recovery.models import Replay, ReplayItem, Verb
from athena_dash.recovery.plan import FrozenPlan
from athena_dash.sync import raw
from athena_dash.sync.models import Failure, RawRecord
from athena_dash.sync.replay import suggest


@require_GET
@needs(SEE_FAILURES)
def failure(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(visible_failures(request).select_related("practice", "feed"), pk=pk)
    return _render(request, found)


@require_POST
@needs(SEE_RAW)
def reveal_failure(request: HttpRequest, pk: int) -> HttpResponse:
    """Answers with the page, not a redirect: what was revealed is in no URL and gone with the next click."""
    found = _in_practices_with(request, SEE_RAW, pk)
    PhiAccess.objects.create(
        user_id=user_of(request).pk,
        practice_id=found.practice_id,
        action="view raw payload",
        subject=f"failure {found.pk}",
    )
    return _render(request, found, revealed=True)


@require_POST
@needs(REPLAY)
def replay_failure(request: HttpRequest, pk: int) -> HttpResponse:
    found = _in_practices_with(request, REPLAY, pk)
    try:
        verb, key = Verb(request.POST.get("verb", "")), UUID(request.POST.get("key", ""))
    except ValueError:
        raise Http404 from None
    if found.resolved_at:
        messages.info(request, "Nothing to replay: it was resolved in the meantime.")
    else:
        one = FrozenPlan(
            verb=verb, fingerprint="", as_of=clock.now(), members={found.practice_id: [found.pk]}
        )
        replay.start(one, key=key, user=user_of(request), may_replay={found.practice_id})
        messages.success(request, f"{verb.label} started.")
    return redirect("failure", found.pk)


def _in_practices_with(request: HttpRequest, right: str, pk: int) -> Failure:
    allowed = Failure.objects.filter(practice__in=practices_with(request.user, right))
    found: Failure = get_object_or_404(allowed.select_related("practice", "feed"), pk=pk)
    return found


def _render(request: HttpRequest, found: Failure, *, revealed: bool = False) -> HttpResponse:
    def may(right: str) -> bool:
        return practices_with(request.user, right).filter(pk=found.practice_id).exists()

    suggestion = suggest(found)
    verbs = [verb for verb in Verb if verb != Verb.REPROCESS or _stored(found)]
    last = found.replay_items.select_related("replay").order_by("-pk").first()
    context = {
        "failure": found,
        "suggestion": suggestion,
        "verbs": sorted(verbs, key=lambda verb: verb != suggestion.verb),
        "key": uuid4(),
        "tries": found.tries.select_related("by")[:20],
        "gaps": open_gaps([found.pk]),
        "last": last,
        "running": _is_running(last),
        "may_replay": may(REPLAY),
        "may_see_visits": may(SEE_VISITS),
        "may_see_raw": may(SEE_RAW),
        "revealed": revealed,
        **(_panes(found, revealed=revealed) if may(SEE_RAW) else {}),
    }
    return page(request, "operations/failure.html", context, parts={"failure": "operations/_failure.html"})


def _stored(found: Failure) -> bool:
    return found.subject_kind in (Failure.SubjectKind.RAW, Failure.SubjectKind.VISIT)


def _is_running(item: ReplayItem | None) -> bool:
    return bool(
        item and item.outcome == ReplayItem.Outcome.WAITING and item.replay.state == Replay.State.RUNNING
    )


def _panes(found: Failure, *, revealed: bool) -> dict[str, Any]:
    stored = None
    if found.subject_kind == Failure.SubjectKind.RAW and found.subject_id.isdigit():
        stored = RawRecord.objects.for_practice(found.practice_id).filter(pk=int(found.subject_id)).first()
    return {
        "raw": stored,
        "shown": payload.show(raw.read(stored), revealed=revealed) if stored else None,
        "facts": facts(found, revealed=revealed),
    }
