"""`/practices/…/weights`: what a practice's own claims teach the rules; tried out before it is used, and taken back."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from athena_dash.accounts.rights import MANAGE_PRACTICE, needs, user_of
from athena_dash.core.render import page
from athena_dash.correlation import reweighing
from athena_dash.correlation.models import Weights
from athena_dash.correlation.weights import weights_of
from athena_dash.operations.views.practices import managed
from athena_dash.operations.weight_rows import levels_of, name_of, versions_of
from athena_dash.sync import jobs, pipeline

TRIED = 1_000  # of the newest claims without an id: the practice's own work waits for about a second


@require_safe
@needs(MANAGE_PRACTICE)
def weights(request: HttpRequest, slug: str) -> HttpResponse:
    """`?try=N` tries a version out; nothing is changed by it."""
    practice = get_object_or_404(managed(request), slug=slug)
    number = request.GET.get("try", "")
    tried = get_object_or_404(Weights, practice=practice, version=whole(number)) if number else None
    rows = versions_of(practice.pk)
    context = {
        "practice": practice,
        "tab": "weights",
        "rows": rows,
        "applying": next((row for row in rows if row.applying), None),
        "used": next((row.name for row in rows if row.used), name_of(0)),
        "tried": tried,
        "preview": preview_of(practice.pk, tried) if tried else None,
        "levels": levels_of(weights_of(practice.pk), tried) if tried else (),
        "name": name_of(tried.version) if tried else "",
        "enough": reweighing.ENOUGH,
    }
    return page(request, "operations/weights.html", context, parts={"weights": "operations/_weights.html"})


def whole(number: str) -> int:
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 9 else -1


def preview_of(practice_id: int, tried: Weights) -> reweighing.Preview:
    with transaction.atomic():
        pipeline.lock(practice_id)
        claims = reweighing.newest_lone(practice_id, TRIED)
        return reweighing.preview(practice_id, tried.version, claims)


@require_POST
@needs(MANAGE_PRACTICE)
def learn_weights(request: HttpRequest, slug: str) -> HttpResponse:
    practice = get_object_or_404(managed(request), slug=slug)
    jobs.ring_learning(practice.pk)
    messages.success(
        request, "A worker is learning. A new version appears here if there is enough to learn from."
    )
    return redirect("weights", practice.slug)


@require_POST
@needs(MANAGE_PRACTICE)
def apply_weights(request: HttpRequest, slug: str) -> HttpResponse:
    practice = get_object_or_404(managed(request), slug=slug)
    version = get_object_or_404(Weights, practice=practice, version=whole(request.POST.get("version", "")))
    with transaction.atomic():
        pipeline.lock(practice.pk)
        reweighing.activate(practice.pk, version.version, user_of(request).pk)
    jobs.ring_weights(practice.pk)
    messages.success(
        request, f"{name_of(version.version)} in use. Claims without an id are being tied again."
    )
    return redirect("weights", practice.slug)
