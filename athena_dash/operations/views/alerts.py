"""The Alerts page of a practice: whom to tell, what is wrong now and was lately, and whether it was told."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from athena_dash.accounts.rights import MANAGE_PRACTICE, needs
from athena_dash.core.render import page
from athena_dash.operations.alerts.forms import AlertRouteForm, new_secret
from athena_dash.operations.models import Alert, AlertMessage, AlertRoute
from athena_dash.operations.views.practices import managed

SHOWN = 20


@require_http_methods(["GET", "POST"])
@needs(MANAGE_PRACTICE)
def alerts(request: HttpRequest, slug: str) -> HttpResponse:
    """A webhook's secret is shown in the answer that made it and never again; `renew` makes another."""
    found = get_object_or_404(managed(request), slug=slug)
    route = AlertRoute.objects.filter(practice=found).first() or AlertRoute(practice=found)
    form = AlertRouteForm(request.POST or None, instance=route)
    made = ""
    if request.method == "POST" and form.is_valid():
        route = form.save(commit=False)
        if route.webhook_url and ("renew" in request.POST or not route.webhook_secret):
            made = route.webhook_secret = new_secret()
        route.save()
        messages.success(request, "Saved.")
        if not made:
            return redirect("alerts", found.slug)
    context = {
        "practice": found,
        "form": form,
        "route": route,
        "new_secret": made,
        "alerts": Alert.objects.for_practice(found).order_by("-opened_at")[:SHOWN],
        "told": AlertMessage.objects.for_practice(found).order_by("-created_at")[:SHOWN],
        "tab": "alerts",
    }
    return page(request, "operations/alerts.html", context, status=422 if form.errors else 200)
