"""`/quality`: how the links of a practice, or of all, stand; how often they would be right; the list behind each."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from athena_dash.accounts.rights import SEE_VISITS, needs, practices_with
from athena_dash.core.render import page
from athena_dash.correlation.decisions import may_decide
from athena_dash.correlation.models import Link
from athena_dash.sync import link_measures
from athena_dash.sync.jobs import ring_link_measure
from athena_dash.worklist.desk import signed_in
from athena_dash.worklist.quality import WORDS, listed, method_named, quality_of, state_named
from athena_dash.worklist.unmatched import STATE_WORDS


@require_safe
@needs(SEE_VISITS)
def quality(request: HttpRequest) -> HttpResponse:
    practices = list(practices_with(request.user, SEE_VISITS).order_by("name"))
    slug = request.GET.get("practice", "")
    chosen = [practice for practice in practices if practice.slug == slug]
    context = {
        "quality": quality_of(chosen or practices, slug if chosen else ""),
        "practices": practices,
        "chosen": chosen[0] if chosen else practices[0] if len(practices) == 1 else None,
    }
    return page(request, "worklist/quality.html", context, parts={"quality": "worklist/quality_body.html"})


@require_safe
@needs(SEE_VISITS)
def links(request: HttpRequest) -> HttpResponse:
    practices = practices_with(request.user, SEE_VISITS)
    slug, kind = request.GET.get("practice", ""), request.GET.get("kind", "")
    chosen = practices.filter(slug=slug) if slug else practices
    kind = kind if kind in Link.Kind.values else ""
    state = state_named(request.GET.get("state", ""))
    method = method_named(request.GET.get("method", ""))
    ids = list(chosen.values_list("pk", flat=True))
    shown = listed(ids, kind, state, method, request.GET.get("after", ""))
    context = {
        "page": shown,
        "rows": [(link, opens(link)) for link in shown.rows],
        "kind": kind,
        "words": [
            word
            for word in (STATE_WORDS.get(Link.State(state)) if state else "", WORDS.get(method, ""))
            if word
        ],
        "several": len(ids) > 1,
        "slug": slug,
    }
    return page(request, "worklist/quality_links.html", context)


def opens(link: Link) -> str:
    """Where a person may decide about it; else its visit."""
    if may_decide(link):
        return reverse("review", args=[link.pk])
    return reverse("visit", args=[link.visit_id]) if link.visit_id else ""


@require_POST
@needs(SEE_VISITS)
def measure(request: HttpRequest, slug: str) -> HttpResponse:
    """Whoever sees visits may ask: nothing changes by it, and one at a time is made."""
    practice = get_object_or_404(practices_with(request.user, SEE_VISITS), slug=slug)
    link_measures.ask(practice.pk, signed_in(request))
    ring_link_measure(practice.pk)
    messages.success(request, f"The links of {practice.name} are being measured.")
    return redirect(f"{reverse('quality')}?practice={practice.slug}")
