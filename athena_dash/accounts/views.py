"""Sign in, sign out, and the page of a user who belongs to no practice yet."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from athena_dash.accounts.forms import SignInForm
from athena_dash.accounts.rights import home_of, may_connect


@sensitive_post_parameters("password")
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    htmx: Any = request.htmx  # type: ignore[attr-defined]
    if htmx:
        # A session ended under a page: leave it, and come back to the page, not to its fragment.
        page = urlsplit(htmx.current_url or "")._replace(scheme="", netloc="").geturl()
        return HttpResponseClientRedirect(f"{reverse('sign-in')}?{urlencode({'next': page})}")
    onward = _safe_next(request)
    if request.user.is_authenticated:
        return redirect(onward or home_of(request.user))
    form = SignInForm(request, data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.get_user())
        return redirect(onward or home_of(request.user))
    context = {"form": form, "next": onward, "ended": settings.SESSION_COOKIE_NAME in request.COOKIES}
    return render(request, "accounts/sign_in.html", context, status=422 if form.is_bound else 200)


def _safe_next(request: HttpRequest) -> str:
    """The page asked for, only when it is ours: an open redirect lends our name to somebody else's page."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return asked if safe else ""


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign-in")


@login_required
def no_practice(request: HttpRequest) -> HttpResponse:
    if request.user.memberships.exists():  # type: ignore[union-attr]
        return redirect(home_of(request.user))
    return render(request, "accounts/no_practice.html", {"may_connect": may_connect(request.user)})
