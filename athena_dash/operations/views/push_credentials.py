"""The Push page of a practice: who may push to it, and their secret or token, shown once when it is made."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from athena_dash.accounts.rights import MANAGE_PRACTICE, needs
from athena_dash.core.render import page
from athena_dash.operations.views.practices import managed

CREDENTIALS = {"secret": "push_secret", "token": "push_token"}


@require_http_methods(["GET", "POST"])
@needs(MANAGE_PRACTICE)
def push_credentials(request: HttpRequest, slug: str) -> HttpResponse:
    """POST `make` or `forget` names one of the two. A new one ends the old one at once."""
    found = get_object_or_404(managed(request), slug=slug)
    made = CREDENTIALS.get(request.POST.get("make", ""))
    forgotten = CREDENTIALS.get(request.POST.get("forget", ""))
    column = made or forgotten
    value = secrets.token_urlsafe(32) if made else None
    if column:
        setattr(found.connection, column, value)
        found.connection.save(update_fields=[column])
    if forgotten:
        messages.success(request, "Forgotten. Whoever still uses it is refused.")
    if request.method == "POST" and not made:
        return redirect("push-credentials", found.slug)
    context = {
        "practice": found,
        "connection": found.connection,
        "new_secret": value if made == "push_secret" else "",
        "new_token": value if made == "push_token" else "",
        "events_url": request.build_absolute_uri(reverse("push-events", args=[found.slug])),
        "records_url": request.build_absolute_uri(reverse("push-records", args=[found.slug, "claims"])),
        "tab": "push",
    }
    return page(request, "operations/push.html", context)
