"""The wizard that connects a practice: test step by step, then save and start, or save it paused."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from athena_dash.accounts.rights import may_connect, user_of
from athena_dash.core.render import page
from athena_dash.operations.connecting import connect, report
from athena_dash.practices.forms import ConnectForm
from athena_dash.sync.connections import probe


@sensitive_post_parameters("client_secret")
@require_http_methods(["GET", "POST"])
@login_required
def connect_practice(request: HttpRequest) -> HttpResponse:
    """`action`: test, save (tests first; a failed test saves nothing) or save-paused."""
    if not may_connect(request.user):
        raise PermissionDenied
    htmx = bool(request.htmx)  # type: ignore[attr-defined]
    form = ConnectForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _form(request, form, status=422 if form.is_bound else 200)
    action, connection = request.POST.get("action"), form.connection()
    steps = probe(connection)
    works = all(step.ok for step in steps)
    if action == "save-paused" or (action == "save" and works):
        paused = not works
        practice = connect(connection, by=user_of(request), steps=steps, paused=paused)
        messages.success(
            request,
            "Saved, paused. Resume it once the test passes."
            if paused
            else "Connected. The first sync starts now.",
        )
        onward = reverse("practice", args=[practice.slug])
        return HttpResponseClientRedirect(onward) if htmx else redirect(onward)
    return _form(request, form, steps=report(steps), works=works, tried_to_save=action == "save")


def _form(request: HttpRequest, form: ConnectForm, *, status: int = 200, **context: Any) -> HttpResponse:
    parts = {"probe": "operations/_probe.html"}
    return page(request, "operations/connect.html", {"form": form, **context}, parts=parts, status=status)
