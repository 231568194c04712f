"""What every answer gets: a request id, no caching once someone is signed in, messages as toasts for htmx."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django_htmx.http import trigger_client_event

Answer = Callable[[HttpRequest], HttpResponse]

request_id: ContextVar[str] = ContextVar("request_id", default="")
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestId:
    """Takes the proxy's id or makes one; logs carry it, and so does the answer, for a person to quote."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get("X-Request-Id", "")
        # Anything else could forge a line of the log.
        chosen = offered if ACCEPTABLE_ID.fullmatch(offered) else uuid4().hex
        token = request_id.set(chosen)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-Id"] = chosen
        return response


class NoStore:
    """Pages of a signed-in user may hold PHI: no browser, proxy or back button keeps them."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            response["Cache-Control"] = "no-store"
        return response


class Toast:
    """Messages into an HX-Trigger `toast` event when htmx swaps a fragment; a full page renders its own."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        leaves_page = (
            "HX-Redirect" in response or "HX-Refresh" in response or 300 <= response.status_code < 400
        )
        if request.htmx and not leaves_page:  # type: ignore[attr-defined]
            toasts = [{"level": m.level_tag, "text": str(m)} for m in messages.get_messages(request)]
            if toasts:
                trigger_client_event(response, "toast", {"toasts": toasts})
        return response
