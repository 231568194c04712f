"""A practice's grace hours per gap code: inherited from the shipped default, or its own."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from athena_dash.accounts.rights import MANAGE_PRACTICE, needs, user_of
from athena_dash.core import clock
from athena_dash.core.render import page
from athena_dash.correlation.models import Visit
from athena_dash.correlation.rules import RULES
from athena_dash.operations.views.practices import managed
from athena_dash.practices.forms import GraceForm
from athena_dash.practices.models import Policy, Practice
from athena_dash.practices.policies import default, policies_of

TITLES = {rule.code: rule.title for rule in RULES} | {"G17": "Result that belongs to no visit"}


@require_http_methods(["GET", "POST"])
@needs(MANAGE_PRACTICE)
def policies(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(managed(request), slug=slug)
    overrides = policies_of(found).overrides
    form = GraceForm(request.POST or None, overrides=overrides, titles=TITLES)
    if request.method == "POST" and form.is_valid():
        changed = _save(found, form.grace_hours(), user_of(request).pk)
        messages.success(request, _said(changed))
        return redirect("policies", found.slug)
    context = {"practice": found, "form": form, "overrides": overrides, "tab": "policies"}
    return page(request, "operations/policies.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _save(practice: Practice, wanted: dict[str, float | None], user_id: int) -> int:
    """Store what differs from the default, forget what equals it; returns how many values changed."""
    stored = policies_of(practice).overrides
    changed = 0
    for name, hours in wanted.items():
        override = None if hours is None or hours == default(name) else hours
        if override == stored.get(name):
            continue
        changed += 1
        if override is None:
            Policy.objects.filter(practice=practice, name=name).delete()
        else:
            Policy.objects.update_or_create(
                practice=practice, name=name, defaults={"value": override, "set_by_id": user_id}
            )
    if changed:
        _judge_again(practice)
    return changed


def _judge_again(practice: Practice) -> None:
    """Visits a grace could change: those waiting for time to pass, and those with an open gap."""
    touched = Q(reconsider_at__isnull=False) | Q(gaps__closed_at__isnull=True, gaps__isnull=False)
    due = Visit.objects.for_practice(practice).filter(touched).values("pk")
    Visit.objects.for_practice(practice).filter(pk__in=due).update(reconsider_at=clock.now())


def _said(changed: int) -> str:
    if not changed:
        return "Nothing changed."
    return (
        f"{changed} {'value' if changed == 1 else 'values'} changed. Visits are judged again within a minute."
    )
