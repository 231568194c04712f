"""`/unmatched/<link>`: one record that waits for a person. Tie it, leave it, or come back later; the next one opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from athena_dash.accounts.rights import SEE_VISITS, WORK_VISITS, needs, practices_with
from athena_dash.core.render import page
from athena_dash.correlation import decisions
from athena_dash.correlation.models import Link
from athena_dash.sync import pipeline
from athena_dash.worklist.desk import signed_in
from athena_dash.worklist.review import next_of, previous_of, review_of, undecided
from athena_dash.worklist.unmatched import OPEN_STATES


@require_safe
@needs(SEE_VISITS)
def review(request: HttpRequest, pk: int) -> HttpResponse:
    link = link_with(request, pk, SEE_VISITS)
    queue = queue_of(request)
    context = {
        "review": review_of(link),
        "may_work": practices_with(request.user, WORK_VISITS).filter(pk=link.practice_id).exists(),
        "is_decided": link.method == Link.Method.MANUAL,
        "just_decided": just_decided(request),
        "next": next_of(queue, link),
        "previous": previous_of(queue, link),
        "left": queue.count(),
        "query": f"?{urlencode(filters)}" if (filters := filters_of(request)) else "",
    }
    return page(request, "worklist/review.html", context)


@require_POST
@needs(WORK_VISITS)
def tie(request: HttpRequest, pk: int) -> HttpResponse:
    link = link_with(request, pk, WORK_VISITS)
    chosen = request.POST.get("visit", "")
    offered = {str(choice.visit.pk): choice.visit for choice in review_of(link).choices}
    if chosen not in offered:
        messages.error(request, "That visit is not on offer any more. Nothing was changed.")
        return redirect(address(request, pk))
    return settle(request, link, lambda: decisions.tie(pk, offered[chosen], signed_in(request)), "tied.")


@require_POST
@needs(WORK_VISITS)
def none(request: HttpRequest, pk: int) -> HttpResponse:
    link = link_with(request, pk, WORK_VISITS)
    return settle(request, link, lambda: decisions.leave(pk, signed_in(request)), "left without a visit.")


@require_POST
@needs(WORK_VISITS)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    link = link_with(request, pk, WORK_VISITS)
    if decide(request, link, lambda: decisions.undo(pk, signed_in(request))):
        messages.success(request, "Undone. The rules decide about it again.")
    # From the visit page, back to it; the visit was the one the record was tied to.
    if link.visit_id and request.POST.get("visit") == str(link.visit_id):
        return redirect("visit", link.visit_id)
    return redirect(address(request, pk))


def settle(request: HttpRequest, link: Link, verb: Callable[[], Link], outcome: str) -> HttpResponse:
    """Decide, then open the next record, which offers to undo this one; the last one stays open itself."""
    if not decide(request, link, verb):
        return redirect(address(request, link.pk))
    messages.success(request, f"{link.get_kind_display()} {link.record_id} {outcome}")
    if link.state not in OPEN_STATES:  # it was tied already and came from its visit, not from the queue
        return redirect(address(request, link.pk))
    following = next_of(queue_of(request), link)
    if following is None:
        messages.info(request, "No other record waits here.")
        return redirect(address(request, link.pk))
    return redirect(address(request, following, decided=link.pk))


def decide(request: HttpRequest, link: Link, verb: Callable[[], Link]) -> bool:
    """The decision, its consequences for links, and those for every visit that spoke of the record: all or nothing."""
    try:
        with transaction.atomic():
            pipeline.lock(link.practice_id)
            concerned = decisions.concerned(link)
            decided = verb()
            judged = pipeline.relate(link.practice_id, decisions.touched(decided))
            decided.refresh_from_db()
            if rest := (concerned | decisions.concerned(decided)) - judged:
                pipeline.rejudge(link.practice_id, sorted(rest))
    except decisions.Settled:
        messages.error(request, "Somebody has decided about it meanwhile. Nothing was changed.")
        return False
    return True


def link_with(request: HttpRequest, pk: int, right: str) -> Link:
    practices = practices_with(request.user, right)
    found: Link = get_object_or_404(
        Link.objects.select_related("practice", "visit", "decided_by"), pk=pk, practice__in=practices
    )
    if not decisions.may_decide(found):
        raise Http404
    return found


def just_decided(request: HttpRequest) -> Link | None:
    """What the previous page decided, while it still stands: so that it can be undone from here."""
    pk = request.GET.get("decided", "")
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return None
    practices = practices_with(request.user, WORK_VISITS)
    mine = Link.objects.filter(practice__in=practices, method=Link.Method.MANUAL)
    found: Link | None = mine.select_related("visit").filter(pk=int(pk)).first()
    return found


def filters_of(request: HttpRequest) -> dict[str, str]:
    """Which queue is worked: the filters of the list it was opened from."""
    kind, state = request.GET.get("kind", ""), request.GET.get("state", "")
    chosen = {
        "kind": kind if kind in Link.Kind.values else "",
        "state": state if state in OPEN_STATES else "",
    }
    return {name: value for name, value in chosen.items() if value}


def queue_of(request: HttpRequest) -> Any:
    practice_ids = [practice.pk for practice in practices_with(request.user, SEE_VISITS)]
    filters = filters_of(request)
    return undecided(practice_ids, filters.get("kind", ""), filters.get("state", ""))


def address(request: HttpRequest, pk: int, **more: int) -> str:
    query = urlencode(filters_of(request) | {name: str(value) for name, value in more.items()})
    return reverse("review", args=[pk]) + (f"?{query}" if query else "")
